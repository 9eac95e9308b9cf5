"""Metrics of text: wording and meaning."""
