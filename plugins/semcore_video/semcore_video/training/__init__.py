"""Recipes of the shipped weights, one per file; only `semcore train` loads them."""
