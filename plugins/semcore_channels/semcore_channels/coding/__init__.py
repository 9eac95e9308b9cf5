"""The 5G LDPC code of TS 38.212: code blocks, encoder, decoder, CRC."""
