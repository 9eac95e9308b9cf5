"""What this package implements."""

PAPER = "Semantic Satellite Communications for Synchronized Audiovisual Reconstruction"
"""Title of the paper that docstrings cite by section and equation."""
