"""A plugin that raises on import."""

raise RuntimeError("libfoo.so.3 is missing")
