"""The channels `ntn-tdl` and `satellite`."""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from semcore import ComponentError, Rng
from semcore_channels.budget import Term, noise_power_dbm
from semcore_channels.constants import SPEED_OF_LIGHT_M_S
from semcore_channels.ntn.geometry import doppler_hz, free_space_loss_db, slant_range_km
from semcore_channels.ntn.rain import MOST_FREQUENCY_HZ, outside, rain_loss_db
from semcore_channels.ntn.taps import Model, TappedDelayLine
from semcore_channels.ofdm.channel import OFDMChannel
from semcore_channels.ofdm.equalisation import Equaliser
from semcore_channels.ofdm.estimation import Correlation
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import SlotRange, Slots

if TYPE_CHECKING:
    import torch

MOST_OFFSET = 0.05
"""Largest frequency offset in subcarrier spacings; interference between subcarriers is -21 dB
there.
"""
Degrees = Annotated[float, Gt(0), Le(90)]


@dataclass(frozen=True)
class NTNChannel(OFDMChannel):
    """OFDM over the tapped delay lines of TR 38.811; defaults of the satellite paper, section IV.

    120 subcarriers in 20 MHz, 14 symbols, comb pilots on every fourth subcarrier of every symbol
    (30 pilots and 90 data elements), least-squares estimation and element-wise division (its eq.
    8).

    The satellite's motion shifts the carrier by many kilohertz. With `precompensation` the
    transmitter removes that shift but for `residual_doppler_hz`, a frequency offset common to all
    subcarriers that rotates the phase from symbol to symbol. Without it, the whole Doppler shift of
    an approaching satellite is the offset. An offset that is not small compared with the subcarrier
    spacing is refused, because interference between subcarriers is not modelled.

    Fields:
        model: NTN-TDL profile; A and B are NLOS, C and D are LOS
        delay_spread_s: RMS delay spread, s, which scales the delays of the profile
        carrier_frequency_hz: carrier frequency, Hz, 0.5e9..100e9
        speed_kmh: speed of the terminal, km/h
        coherence: `block`: independent realisations per slot; `frame`: one realisation continues
            over a whole row
        altitude_km: altitude of the satellite, km
        elevation_deg: elevation at which the transmitter sees the satellite, degrees
        range_rate_km_s: rate of change of the slant range, km/s, as two-line elements give it;
            null: the satellite approaches over an earth that does not rotate, and is stationary at
            the geostationary altitude
        precompensation: whether the transmitter compensates the satellite's Doppler shift
        residual_doppler_hz: Doppler shift that remains after precompensation, Hz
    """

    cites: ClassVar[tuple[str, ...]] = ("tr38811", "liu2026semantic")
    subcarriers: Annotated[int, Ge(1), Le(4096)] = 120
    subcarrier_spacing_hz: Annotated[float, Gt(0), Le(1e7)] = 166_667.0
    cyclic_prefix: Annotated[int, Ge(0), Le(4096)] = 8
    pilot_symbols: tuple[Annotated[int, Ge(0)], ...] | None = None
    pilot_spacing: Annotated[int, Ge(1), Le(4096)] = 4
    equaliser: Equaliser = "zf"
    model: Model = "A"
    delay_spread_s: Annotated[float, Ge(0), Le(1e-4)] = 100e-9
    carrier_frequency_hz: Annotated[float, Ge(0.5e9), Le(100e9)] = 2e9
    speed_kmh: Annotated[float, Ge(0), Le(1000)] = 3.0
    coherence: Literal["block", "frame"] = "block"
    altitude_km: Annotated[float, Ge(160), Le(60_000)] = 600.0
    elevation_deg: Degrees = 50.0
    range_rate_km_s: Annotated[float, Ge(-20), Le(20)] | None = None
    precompensation: bool = True
    residual_doppler_hz: Annotated[float, Ge(-1e6), Le(1e6)] = 0.0

    def check(self) -> None:
        super().check()
        offset_hz = self.offset_hz(self.elevation_deg)
        share = abs(offset_hz) / self.subcarrier_spacing_hz
        if share > MOST_OFFSET:
            name = "residual_doppler_hz" if self.precompensation else "precompensation"
            raise ComponentError(
                f"{type(self).__name__}.{name} leaves a frequency offset of {offset_hz:.0f} Hz, "
                f"{share:.0%} of subcarrier_spacing_hz; the model holds up to {MOST_OFFSET:.0%}"
            )

    def offset_hz(self, elevation_deg: float) -> float:
        """The frequency offset at an elevation, Hz."""
        return self.residual_doppler_hz if self.precompensation else self.shift_hz(elevation_deg)

    def shift_hz(self, elevation_deg: float) -> float:
        """The Doppler shift at an elevation before compensation, Hz."""
        if self.range_rate_km_s is None:
            return doppler_hz(self.altitude_km, elevation_deg, self.carrier_frequency_hz)
        return -self.range_rate_km_s * 1e3 / SPEED_OF_LIGHT_M_S * self.carrier_frequency_hz

    def line(self, elevation_deg: float) -> TappedDelayLine:
        """The tapped delay line of a hop at an elevation."""
        sampling = Sampling(
            self.ofdm_symbols,
            self.symbol_s,
            self.subcarriers,
            self.subcarrier_spacing_hz,
            self.prefix_s,
        )
        shift = self.speed_kmh / 3.6 * self.carrier_frequency_hz / SPEED_OF_LIGHT_M_S
        return TappedDelayLine(
            self.model, self.delay_spread_s, shift, self.offset_hz(elevation_deg), sampling
        )

    def _slots(
        self,
        response: torch.Tensor,
        lines: Sequence[TappedDelayLine],
        noise: torch.Tensor | None = None,
    ) -> Slots:
        """Slots over the hops `lines`; response complex64 (slots, 1, symbols, subcarriers)."""
        slots = len(response)
        shift = sum(line.doppler_hz + abs(line.offset_hz) for line in lines)
        isi = sum(
            line.sampling.isi(line.delays_s.unsqueeze(0), line.powers.unsqueeze(0))
            for line in lines
        )
        return Slots(
            response,
            response.new_full((slots,), shift).real,
            noise=noise,
            isi=response.new_ones(slots).real * isi,
        )


