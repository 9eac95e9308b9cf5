"""Metrics of any link, and what metrics of plugins are built from."""
