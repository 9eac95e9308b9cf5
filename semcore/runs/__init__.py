"""A run: every cell of an experiment computed once and kept on disk."""
