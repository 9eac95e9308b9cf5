"""Transports: how streams become symbols and back."""
