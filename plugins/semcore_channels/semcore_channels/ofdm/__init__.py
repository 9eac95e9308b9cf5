"""OFDM links: the grid of resource elements, channel estimation, equalisation, and the base class of every such channel."""
