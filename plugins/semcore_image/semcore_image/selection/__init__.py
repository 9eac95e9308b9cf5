"""Selectors that pick one of the candidates."""
