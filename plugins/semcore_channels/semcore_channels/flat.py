"""Channels without memory: a complex gain a symbol, and noise. `AWGN` is the model to copy for your own channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from semcore.interfaces import ChannelModel
from semcore.rng import Rng
from semcore.types import Received, Symbols

if TYPE_CHECKING:
    import torch

Decibels = Annotated[float, Ge(-50), Le(100)]
"""A signal-to-noise ratio that single precision can hold."""


def noise_variance(snr_db: float) -> float:
    """N0 at Es = 1."""
    return 10 ** (-snr_db / 10)


@dataclass(frozen=True)
class AWGN(ChannelModel):
    """Additive white Gaussian noise: y = x + n.

    n is circular complex Gaussian of variance N0 = 10^(-snr_db/10); symbols have unit average power, so `snr_db` is
    Es/N0 per complex symbol.

    Fields:
        snr_db: Es/N0 per complex symbol, dB, -50..100
    """

    reference: ClassVar[str] = "J. G. Proakis, Digital Communications, 4th ed., eq. 5.1-1"
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)
    snr_db: Decibels = 10.0

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        layout, values = symbols.layout, symbols.values
        noise_var = noise_variance(self.snr_db)
        noise = rng.noise(symbols).to(values.device)
        report = [{"snr_db": self.snr_db} for _ in layout.keys]
        return symbols.received(values + noise_var**0.5 * noise, noise_var, report=report)


@dataclass(frozen=True)
class Rayleigh(ChannelModel):
    """Flat Rayleigh fading with perfect channel knowledge and zero-forcing: y = h x + n, equalised to y/h = x + n/h.

    h is circular complex Gaussian with E|h|^2 = 1 over the ensemble: its magnitude is Rayleigh, its phase uniform.
    The noise left in a symbol has variance N0/|h|^2: a fade is an outage, not a gain that power control makes up for.

    Fields:
        snr_db: Es/N0 per complex symbol before fading, dB, -50..100
        coherence: how long a gain lasts: one symbol, a block of `block_symbols`, or a frame (a whole row)
        block_symbols: symbols of a block, for coherence `block` only; the last block of a row may be shorter
    """

    reference: ClassVar[str] = "J. G. Proakis, Digital Communications, 4th ed., section 14.3"
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)
    snr_db: Decibels = 10.0
    coherence: Literal["symbol", "block", "frame"] = "block"
    block_symbols: Annotated[int, Ge(1)] = 64

    def gains(self, symbols: Symbols, rng: Rng) -> torch.Tensor:
        """The complex gain of each symbol, complex64 (rows, n); ones behind the end of a row."""
        import torch

        layout, width = symbols.layout, symbols.values.shape[1]
        hold = {"symbol": 1, "block": self.block_symbols, "frame": max(width, 1)}[self.coherence]
        blocks = tuple(-(-length // hold) for length in layout.lengths)
        gains = rng.at("fading").complex_normal(layout.keys, blocks).repeat_interleave(hold, dim=1)
        gains = torch.nn.functional.pad(gains, (0, max(width - gains.shape[1], 0)))[:, :width]
        sent = torch.arange(width) < torch.tensor(layout.lengths).unsqueeze(1)
        return torch.where(sent, gains, 1.0)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        import torch

        layout, values = symbols.layout, symbols.values
        noise_var = noise_variance(self.snr_db)
        gains = self.gains(symbols, rng).to(values.device)
        noise = rng.at("noise").noise(symbols).to(values.device)
        power = gains.abs().square()
        report = [
            {"snr_db": float(10 * torch.log10(row[:length].mean() / noise_var))} if length else {}
            for row, length in zip(power, layout.lengths, strict=True)
        ]
        return symbols.received(values + noise_var**0.5 * noise / gains, noise_var / power, report=report)
