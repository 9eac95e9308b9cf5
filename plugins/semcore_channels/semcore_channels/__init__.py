"""Channels (fading, 3GPP, satellites) and transports (5G LDPC, analog, Walsh, uncoded) for semcore; see README.md."""
