"""Talking heads and sequences of pictures: encoders, transports, generators, knowledge bases,
metrics."""
