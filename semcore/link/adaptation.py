"""Transports that reckon with the noise of their channel."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Self

from annotated_types import Ge, Le

from semcore.interfaces import ChannelModel, Transport

UNKNOWN_SNR_DB = 10.0
"""What is reckoned with where nobody knows the channel."""
LEAST_SNR_DB = -50.0
"""Least Es/N0 that a transport is set up for, dB."""
MOST_SNR_DB = 100.0
"""Greatest Es/N0 that a transport is set up for, dB."""


@dataclass(frozen=True)
class Adaptive(Transport):
    """A transport whose ends reckon with the mean SNR of the channel, which both know.

    Fields:
        snr_db: Es/N0 that they reckon with, dB, to see what a wrong one costs; null: the mean SNR of the channel
    """

    snr_db: Annotated[float, Ge(LEAST_SNR_DB), Le(MOST_SNR_DB)] | None = None

    def adapted_to(self, channel: ChannelModel) -> Self:
        mean = channel.mean_snr_db() if self.snr_db is None else None
        return self if mean is None else dataclasses.replace(self, snr_db=min(max(float(mean), LEAST_SNR_DB), MOST_SNR_DB))

    @property
    def design_snr_db(self) -> float:
        """Es/N0 that the ends reckon with, dB."""
        return UNKNOWN_SNR_DB if self.snr_db is None else self.snr_db
