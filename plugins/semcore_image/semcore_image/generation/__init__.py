"""Generators that draw the received caption."""