@dataclass(frozen=True)
class NTNTDL(NTNChannel):
    """Tapped delay line of a satellite hop, 3GPP TR 38.811 NTN-TDL-A to D: OFDM with comb pilots.

    Exactly one of two settings states the SNR: `snr_db` (slots fade) or `block_snr_db` (every slot
    has that SNR). For the losses of both hops of a satellite link, see `satellite`.
    """

    reference: ClassVar[str] = (
        "3GPP TR 38.811, 6.9.2 (NTN-TDL-A to D) and 6.7 (Doppler); the satellite paper, section IV"
    )
    test_settings = ({"snr_db": 15.0}, {"snr_db": 15.0, "model": "C", "coherence": "frame"})

    def draw(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        line = self.line(self.elevation_deg)
        response = line.response(parts, rng, per_frame=self.coherence == "frame")
        return self._slots(response, [line])

    def correlation(self) -> Correlation:
        return self.line(self.elevation_deg).correlation()


@dataclass(frozen=True)
class Satellite(NTNChannel):
    """Bent pipe of the satellite audiovisual paper: uplink and downlink, both NTN-TDL, with link
    budget.

    y = h_up h_down x + n (the paper's eq. 3): the satellite amplifies and forwards what it
    receives.

    Exactly one of three settings states the SNR. `tx_power_dbm` is the link budget of eq. 7,
    SNR = P + G_tx + G_sat + G_rx - L_fs - L_rain - N, with free-space loss (eq. 5) and rain (eq. 6)
    on both hops and N = k T B over all subcarriers; `snr_db` and `block_snr_db` state it directly.

    Table I of the paper is not consistent with its curves: with 25 dBm the gains of the table leave
    -5 to -29 dB at the zenith from 300 to 1,200 km, while the curves cover positive SNRs, as 25 dBW
    would give. `tx_power_dbm: 25` is the table as printed, 55 the other reading; `semcore
    link-budget` says which one is in use.

    Both hops have the rain of one place. `rain_rate_mm_h` is the present rain rate, 0 for none.
    `rain_exceedance_percent` instead takes the attenuation that is exceeded at the place for that
    share of a year.

    Fields:
        tx_power_dbm: transmit power over all subcarriers, dBm
        tx_gain_dbi: antenna gain of the ground transmitter, dBi
        satellite_gain_db: equivalent gain of the relay with both antennas, dB
        rx_gain_dbi: antenna gain of the ground receiver, dBi
        noise_temperature_k: noise temperature of the receiver, K
        downlink_elevation_deg: elevation at which the receiver sees the satellite, degrees; null:
            that of the transmitter
        relay_snr_db: Es/N0 at the satellite's input, whose noise is forwarded with the signal, dB;
            null: without that noise
        rain_rate_mm_h: rain rate on both hops, mm/h; 0: no rain
        rain_exceedance_percent: share of a year in which the attenuation is exceeded, percent, in
            place of a rate; null: by the rate
        latitude_deg: latitude of the place of the rain, degrees
        longitude_deg: longitude of the place of the rain, degrees
        polarization_tilt_deg: tilt of the polarisation against the horizon, degrees; 45 for
            circular
    """

    reference: ClassVar[str] = (
        "the satellite audiovisual paper, section II-B, eq. 3-8 and Table I; ITU-R P.618-13; "
        "TR 38.811"
    )
    cites: ClassVar[tuple[str, ...]] = (*NTNChannel.cites, "itup618")
    test_settings = (
        {"snr_db": 15.0},
        {"tx_power_dbm": 55.0},
        {"tx_power_dbm": 55.0, "relay_snr_db": 12.0, "csi": "perfect"},
    )
    tx_power_dbm: Annotated[float, Ge(-50), Le(150)] | None = None
    tx_gain_dbi: Annotated[float, Ge(-50), Le(100)] = 40.0
    satellite_gain_db: Annotated[float, Ge(-50), Le(300)] = 85.0
    rx_gain_dbi: Annotated[float, Ge(-50), Le(100)] = 40.0
    noise_temperature_k: Annotated[float, Gt(0), Le(1e5)] = 290.0
    downlink_elevation_deg: Degrees | None = None
    relay_snr_db: Annotated[float, Ge(-50), Le(100)] | None = None
    rain_rate_mm_h: Annotated[float, Ge(0), Le(300)] = 0.0
    rain_exceedance_percent: Annotated[float, Ge(0.001), Le(5)] | None = None
    latitude_deg: Annotated[float, Ge(-90), Le(90)] = 39.9
    longitude_deg: Annotated[float, Ge(-180), Le(180)] = 116.4
    polarization_tilt_deg: Annotated[float, Ge(0), Le(90)] = 45.0

    def check(self) -> None:
        super().check()
        if self.rain_rate_mm_h and self.rain_exceedance_percent is not None:
            raise ComponentError(
                "Satellite takes either rain_rate_mm_h or rain_exceedance_percent, not both"
            )
        rainy = "rain_rate_mm_h" if self.rain_rate_mm_h else "rain_exceedance_percent"
        if self.carrier_frequency_hz < 1e9 or not getattr(self, rainy):
            return
        if reason := outside(self.carrier_frequency_hz, min(self.elevations_deg)):
            too_high = self.carrier_frequency_hz > MOST_FREQUENCY_HZ
            name = "carrier_frequency_hz" if too_high else "elevation_deg"
            raise ComponentError(
                f"Satellite.{rainy} with {name}: {reason}; leave the rain out, or change {name}"
            )

    def readings(self) -> dict[str, float | None]:
        return {**super().readings(), "tx_power_dbm": self.tx_power_dbm}

    def unit_gain_snr_db(self) -> float:
        if self.tx_power_dbm is None:
            return super().unit_gain_snr_db()
        return self.budget()[-1].value

    def link_state(self) -> dict[str, float]:
        state = dict(super().link_state())
        if self.tx_power_dbm is not None:
            state["tx_power_dbm"] = self.tx_power_dbm
        up, _ = self.elevations_deg
        shift = self.shift_hz(up)
        rain = sum(self.rain_db(elevation) for elevation in self.elevations_deg)
        return {**state, "elevation_deg": up, "doppler_hz": shift, "rain_db": rain}

    @property
    def elevations_deg(self) -> tuple[float, float]:
        """Elevations of the uplink and of the downlink."""
        down = self.downlink_elevation_deg
        return self.elevation_deg, self.elevation_deg if down is None else down

    @property
    def bandwidth_hz(self) -> float:
        """Bandwidth of all subcarriers."""
        return self.subcarriers * self.subcarrier_spacing_hz

    def libraries(self) -> Mapping[str, str]:
        rainy = self.rain_rate_mm_h or self.rain_exceedance_percent is not None
        return {"itur": "semcore-channels[rain]"} if rainy else {}

    def rain_db(self, elevation_deg: float) -> float:
        """Rain attenuation of a hop, dB."""
        if self.rain_exceedance_percent is None:
            rain = {"rate_mm_h": self.rain_rate_mm_h}
        else:
            rain = {"exceedance_percent": self.rain_exceedance_percent}
        return rain_loss_db(
            self.carrier_frequency_hz,
            elevation_deg,
            self.latitude_deg,
            self.longitude_deg,
            tilt_deg=self.polarization_tilt_deg,
            **rain,
        )

    def apart_from_snr(self) -> Hashable | None:
        if self.relay_snr_db is not None:  # the share of the relay's noise depends on the SNR
            return None
        return super().apart_from_snr()

    def budget(self) -> list[Term]:
        """The terms of eq. 7, in order; the last one is the SNR."""
        power = self.tx_power_dbm
        if power is None:
            return super().budget()
        losses, rains, free_space, rain = [], [], [], []
        for name, elevation in zip(("uplink", "downlink"), self.elevations_deg, strict=True):
            range_km = slant_range_km(self.altitude_km, elevation)
            losses.append(free_space_loss_db(range_km, self.carrier_frequency_hz))
            rains.append(self.rain_db(elevation))
            way = f"{range_km:.1f} km at {elevation:g} degrees, eq. 5"
            free_space.append(Term(f"free space, {name}", -losses[-1], "dB", way))
            rain.append(Term(f"rain, {name}", 0.0 - rains[-1], "dB", self._rain()))
        gains = self.tx_gain_dbi + self.satellite_gain_db + self.rx_gain_dbi
        noise = noise_power_dbm(self.bandwidth_hz, self.noise_temperature_k)
        noise_note = f"k T B, {self.noise_temperature_k:g} K, {self.bandwidth_hz / 1e6:g} MHz"
        return [
            Term("transmit power", power, "dBm", reading_of(power)),
            Term("transmit antenna", self.tx_gain_dbi, "dBi"),
            *free_space,
            *rain,
            Term("satellite, equivalent", self.satellite_gain_db, "dB"),
            Term("receive antenna", self.rx_gain_dbi, "dBi"),
            Term("received power", power + gains - sum(losses) - sum(rains), "dBm"),
            Term("noise", noise, "dBm", noise_note),
            Term("SNR", power + gains - sum(losses) - sum(rains) - noise, "dB", "eq. 7"),
        ]

    def _rain(self) -> str:
        """The note of the rain terms."""
        if self.rain_exceedance_percent is not None:
            share = f"exceeded {self.rain_exceedance_percent:g} % of a year"
            return f"{share} at {self.latitude_deg:g}, {self.longitude_deg:g}"
        return f"{self.rain_rate_mm_h:g} mm/h, ITU-R P.618" if self.rain_rate_mm_h else "clear"

    @functools.cached_property
    def lines(self) -> tuple[TappedDelayLine, TappedDelayLine]:
        """The tapped delay lines of uplink and downlink."""
        up, down = (self.line(elevation) for elevation in self.elevations_deg)
        return up, down

    def draw(self, parts: Sequence[SlotRange], rng: Rng) -> Slots:
        per_frame, (up, down) = self.coherence == "frame", self.lines
        first = up.response(parts, rng.at("uplink"), per_frame=per_frame)
        second = down.response(parts, rng.at("downlink"), per_frame=per_frame)
        noise = None
        if self.relay_snr_db is not None:
            over = 10 ** ((self.unit_gain_snr_db() - self.relay_snr_db) / 10)
            noise = 1 + over * second.abs().square()
        return self._slots(first * second, [up, down], noise)

    def correlation(self) -> Correlation:
        up, down = (line.correlation() for line in self.lines)
        return Correlation(up.time * down.time, up.frequency * down.frequency)


def reading_of(tx_power_dbm: float) -> str:
    """Which reading of the paper's Table I a transmit power is; "" if none."""
    if math.isclose(tx_power_dbm, 25):
        return "Table I as printed: 25 dBm"
    return "Table I read as 25 dBW" if math.isclose(tx_power_dbm, 55) else ""
