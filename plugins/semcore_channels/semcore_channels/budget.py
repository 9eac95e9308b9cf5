"""Link budgets as lists of terms; `semcore link-budget` prints them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from semcore_channels.constants import BOLTZMANN_J_K


def noise_power_dbm(bandwidth_hz: float, temperature_k: float) -> float:
    """Thermal noise power k T B, dBm; satellite paper, below eq. 7."""
    return 10 * math.log10(BOLTZMANN_J_K * temperature_k * bandwidth_hz) + 30


@dataclass(frozen=True)
class Term:
    """One line of a link budget.

    Fields:
        name: of the quantity
        value: in `unit`
        unit: dB, dBm, dBi, ...
        note: where the value comes from
    """

    name: str
    value: float
    unit: str = "dB"
    note: str = ""


@runtime_checkable
class HasBudget(Protocol):
    """A channel that has a link budget."""

    def budget(self) -> list[Term]:
        """The terms in order; the last one is the SNR."""
