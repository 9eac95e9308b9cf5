"""Terminals in the cells of TR 38.901: Urban Macro, Urban Micro, Rural Macro."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from semcore import Rng
from semcore_channels.budget import Term, noise_power_dbm
from semcore_channels.ofdm.slots import SlotRange, Slots
from semcore_channels.tr38901.drops import Cell, Drops, Precoding
from semcore_channels.tr38901.pool import OBSERVED, PooledChannel, Speed

NOISE_TEMPERATURE_K = 290.0


@dataclass(frozen=True)
class CellChannel(PooledChannel):
    """Uplink of an outdoor terminal in a cell: each slot is an independent drop.

    A drop is a position, line of sight or not, large- and small-scale parameters and a speed from
    Sionna's TR 38.901 model; its response varies from one OFDM symbol to the next. All antennas are
    vertically polarised and upright.

    Exactly one of three settings states the SNR. `snr_db` is Es/N0 per resource element and receive
    antenna before fading, with E|h|^2 = 1 over the ensemble: slots fade, and some are lost.
    `block_snr_db` scales the response of each slot to unit mean energy, as scripts with
    `normalize_channel=True` do: every slot has exactly that SNR, and only selectivity in frequency,
    time and space remains. `tx_power_dbm` is the link budget: path loss and shadowing of each drop
    against thermal noise at 290 K with `noise_figure_db`.

    Fields:
        tx_power_dbm: power of the terminal over all subcarriers, dBm; in place of an SNR
        noise_figure_db: noise figure of the base station's receiver, dB, for `tx_power_dbm`
        carrier_frequency_hz: carrier frequency, Hz, 0.5e9..100e9
        rx_antennas: antennas of the base station, a linear array with half-wavelength spacing
        tx_antennas: antennas of the terminal, likewise; they share its power
        precoding: weights of the one stream on them: `equal`, or `eigenbeam`, the strongest
            direction over the slot; their gain adds to the SNR, which is that of one pair of
            antennas
        los: line of sight: `random` with the probability of TR 38.901 Table 7.4.2-1, `always` or
            `never`
        inter_site_distance_m: distance of neighbouring base stations, m; null: that of Table 7.2-1
            or 7.2-3
    """

    cites: ClassVar[tuple[str, ...]] = ("tr38901", "ts38211", "hoydis2022sionna")
    test_settings = ({"snr_db": 5.0},)
    cell: ClassVar[Cell]
    tx_power_dbm: Annotated[float, Ge(-50), Le(100)] | None = None
    noise_figure_db: Annotated[float, Ge(0), Le(50)] = 5.0
    carrier_frequency_hz: Annotated[float, Ge(0.5e9), Le(100e9)] = 3.5e9
    rx_antennas: Annotated[int, Ge(1), Le(64)] = 2
    tx_antennas: Annotated[int, Ge(1), Le(64)] = 1
    precoding: Precoding = "eigenbeam"
    los: Literal["random", "always", "never"] = "random"
    inter_site_distance_m: Annotated[float, Gt(100), Le(1e5)] | None = None

    def readings(self) -> dict[str, float | None]:
        return {**super().readings(), "tx_power_dbm": self.tx_power_dbm}

    def unit_gain_snr_db(self) -> float:
        if self.tx_power_dbm is None:
            return super().unit_gain_snr_db()
        return self.tx_power_dbm - 10 * math.log10(self.subcarriers) - self.noise_power_dbm

    @property
    def noise_power_dbm(self) -> float:
        """Thermal noise in a resource element plus the noise figure, dBm."""
        thermal = noise_power_dbm(self.subcarrier_spacing_hz, NOISE_TEMPERATURE_K)
        return thermal + self.noise_figure_db

    def budget(self) -> list[Term]:
        """The terms per resource element, in order; the last one is the median SNR over drops."""
        if self.tx_power_dbm is None:
            return super().budget()
        gain = self.ensemble.draw(Rng(path=("budget",)), OBSERVED).gain
        assert gain is not None
        low, median, high = (
            10 * math.log10(float(gain.quantile(share))) for share in (0.05, 0.5, 0.95)
        )
        spread = f"median of drops; 5 % {low:.1f}, 95 % {high:.1f}"
        noise = noise_power_dbm(self.subcarrier_spacing_hz, NOISE_TEMPERATURE_K)
        width = f"k T B, {NOISE_TEMPERATURE_K:g} K, {self.subcarrier_spacing_hz / 1e3:g} kHz"
        share_db, one_of = -10 * math.log10(self.subcarriers), f"one of {self.subcarriers}"
        snr_db = self.unit_gain_snr_db() + median
        return [
            Term("transmit power", self.tx_power_dbm, "dBm"),
            Term("share of a subcarrier", share_db, "dB", one_of),
            Term("path loss and shadowing", median, "dB", spread),
            Term("thermal noise", noise, "dBm", width),
            Term("noise figure", self.noise_figure_db, "dB"),
            Term("SNR", snr_db, "dB", "median, before small-scale fading"),
        ]

    @property
    def ensemble(self) -> Drops:
        return Drops(
            cell=self.cell,
            carrier_frequency_hz=self.carrier_frequency_hz,
            rx_antennas=self.rx_antennas,
            tx_antennas=self.tx_antennas,
            precoding=self.precoding,
            speed_kmh=self.speed_kmh,
            los=self.los,
            inter_site_distance_m=self.inter_site_distance_m,
            sampling=self.sampling,
        )

    def draw(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        slots = super().draw(parts, rng)
        return slots if self.tx_power_dbm is not None else replace(slots, gain=None)


@dataclass(frozen=True)
class UMa(CellChannel):
    """Uplink of an outdoor terminal in a 3GPP Urban Macro cell: OFDM with channel estimation."""

    reference: ClassVar[str] = (
        "3GPP TR 38.901, 7.2-7.6 (UMa); S. Ribouh and O. Saleem, section III and Table I"
    )
    cites: ClassVar[tuple[str, ...]] = (*CellChannel.cites, "ribouh2025large")
    cell: ClassVar[Cell] = "uma"
    subcarrier_spacing_hz: Annotated[float, Gt(0), Le(1e7)] = 240e3
    speed_kmh: tuple[Speed, Speed] = (60.0, 120.0)
    carrier_frequency_hz: Annotated[float, Ge(0.5e9), Le(100e9)] = 28e9


@dataclass(frozen=True)
class UMi(CellChannel):
    """Uplink of an outdoor terminal in a 3GPP Urban Micro street canyon: OFDM with estimation."""

    reference: ClassVar[str] = "3GPP TR 38.901, 7.2-7.6 (UMi - street canyon)"
    cell: ClassVar[Cell] = "umi"
    speed_kmh: tuple[Speed, Speed] = (3.0, 30.0)
    carrier_frequency_hz: Annotated[float, Ge(0.5e9), Le(100e9)] = 3.5e9


@dataclass(frozen=True)
class RMa(CellChannel):
    """Uplink of an outdoor terminal in a 3GPP Rural Macro cell: OFDM with channel estimation.

    Fields:
        carrier_frequency_hz: carrier frequency, Hz, 0.5e9..30e9
    """

    reference: ClassVar[str] = "3GPP TR 38.901, 7.2-7.6 (RMa)"
    cell: ClassVar[Cell] = "rma"
    subcarrier_spacing_hz: Annotated[float, Gt(0), Le(1e7)] = 15e3
    speed_kmh: tuple[Speed, Speed] = (60.0, 120.0)
    carrier_frequency_hz: Annotated[float, Ge(0.5e9), Le(30e9)] = 0.7e9
