"""Trained pairs of encoder and decoder for streams over time."""
