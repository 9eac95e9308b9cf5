"""Encoders that send a caption of the picture."""
