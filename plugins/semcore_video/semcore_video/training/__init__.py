"""Recipes of the shipped weights, one per file, loaded by `semcore train` only."""
