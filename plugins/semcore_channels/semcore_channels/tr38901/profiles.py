"""The link-level models of TR 38.901, `tdl` and `cdl`: fixed profiles of delays and powers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le

from semcore import Rng
from semcore_channels.constants import SPEED_OF_LIGHT_M_S
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import Slots
from semcore_channels.sionna_rng import sionna_phy, sionna_rng
from semcore_channels.tr38901.drops import Precoding, precoded, upright_array
from semcore_channels.tr38901.pool import PooledChannel, Speed

Model = Literal["A", "B", "C", "D", "E"]
"""A to C are NLOS, D and E are LOS."""


@dataclass(frozen=True)
class Profile:
    """Realisations of a tapped or clustered delay line.

    Fields:
        line: `tdl`: independently fading taps; `cdl`: clusters with angles, so that antennas are
            correlated
        model: profile, A to E
        delay_spread_s: RMS delay spread, s
        carrier_frequency_hz: carrier frequency, Hz
        rx_antennas, tx_antennas: uncorrelated (tdl), or a linear array with half-wavelength spacing
            (cdl)
        precoding: weights of the one stream on the antennas of the transmitter
        speed_kmh: lowest and highest speed of the terminal, km/h
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
        """`slots` realisations; they depend on `rng` and `slots` only."""
        import torch

        doppler_hz = self.speed_kmh[1] / 3.6 * self.carrier_frequency_hz / SPEED_OF_LIGHT_M_S
        sampling = self.sampling
        instants = sampling.instants(doppler_hz)
        rate_hz = 1.0
        if instants > 1:
            rate_hz = (instants - 1) / ((sampling.ofdm_symbols - 1) * sampling.symbol_s)
        with sionna_rng(rng), torch.no_grad():
            gains, delays = _line(self)(slots, instants, rate_hz)
        gains = gains[:, 0, :, 0].movedim(3, -1)  # (slots, rx, tx, instants, paths)
        delays = delays[:, 0, 0]
        response = sampling.over_time(sampling.over_frequency(gains, delays))
        return Slots(
            precoded(response, self.precoding),
            torch.full((slots,), doppler_hz),
            isi=sampling.isi(delays, gains.abs().square().mean((1, 2, 3))),
        )


@functools.lru_cache(maxsize=16)
def _line(profile: Profile) -> Any:
    """Sionna's generator of a profile."""
    sionna_phy()
    from sionna.phy.channel.tr38901 import CDL, TDL

    slowest, fastest = (speed / 3.6 for speed in profile.speed_kmh)
    carrier = profile.carrier_frequency_hz
    if profile.line == "tdl":
        return TDL(
            profile.model,
            profile.delay_spread_s,
            carrier,
            min_speed=slowest,
            max_speed=fastest,
            num_rx_ant=profile.rx_antennas,
            num_tx_ant=profile.tx_antennas,
            device="cpu",
        )
    return CDL(
        profile.model,
        profile.delay_spread_s,
        carrier,
        upright_array(profile.tx_antennas, carrier),
        upright_array(profile.rx_antennas, carrier),
        "uplink",
        min_speed=slowest,
        max_speed=fastest,
        device="cpu",
    )


@dataclass(frozen=True)
class ProfileChannel(PooledChannel):
    """A fixed profile of delays and powers; each slot is an independent realisation.

    Exactly one of two settings states the SNR: `snr_db` (slots fade) or `block_snr_db` (every slot
    has that SNR).

    Fields:
        model: profile of TR 38.901; A to C are NLOS, D and E are LOS
        delay_spread_s: RMS delay spread, s, which scales the delays of the profile
        carrier_frequency_hz: carrier frequency, Hz, 0.5e9..100e9
        rx_antennas: antennas of the receiver
        tx_antennas: antennas of the transmitter, which share its power
        precoding: weights of the one stream on them: `equal`, or `eigenbeam`, the strongest
            direction over the slot; their gain adds to the SNR, which is that of one pair of
            antennas
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
            line=self.line,
            model=self.model,
            delay_spread_s=self.delay_spread_s,
            carrier_frequency_hz=self.carrier_frequency_hz,
            rx_antennas=self.rx_antennas,
            tx_antennas=self.tx_antennas,
            precoding=self.precoding,
            speed_kmh=self.speed_kmh,
            sampling=self.sampling,
        )


@dataclass(frozen=True)
class TDL(ProfileChannel):
    """Tapped delay line of TR 38.901 over OFDM: uncorrelated antennas, Jakes' spectrum."""

    reference: ClassVar[str] = "3GPP TR 38.901, 7.7.2 (TDL-A to TDL-E)"
    line: ClassVar[Literal["tdl", "cdl"]] = "tdl"


@dataclass(frozen=True)
class CDL(ProfileChannel):
    """Clustered delay line of TR 38.901 over OFDM: clusters with angles, half-wavelength arrays."""

    reference: ClassVar[str] = "3GPP TR 38.901, 7.7.1 (CDL-A to CDL-E)"
    line: ClassVar[Literal["tdl", "cdl"]] = "cdl"
