"""Channels without memory: a complex gain a symbol, and noise."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from semcore.errors import ComponentError
from semcore.interfaces import ChannelModel
from semcore.rng import Rng
from semcore.types import Received, Symbols
from semcore_channels.budget import Term
from semcore_channels.lanes import wide

if TYPE_CHECKING:
    import torch

Decibels = Annotated[float, Ge(-50), Le(100)]
"""A signal-to-noise ratio that single precision can hold."""
Power = Annotated[float, Ge(-200), Le(200)]


def noise_variance(snr_db: float) -> float:
    """N0 at Es = 1."""
    return 10 ** (-snr_db / 10)


@dataclass(frozen=True)
class FlatChannel(ChannelModel, abc.ABC):
    """A gain and noise, y = h x + n, with n circular complex Gaussian of variance N0 and E|h|^2 = 1.

    Symbols have unit average power, so `snr_db` is Es/N0 per complex symbol before fading: N0 = 10^(-snr_db/10). In its place
    (with `snr_db: null`), a budget: transmit power, path loss L(d) = sqrt(d^-alpha) in amplitude, and the power of the noise,
    so that the SNR is P d^-alpha / N (MMSemCom, section VI-B: 20 dBm, alpha = 2, 50 to 200 m; it does not say N).

    Fields:
        snr_db: Es/N0 per complex symbol before fading, dB, -50..100; null with a power
        tx_power_dbm: transmit power, dBm, in place of an SNR
        distance_m: of the receiver, m, for `tx_power_dbm`
        path_loss_exponent: alpha, for `tx_power_dbm`
        noise_power_dbm: power of the noise at the receiver, dBm, for `tx_power_dbm`
    """

    snr_db: Decibels | None = 10.0
    tx_power_dbm: Power | None = None
    distance_m: Annotated[float, Gt(0), Le(1e9)] = 100.0
    path_loss_exponent: Annotated[float, Ge(0), Le(10)] = 2.0
    noise_power_dbm: Power | None = None

    def check(self) -> None:
        name = type(self).__name__
        if (self.snr_db is None) == (self.tx_power_dbm is None):
            both = "not both: write `snr_db: null`" if self.snr_db is not None else "and has neither"
            raise ComponentError(f"{name} needs one reading of the SNR, snr_db or tx_power_dbm, {both}")
        if (self.tx_power_dbm is None) != (self.noise_power_dbm is None):
            raise ComponentError(
                f"{name}.noise_power_dbm goes with tx_power_dbm: the SNR is one over the other, less path loss"
            )

    @property
    def path_loss_db(self) -> float:
        """10 alpha log10(d)."""
        return 10 * self.path_loss_exponent * math.log10(self.distance_m)

    def nominal_snr_db(self) -> float:
        """Es/N0 before fading, by whichever reading is given."""
        if self.snr_db is not None:
            return self.snr_db
        assert self.tx_power_dbm is not None and self.noise_power_dbm is not None
        return self.tx_power_dbm - self.path_loss_db - self.noise_power_dbm

    def mean_snr_db(self) -> float:
        return self.nominal_snr_db()

    def budget(self) -> list[Term]:
        """What the SNR is made of."""
        if self.tx_power_dbm is None or self.noise_power_dbm is None:
            return [Term("SNR", self.nominal_snr_db(), "dB", "snr_db as given")]
        return [
            Term("transmit power", self.tx_power_dbm, "dBm"),
            Term("path loss", -self.path_loss_db, "dB", f"{self.distance_m:g} m, exponent {self.path_loss_exponent:g}"),
            Term("noise", self.noise_power_dbm, "dBm"),
            Term("SNR", self.nominal_snr_db(), "dB", "before fading"),
        ]


@dataclass(frozen=True)
class AWGN(FlatChannel):
    """Additive white Gaussian noise: y = x + n."""

    reference: ClassVar[str] = "J. G. Proakis, Digital Communications, 4th ed., eq. 5.1-1"
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        label = self.nominal_snr_db()
        noise_var = noise_variance(label)
        noise = rng.noise(symbols).to(symbols.values.device)
        report = [{"snr_db": label} for _ in symbols.layout.keys]
        return symbols.received(symbols.values + noise_var**0.5 * noise, noise_var, report=report)


@dataclass(frozen=True)
class FadingChannel(FlatChannel, abc.ABC):
    """A gain that fades, and a receiver that divides by it: y/h = x + n/h.

    The noise left in a symbol has variance N0/|h|^2: a fade is an outage, not a gain that power control makes up for.

    With `csi: estimated` the receiver knows the gain of a block from `pilots` known symbols in it, which cost channel uses. It
    believes as much of that estimate as it should: e = h + error of variance N0/pilots, and h lies at e / (1 + N0/pilots).

    Fields:
        coherence: how long a gain lasts: one symbol, a block of `block_symbols`, or a frame (a whole row)
        block_symbols: symbols of a block, for coherence `block` only; the last block of a row may be shorter
        csi: whether the receiver knows the gain, or estimates it
        pilots: known symbols a block, for csi `estimated`
    """

    coherence: Literal["symbol", "block", "frame"] = "block"
    block_symbols: Annotated[int, Ge(1)] = 64
    csi: Literal["perfect", "estimated"] = "perfect"
    pilots: Annotated[int, Ge(1), Le(1000)] = 1

    @abc.abstractmethod
    def drawn(self, keys: tuple[str, ...], blocks: tuple[int, ...], rng: Rng) -> torch.Tensor:
        """The gain of each block, complex64 (rows, blocks)."""

    def _hold(self, width: int) -> int:
        return {"symbol": 1, "block": self.block_symbols, "frame": max(width, 1)}[self.coherence]

    def _blocks(self, symbols: Symbols) -> tuple[int, ...]:
        hold = self._hold(symbols.values.shape[1])
        return tuple(-(-length // hold) for length in symbols.layout.lengths)

    def _held(self, per_block: torch.Tensor, symbols: Symbols) -> torch.Tensor:
        """Values of blocks -> values of symbols, ones behind the end of a row."""
        import torch

        width = symbols.values.shape[1]
        held = per_block.repeat_interleave(self._hold(width), dim=1)
        held = torch.nn.functional.pad(held, (0, max(width - held.shape[1], 0)))[:, :width]
        sent = torch.arange(width) < torch.tensor(symbols.layout.lengths).unsqueeze(1)
        return torch.where(sent, held, 1.0).to(symbols.values.device)

    def gains(self, symbols: Symbols, rng: Rng) -> torch.Tensor:
        """The gain of each symbol, complex64 (rows, n); ones behind the end of a row."""
        return self._held(self.drawn(symbols.layout.keys, self._blocks(symbols), rng.at("fading")), symbols)

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        import torch

        layout, width = symbols.layout, symbols.values.shape[1]
        values = wide(symbols.values)
        noise_var = noise_variance(self.nominal_snr_db())
        gains = wide(self.gains(symbols, rng), 1.0)
        noise = wide(rng.at("noise").noise(symbols).to(values.device))
        arrived = gains * values + noise_var**0.5 * noise
        known, unknown, overhead = gains, 0.0, None
        if self.csi == "estimated":
            blocks, error_var = self._blocks(symbols), noise_var / self.pilots
            error = self._held(rng.at("pilots").complex_normal(layout.keys, blocks), symbols)
            known = (gains + error_var**0.5 * wide(error, 1.0)) / (1 + error_var)
            unknown = error_var / (1 + error_var)
            overhead = [{"pilots": self.pilots * count} for count in blocks]
        left = (noise_var + unknown) / known.abs().square().clamp_min(1e-20)
        powers = gains.abs().square()
        report = [
            {"snr_db": float(10 * torch.log10(row[:length].mean() / noise_var))} if length else {}
            for row, length in zip(powers, layout.lengths, strict=True)
        ]
        equalised = (arrived / known)[:, :width]
        return symbols.received(equalised, left[:, :width], overhead=overhead, report=report)


@dataclass(frozen=True)
class Rayleigh(FadingChannel):
    """Flat Rayleigh fading and zero-forcing: y = h x + n with h circular complex Gaussian.

    Its magnitude is Rayleigh, its phase uniform.
    """

    reference: ClassVar[str] = "J. G. Proakis, Digital Communications, 4th ed., section 14.3; MMSemCom, section VI-B"
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)
    test_settings = ({}, {"csi": "estimated", "pilots": 4})

    def drawn(self, keys: tuple[str, ...], blocks: tuple[int, ...], rng: Rng) -> torch.Tensor:
        return rng.complex_normal(keys, blocks)


@dataclass(frozen=True)
class Rician(FadingChannel):
    """Flat Rician fading and zero-forcing: a steady part of uniform phase beside a Rayleigh part.

    h = sqrt(K / (K + 1)) exp(i phi) + sqrt(1 / (K + 1)) g, with K = 10^(k_factor_db/10) and g circular complex Gaussian; the
    phase is drawn anew for every block.

    Fields:
        k_factor_db: power of the steady part over that of the other, dB
    """

    reference: ClassVar[str] = "J. G. Proakis, Digital Communications, 4th ed., sections 2.1.4 and 14.1"
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)
    test_settings = ({}, {"csi": "estimated", "pilots": 4})
    k_factor_db: Annotated[float, Ge(-50), Le(60)] = 6.0

    def drawn(self, keys: tuple[str, ...], blocks: tuple[int, ...], rng: Rng) -> torch.Tensor:
        import torch

        k_factor = 10 ** (self.k_factor_db / 10)
        diffuse = wide(rng.complex_normal(keys, blocks))
        steady = wide(rng.at("steady").complex_normal(keys, blocks))
        phase = torch.polar(torch.ones_like(steady.real), steady.angle())
        return (k_factor / (k_factor + 1)) ** 0.5 * phase + (1 / (k_factor + 1)) ** 0.5 * diffuse
