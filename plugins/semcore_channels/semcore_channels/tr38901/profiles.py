"""The link-level models of TR 38.901: fixed profiles of delays and powers, without a cell around them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le

from semcore.rng import Rng
from semcore_channels.constants import SPEED_OF_LIGHT_M_S
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import Slots
from semcore_channels.sionna_rng import sionna_phy, sionna_rng
from semcore_channels.tr38901.drops import Precoding, precoded
from semcore_channels.tr38901.pool import PooledChannel, Speed

Model = Literal["A", "B", "C", "D", "E"]
"""A to C have no line of sight; D and E have."""


@dataclass(frozen=True)
class Profile:
    """Realisations of a tapped or clustered delay line.

    Fields:
        line: `tdl`: taps that fade each for itself; `cdl`: clusters with angles, so that antennas are correlated
        model: A to E
        delay_spread_s: RMS delay spread
        carrier_frequency_hz: carrier
        rx_antennas, tx_antennas: uncorrelated (tdl), or upright in a row half a wavelength apart (cdl)
        precoding: how the one stream is put on the antennas of the transmitter
        speed_kmh: slowest and fastest terminal
        sampling: where the response is sampled
    """

    line: Literal["tdl", "cdl"]
    model: Model
    delay_spread_s: float
    carrier_frequency_hz: float
    rx_antennas: int
    tx_antennas: int
    precoding: Precoding
    speed_kmh: tuple[float, float]
    sampling: Sampling

    def draw(self, rng: Rng, slots: int) -> Slots:
        """`slots` realisations, the same whenever `rng` and `slots` are."""
        import torch

        shift = self.speed_kmh[1] / 3.6 * self.carrier_frequency_hz / SPEED_OF_LIGHT_M_S
        sampling = self.sampling
        instants = sampling.instants(shift)
        rate = (instants - 1) / ((sampling.ofdm_symbols - 1) * sampling.symbol_s) if instants > 1 else 1.0
        with sionna_rng(rng), torch.no_grad():
            gains, delays = _line(self)(slots, instants, rate)
        gains, delays = gains[:, 0, :, 0].movedim(3, -1), delays[:, 0, 0]  # (slots, rx, tx, instants, paths)
        sampled = sampling.over_time(sampling.over_frequency(gains, delays))
        return Slots(
            precoded(sampled, self.precoding),
            torch.full((slots,), shift),
            isi=sampling.isi(delays, gains.abs().square().mean((1, 2, 3))),
        )


@functools.lru_cache(maxsize=16)
def _line(profile: Profile) -> Any:
    """Sionna's generator of a profile."""
    sionna_phy()
    from sionna.phy.channel.tr38901 import CDL, TDL, PanelArray

    slowest, fastest = (speed / 3.6 for speed in profile.speed_kmh)
    carrier, spread = profile.carrier_frequency_hz, profile.delay_spread_s
    if profile.line == "tdl":
        return TDL(
            profile.model, spread, carrier, min_speed=slowest, max_speed=fastest,
            num_rx_ant=profile.rx_antennas, num_tx_ant=profile.tx_antennas, device="cpu",
        )  # fmt: skip

    def upright(columns: int) -> Any:
        return PanelArray(1, columns, "single", "V", "omni", carrier, device="cpu")

    return CDL(
        profile.model, spread, carrier, upright(profile.tx_antennas), upright(profile.rx_antennas), "uplink",
        min_speed=slowest, max_speed=fastest, device="cpu",
    )  # fmt: skip


@dataclass(frozen=True)
class ProfileChannel(PooledChannel):
    """A fixed profile of delays and powers; every slot is a realisation of its own.

    One of two readings of SNR must be given: `snr_db` (slots fade) or `block_snr_db` (every slot has that SNR).

    Fields:
        model: profile of TR 38.901; A to C have no line of sight, D and E have
        delay_spread_s: RMS delay spread, s, which scales the delays of the profile
        carrier_frequency_hz: carrier, Hz, 0.5e9..100e9
        rx_antennas: antennas of the receiver
        tx_antennas: antennas of the transmitter, which share its power
        precoding: weights of the one stream on them: `equal`, or `eigenbeam`, the strongest direction over the slot; their
            gain comes on top of the SNR, which is that of a pair of antennas
    """

    cites: ClassVar[tuple[str, ...]] = ("tr38901", "hoydis2022sionna")
    test_settings = ({"snr_db": 15.0},)
    line: ClassVar[Literal["tdl", "cdl"]]
    model: Model = "A"
    delay_spread_s: Annotated[float, Ge(0), Le(1e-4)] = 100e-9
    carrier_frequency_hz: Annotated[float, Ge(0.5e9), Le(100e9)] = 3.5e9
    rx_antennas: Annotated[int, Ge(1), Le(64)] = 1
    tx_antennas: Annotated[int, Ge(1), Le(64)] = 1
    precoding: Precoding = "eigenbeam"
    speed_kmh: tuple[Speed, Speed] = (3.0, 3.0)

    @property
    def ensemble(self) -> Profile:
        return Profile(
            self.line, self.model, self.delay_spread_s, self.carrier_frequency_hz, self.rx_antennas, self.tx_antennas,
            self.precoding, self.speed_kmh, self.sampling,
        )  # fmt: skip


@dataclass(frozen=True)
class TDL(ProfileChannel):
    """Tapped delay line of 3GPP TR 38.901 over OFDM: uncorrelated antennas, taps with the Doppler spectrum of Jakes."""

    reference: ClassVar[str] = "3GPP TR 38.901, 7.7.2 (TDL-A to TDL-E)"
    line: ClassVar[Literal["tdl", "cdl"]] = "tdl"


@dataclass(frozen=True)
class CDL(ProfileChannel):
    """Clustered delay line of 3GPP TR 38.901 over OFDM: clusters with angles, upright antennas half a wavelength apart."""

    reference: ClassVar[str] = "3GPP TR 38.901, 7.7.1 (CDL-A to CDL-E)"
    line: ClassVar[Literal["tdl", "cdl"]] = "cdl"
