"""Transports for streams over time, with and without training."""
