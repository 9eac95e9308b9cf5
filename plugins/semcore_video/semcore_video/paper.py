"""The paper that this package implements."""

PAPER = "Semantic Satellite Communications for Synchronized Audiovisual Reconstruction"
"""Title of the paper cited by section and equation in docstrings."""
