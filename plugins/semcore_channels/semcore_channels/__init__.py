"""Channels (AWGN, Rayleigh, 3GPP UMa) and transports (5G LDPC, analog) for semcore; README.md has the table."""
