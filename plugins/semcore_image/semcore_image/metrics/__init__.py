"""Metrics of pictures: fidelity and semantic similarity."""
