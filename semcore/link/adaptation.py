"""Transports that adapt to the SNR of their channel."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Self

from annotated_types import Ge, Le

from semcore.interfaces import ChannelModel, Transport

UNKNOWN_SNR_DB = 10.0
"""The design SNR where the channel is unknown."""
LEAST_SNR_DB = -50.0
"""Lower bound of the design Es/N0, dB."""
MOST_SNR_DB = 100.0
"""Upper bound of the design Es/N0, dB."""


@dataclass(frozen=True)
class Adaptive(Transport):
    """A transport designed for the mean SNR of the channel, which both ends know.

    Fields:
        snr_db: design Es/N0, dB, for example to study a mismatch; null: the mean SNR of the channel
    """

    snr_db: Annotated[float, Ge(LEAST_SNR_DB), Le(MOST_SNR_DB)] | None = None

    def adapted_to(self, channel: ChannelModel) -> Self:
        mean = channel.mean_snr_db() if self.snr_db is None else None
        if mean is None:
            return self
        return dataclasses.replace(self, snr_db=min(max(float(mean), LEAST_SNR_DB), MOST_SNR_DB))

    @property
    def design_snr_db(self) -> float:
        """Es/N0 that it is designed for, dB."""
        return UNKNOWN_SNR_DB if self.snr_db is None else self.snr_db
