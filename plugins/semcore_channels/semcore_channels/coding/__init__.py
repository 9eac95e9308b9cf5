"""The 5G code of TS 38.212: code blocks, encoder, decoder, checks."""
