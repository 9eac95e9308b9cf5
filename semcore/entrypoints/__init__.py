"""Entry points of installed packages, read from metadata; nothing is imported."""
