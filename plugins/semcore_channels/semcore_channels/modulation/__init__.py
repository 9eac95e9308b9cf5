"""Modulations: bits to complex symbols, and received symbols to soft bits."""
