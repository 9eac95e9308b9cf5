"""The paper that the planners come from."""

PAPER = "Semantic Satellite Communications for Synchronized Audiovisual Reconstruction"
