"""Kinds of metric values, and the interval that is right for each."""
