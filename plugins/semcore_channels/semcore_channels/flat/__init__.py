"""Flat channels: one complex gain per symbol, and noise."""

from semcore_channels.flat.channel import FlatChannel
from semcore_channels.flat.fading import Rayleigh, Rician
from semcore_channels.flat.gaussian import AWGN

__all__ = ["AWGN", "FlatChannel", "Rayleigh", "Rician"]
