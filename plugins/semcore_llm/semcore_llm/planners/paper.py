"""The paper that the planners implement."""

PAPER = "Semantic Satellite Communications for Synchronized Audiovisual Reconstruction"
