"""Metrics of faces, speech and their synchronisation."""
