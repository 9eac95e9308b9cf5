"""OFDM links: resource grid, channel estimation, equalisation, base class of OFDM channels."""
