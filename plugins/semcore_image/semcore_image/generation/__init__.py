"""Generators of pictures from the received caption."""
