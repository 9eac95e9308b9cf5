"""The channel `awgn`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semcore import Received, Rng, Symbols
from semcore_channels.flat.channel import FlatChannel
from semcore_channels.snr import noise_variance


@dataclass(frozen=True)
class AWGN(FlatChannel):
    """Additive white Gaussian noise: y = x + n."""

    reference: ClassVar[str] = "J. G. Proakis, Digital Communications, 4th ed., eq. 5.1-1"
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        snr_db = self.nominal_snr_db()
        noise_var = noise_variance(snr_db)
        noise = rng.noise(symbols).to(symbols.values.device)
        report = [{"snr_db": snr_db} for _ in symbols.layout.keys]
        return symbols.received(symbols.values + noise_var**0.5 * noise, noise_var, report=report)
