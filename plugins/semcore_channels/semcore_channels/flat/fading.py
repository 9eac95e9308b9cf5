"""Flat fading: the channels `rayleigh` and `rician`."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from semcore import Received, Rng, Symbols
from semcore_channels.flat.channel import FlatChannel
from semcore_channels.simd import pad
from semcore_channels.snr import noise_variance

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FadingChannel(FlatChannel, abc.ABC):
    """Flat fading with zero-forcing at the receiver: y/h = x + n/h.

    The noise left in a symbol has variance N0/|h|^2: a deep fade is an outage, because no power
    control compensates for it.

    With `csi: estimated` the receiver estimates the gain of a block from `pilots` known symbols,
    which cost channel uses: e = h + error of variance N0/pilots. It divides by the mean of h given
    e, e / (1 + N0/pilots).

    Fields:
        coherence: duration of a gain: one symbol, a block of `block_symbols`, or a frame (a row)
        block_symbols: symbols of a block, for coherence `block`; the last block of a row may be
            shorter
        csi: whether the receiver knows the gain or estimates it
        pilots: pilot symbols per block, for csi `estimated`
    """

    coherence: Literal["symbol", "block", "frame"] = "block"
    block_symbols: Annotated[int, Ge(1)] = 64
    csi: Literal["perfect", "estimated"] = "perfect"
    pilots: Annotated[int, Ge(1), Le(1000)] = 1

    @abc.abstractmethod
    def draw_gains(self, keys: tuple[str, ...], blocks: tuple[int, ...], rng: Rng) -> torch.Tensor:
        """The gain of each block, complex64 (rows, blocks).

        Args:
            keys: of the rows; a row's gains depend on its own key only
            blocks: number of blocks of each row
            rng: address of the fading
        """

    def _block_length(self, width: int) -> int:
        return {"symbol": 1, "block": self.block_symbols, "frame": max(width, 1)}[self.coherence]

    def _blocks(self, symbols: Symbols) -> tuple[int, ...]:
        length = self._block_length(symbols.values.shape[1])
        return tuple(-(-row_length // length) for row_length in symbols.layout.lengths)

    def _per_symbol(self, per_block: torch.Tensor, symbols: Symbols) -> torch.Tensor:
        """Values of blocks (rows, blocks) -> of symbols (rows, n), 1 past the end of a row."""
        import torch

        width = symbols.values.shape[1]
        values = per_block.repeat_interleave(self._block_length(width), dim=1)
        values = torch.nn.functional.pad(values, (0, max(width - values.shape[1], 0)))[:, :width]
        used = torch.arange(width) < torch.tensor(symbols.layout.lengths).unsqueeze(1)
        return torch.where(used, values, 1.0).to(symbols.values.device)

    def gains(self, symbols: Symbols, rng: Rng) -> torch.Tensor:
        """The gain of each symbol, complex64 (rows, n), 1 past the end of a row."""
        per_block = self.draw_gains(symbols.layout.keys, self._blocks(symbols), rng.at("fading"))
        return self._per_symbol(per_block, symbols)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        import torch

        layout, width = symbols.layout, symbols.values.shape[1]
        values = pad(symbols.values)
        noise_var = noise_variance(self.nominal_snr_db())
        gains = pad(self.gains(symbols, rng), 1.0)
        noise = pad(rng.at("noise").noise(symbols).to(values.device))
        arrived = gains * values + noise_var**0.5 * noise
        estimate, error_left, overhead = gains, 0.0, None
        if self.csi == "estimated":
            blocks, error_var = self._blocks(symbols), noise_var / self.pilots
            error = self._per_symbol(rng.at("pilots").complex_normal(layout.keys, blocks), symbols)
            estimate = (gains + error_var**0.5 * pad(error, 1.0)) / (1 + error_var)
            error_left = error_var / (1 + error_var)
            overhead = [{"pilots": self.pilots * count} for count in blocks]
        left = (noise_var + error_left) / estimate.abs().square().clamp_min(1e-20)
        report = []
        for power, length in zip(gains.abs().square(), layout.lengths, strict=True):
            snr = power[:length].mean() / noise_var
            report.append({"snr_db": float(10 * torch.log10(snr))} if length else {})
        equalised = (arrived / estimate)[:, :width]
        return symbols.received(equalised, left[:, :width], overhead=overhead, report=report)


@dataclass(frozen=True)
class Rayleigh(FadingChannel):
    """Flat Rayleigh fading and zero-forcing: y = h x + n with h circular complex Gaussian.

    The magnitude of h is Rayleigh distributed, its phase uniform.
    """

    reference: ClassVar[str] = (
        "J. G. Proakis, Digital Communications, 4th ed., section 14.3; MMSemCom, section VI-B"
    )
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)
    test_settings = ({}, {"csi": "estimated", "pilots": 4})

    def draw_gains(self, keys: tuple[str, ...], blocks: tuple[int, ...], rng: Rng) -> torch.Tensor:
        return rng.complex_normal(keys, blocks)


@dataclass(frozen=True)
class Rician(FadingChannel):
    """Flat Rician fading and zero-forcing: a specular component of uniform phase and a diffuse one.

    h = sqrt(K / (K + 1)) exp(i phi) + sqrt(1 / (K + 1)) g, with K = 10^(k_factor_db/10) and g
    circular complex Gaussian; phi and g are independent from block to block.

    Fields:
        k_factor_db: Rician K-factor, power of the specular over that of the diffuse component, dB
    """

    reference: ClassVar[str] = (
        "J. G. Proakis, Digital Communications, 4th ed., sections 2.1.4 and 14.1"
    )
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)
    test_settings = ({}, {"csi": "estimated", "pilots": 4})
    k_factor_db: Annotated[float, Ge(-50), Le(60)] = 6.0

    def draw_gains(self, keys: tuple[str, ...], blocks: tuple[int, ...], rng: Rng) -> torch.Tensor:
        import torch

        k_factor = 10 ** (self.k_factor_db / 10)
        diffuse = pad(rng.complex_normal(keys, blocks))
        steady = pad(rng.at("steady").complex_normal(keys, blocks))
        specular = torch.polar(torch.ones_like(steady.real), steady.angle())
        return (k_factor / (k_factor + 1)) ** 0.5 * specular + (1 / (k_factor + 1)) ** 0.5 * diffuse
