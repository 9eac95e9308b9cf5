"""Physical constants."""

from __future__ import annotations

BOLTZMANN_J_K = 1.380649e-23
SPEED_OF_LIGHT_M_S = 299_792_458.0
