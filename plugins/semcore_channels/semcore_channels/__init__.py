"""Channels and transports for semcore; see README.md.

Channels: flat fading, 3GPP cells and link-level profiles, satellite links. Transports: 5G LDPC,
analog, uncoded, repetition, Walsh codes, and source and channel coding in separation.
"""
