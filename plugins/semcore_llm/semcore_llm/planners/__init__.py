"""Planners: a fixed plan, a lookup table, search by memory and trials, and language models."""
