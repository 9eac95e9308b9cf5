"""Modulations: bits to complex symbols, and received symbols to soft bits.

A new modulation is one file: a subclass of `Modulation`, made known by `register` or by an entry
point of the group `semcore_channels.modulation`.
"""

from semcore_channels.modulation.base import Modulation
from semcore_channels.modulation.registry import ModulationName, load, names, register

__all__ = ["Modulation", "ModulationName", "load", "names", "register"]
