"""Realisations of Sionna's TR 38.901 channels, drawn by address and kept, so that the points of a sweep share them."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semcore.rng import Rng
from semcore_channels.sionna_rng import sionna_phy, sionna_rng

if TYPE_CHECKING:
    import torch

SPEED_OF_LIGHT = 299_792_458.0
SLOTS_AT_ONCE = 16
"""Slots of a row that are drawn together; one call costs as much as a dozen slots, and a slot of two antennas 29 kB."""
KEPT_BYTES = 256 * 2**20
"""Memory for realisations that a later call may ask for again."""


@dataclass(frozen=True, eq=False)
class Slots:
    """The channels of some slots.

    Fields:
        response: complex64 (slots, antennas, symbols, subcarriers)
        speed_mps: float32 (slots,)
    """

    response: torch.Tensor
    speed_mps: torch.Tensor


@dataclass(frozen=True)
class UMaDrops:
    """Drops of one outdoor terminal in an Urban Macro sector, uplink; every slot is a drop of its own.

    Path loss and shadowing are off and all antennas stand upright (V-polarised, omnidirectional, zero orientation), so
    the mean gain over the ensemble is one. Sionna's topology would turn the terminal at random and tilt the base
    station, which costs 2.7 dB of polarisation mismatch on average.

    Fields:
        carrier_frequency_hz: carrier
        antennas: of the base station, a row half a wavelength apart
        speed_kmh: slowest and fastest terminal
        los: line of sight: as likely as TR 38.901 says, always, or never
        subcarriers: subcarriers
        subcarrier_spacing_hz: spacing
        ofdm_symbols: OFDM symbols of a slot
        symbol_duration_s: time between two of them
    """

    carrier_frequency_hz: float
    antennas: int
    speed_kmh: tuple[float, float]
    los: str
    subcarriers: int
    subcarrier_spacing_hz: float
    ofdm_symbols: int
    symbol_duration_s: float

    def draw(self, rng: Rng, slots: int) -> Slots:
        """`slots` drops, the same whenever `rng` and `slots` are."""
        sionna_phy()
        import torch
        from sionna.phy.channel import cir_to_ofdm_channel, gen_single_sector_topology, subcarrier_frequencies

        slowest, fastest = (speed / 3.6 for speed in self.speed_kmh)
        with sionna_rng(rng), torch.no_grad():
            terminals, stations, tilts, station_tilts, velocities, indoor = gen_single_sector_topology(
                slots, 1, "uma", indoor_probability=0.0, min_ut_velocity=slowest, max_ut_velocity=fastest, device="cpu"
            )
            model = _model(self.carrier_frequency_hz, self.antennas)
            model.reset_topology()  # without it the first drop of a process takes more random numbers than later ones
            model.set_topology(
                terminals, stations, torch.zeros_like(tilts), torch.zeros_like(station_tilts), velocities, indoor,
                los={"random": "random", "always": True, "never": False}[self.los],
            )  # fmt: skip
            paths = model(self.ofdm_symbols, 1 / self.symbol_duration_s)
            frequencies = subcarrier_frequencies(self.subcarriers, self.subcarrier_spacing_hz, device="cpu")
            response = cir_to_ofdm_channel(frequencies, *paths)
        return Slots(response[:, 0, :, 0, 0].contiguous(), velocities[:, 0].norm(dim=-1))


@functools.lru_cache(maxsize=4)
def _model(carrier_frequency_hz: float, antennas: int) -> Any:
    from sionna.phy.channel.tr38901 import PanelArray, UMa

    def upright(columns: int) -> Any:
        return PanelArray(1, columns, "single", "V", "omni", carrier_frequency_hz, device="cpu")

    return UMa(
        carrier_frequency_hz, "low", upright(1), upright(antennas), "uplink",
        enable_pathloss=False, enable_shadow_fading=False, device="cpu",
    )  # fmt: skip


_kept: OrderedDict[tuple[UMaDrops, Rng, int], Slots] = OrderedDict()
_lock = threading.Lock()


def drawn(drops: UMaDrops, rng: Rng, slots: int) -> Slots:
    """`drops.draw(rng, slots)`, from memory if it was drawn lately."""
    key = (drops, rng, slots)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    found = drops.draw(rng, slots)
    with _lock:
        _kept[key] = found
        while sum(one.response.nbytes for one in _kept.values()) > KEPT_BYTES:
            _kept.popitem(last=False)
    return found
