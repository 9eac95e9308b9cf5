"""Drops of a terminal in a cell: Sionna draws the geometry, the large-scale parameters and the rays, we add them up.

Adding up is steps 10 and 11 of TR 38.901, 7.5, for upright antennas, where polarisation plays no part. That is a tenth of
Sionna's work for any antennas, and the response over a slot is so smooth that it is computed at a few instants and
interpolated. The tests hold it to Sionna's own response of the same drop.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from semcore.rng import Rng
from semcore_channels.constants import SPEED_OF_LIGHT_M_S
from semcore_channels.ofdm.sampling import Sampling
from semcore_channels.ofdm.slots import Slots
from semcore_channels.sionna_rng import sionna_phy, sionna_rng
from semcore_channels.tr38901.paths import Paths

if TYPE_CHECKING:
    import torch

Cell = Literal["uma", "umi", "rma"]
Precoding = Literal["equal", "eigenbeam"]

_SUBCLUSTERS = ((0, 1, 2, 3, 4, 5, 6, 7, 18, 19), (8, 9, 10, 11, 16, 17), (12, 13, 14, 15))
"""Which rays of the two strongest clusters arrive together, TR 38.901 Table 7.5-5."""
_SUBCLUSTER_DELAYS = (0.0, 1.28, 2.56)
"""... and when, in units of the cluster delay spread."""


@dataclass(frozen=True)
class Drops:
    """Drops of one outdoor terminal in a sector, uplink; every slot is a drop of its own.

    All antennas stand upright (V-polarised, omnidirectional, zero orientation), so the mean gain of the small-scale response
    over the ensemble is one. Sionna's topology would turn the terminal at random and tilt the base station, which costs
    2.7 dB of polarisation mismatch on average.

    Fields:
        cell: scenario of TR 38.901
        carrier_frequency_hz: carrier
        rx_antennas: of the base station, a row half a wavelength apart
        tx_antennas: of the terminal, likewise
        precoding: how the one stream is put on the antennas of the terminal
        speed_kmh: slowest and fastest terminal
        los: line of sight: as likely as TR 38.901 says, always, or never
        inter_site_distance_m: of neighbouring cells; None: the one of the scenario
        sampling: where the response is sampled
    """

    cell: Cell
    carrier_frequency_hz: float
    rx_antennas: int
    tx_antennas: int
    precoding: Precoding
    speed_kmh: tuple[float, float]
    los: str
    inter_site_distance_m: float | None
    sampling: Sampling

    def draw(self, rng: Rng, slots: int) -> Slots:
        """`slots` drops, the same whenever `rng` and `slots` are."""
        import torch

        with sionna_rng(rng), torch.no_grad():
            drop = self.drop(slots)
        shift = self.speed_kmh[1] / 3.6 * self.carrier_frequency_hz / SPEED_OF_LIGHT_M_S
        response = drop.paths.response(self.sampling, shift)
        return Slots(
            precoded(response, self.precoding),
            drop.velocity.norm(dim=-1) * self.carrier_frequency_hz / SPEED_OF_LIGHT_M_S,
            drop.gain,
            isi=self.sampling.isi(drop.paths.delays, drop.paths.powers),
        )

    def drop(self, slots: int) -> Drop:
        """Geometry and paths of `slots` drops, from Sionna's generator as it stands."""
        sionna_phy()
        import torch
        from sionna.phy import config
        from sionna.phy.channel import gen_single_sector_topology

        slowest, fastest = (speed / 3.6 for speed in self.speed_kmh)
        terminals, stations, tilts, station_tilts, velocities, indoor = gen_single_sector_topology(
            slots, 1, self.cell, isd=self.inter_site_distance_m, indoor_probability=0.0,
            min_ut_velocity=slowest, max_ut_velocity=fastest, device="cpu",
        )  # fmt: skip
        scenario, large_scale, small_scale = _generators(
            self.cell, self.carrier_frequency_hz, self.rx_antennas, self.tx_antennas
        )
        for one in (scenario, large_scale, small_scale):
            one.reset_topology()  # without it the first drop of a process takes more random numbers than later ones
        outdoors = {"in_car": torch.zeros_like(indoor)} if self.cell == "rma" else {}
        scenario.set_topology(
            terminals, stations, torch.zeros_like(tilts), torch.zeros_like(station_tilts), velocities, indoor,
            los={"random": "random", "always": True, "never": False}[self.los], **outdoors,
        )  # fmt: skip
        large_scale.topology_updated_callback()
        small_scale.topology_updated_callback()
        lsp = large_scale()
        rays = small_scale(lsp)
        phases = torch.rand((*rays.aoa.shape, 4), generator=config.torch_rng("cpu"))[:, 0, 0, :, :, 0] * (2 * math.pi)
        return Drop.of(scenario, lsp, rays, phases - math.pi, velocities[:, 0])


@dataclass(frozen=True, eq=False)
class Drop:
    """A batch of drops: paths, velocity of the terminal in m/s (slots, 3), large-scale power gain (slots,)."""

    paths: Paths
    velocity: torch.Tensor
    gain: torch.Tensor

    @classmethod
    def of(cls, scenario: Any, lsp: Any, rays: Any, phases: torch.Tensor, velocity: torch.Tensor) -> Drop:
        """From Sionna's drop of one terminal and one base station. Departure, to Sionna, is at the base station."""
        import torch

        powers, order = rays.powers[:, 0, 0].sort(dim=-1, descending=True)  # the two strongest come first
        count = rays.aoa.shape[-1]

        def by_power(values: torch.Tensor) -> torch.Tensor:
            return values.gather(1, order.unsqueeze(-1).expand(-1, -1, count))

        towards_station = _direction(by_power(rays.zoa[:, 0, 0]), by_power(rays.aoa[:, 0, 0]))
        from_station = _direction(by_power(rays.zod[:, 0, 0]), by_power(rays.aod[:, 0, 0]))
        wavelength = float(scenario.lambda_0)
        line_of_sight = scenario.los[:, 0, 0]
        k_factor = lsp.k_factor[:, 0, 0] * line_of_sight
        amplitude = (powers / count / (1 + k_factor).unsqueeze(1)).sqrt().unsqueeze(-1).expand(-1, -1, count)
        delays = rays.delays[:, 0, 0].gather(1, order)
        spread = (scenario.get_param("cDS")[:, 0, 0] * 1e-9).reshape(-1, 1, 1) * torch.tensor(_SUBCLUSTER_DELAYS)

        angles = [getattr(scenario, f"los_{name}")[:, 0, 0].deg2rad() for name in ("zoa", "aoa", "zod", "aod")]
        paths = Paths(
            amplitude=torch.cat((amplitude.flatten(1), (k_factor / (1 + k_factor)).sqrt().unsqueeze(1)), 1),
            phase=torch.cat((by_power(phases).flatten(1), -2 * math.pi * scenario.distance_3d[:, 0] / wavelength), 1),
            rx_direction=torch.cat((from_station.flatten(1, 2), _direction(*angles[2:]).unsqueeze(1)), 1) / wavelength,
            tx_direction=torch.cat((towards_station.flatten(1, 2), _direction(*angles[:2]).unsqueeze(1)), 1) / wavelength,
            velocity=velocity,
            rx_positions=scenario.bs_array.ant_pos,
            tx_positions=scenario.ut_array.ant_pos,
            path=_paths(delays.shape[1], count),
            delays=torch.cat(
                ((delays[:, :2].unsqueeze(-1) + spread).flatten(1), delays[:, 2:], delays.amin(1, keepdim=True)), 1
            ),
        )
        path_loss = lsp.pathloss if lsp.pathloss is not None else scenario.basic_pathloss
        return cls(paths, velocity, lsp.sf[:, 0, 0] * 10 ** (-path_loss[:, 0, 0] / 10))


def precoded(response: torch.Tensor, precoding: Precoding) -> torch.Tensor:
    """One stream on all antennas of the transmitter, with unit power over them.

    `equal` weights do not know the channel. `eigenbeam` is the strongest direction of the transmit covariance over the slot,
    which a transmitter with perfect statistics of the slot would use.

    Args:
        response: complex64 (slots, rx, tx, symbols, subcarriers)

    Returns:
        complex64 (slots, rx, symbols, subcarriers)
    """
    import torch

    antennas = response.shape[2]
    if antennas == 1:
        return response[:, :, 0]
    if precoding == "equal":
        return response.sum(2) / antennas**0.5
    flat = response.transpose(1, 2).flatten(2)
    covariance = flat.conj() @ flat.mT
    weights = torch.linalg.eigh(covariance)[1][:, :, -1]
    return torch.einsum("brtsf,bt->brsf", response, weights)


def _direction(zenith: torch.Tensor, azimuth: torch.Tensor) -> torch.Tensor:
    """Unit vectors, TR 38.901 eq. 7.5-23: (..., 3)."""
    import torch

    level = zenith.sin()
    return torch.stack((level * azimuth.cos(), level * azimuth.sin(), zenith.cos()), -1)


@functools.cache
def _paths(clusters: int, rays: int) -> torch.Tensor:
    """The path of each ray: three of each of the two strongest clusters, one of any other, one of the line of sight."""
    import torch

    path = torch.arange(clusters).unsqueeze(1).repeat(1, rays) + 4
    for number, members in enumerate(_SUBCLUSTERS):
        for strong in range(2):
            path[strong, list(members)] = 3 * strong + number
    return torch.cat((path.flatten(), torch.tensor([clusters + 4])))


@functools.lru_cache(maxsize=8)
def _generators(cell: Cell, carrier_frequency_hz: float, rx_antennas: int, tx_antennas: int) -> tuple[Any, Any, Any]:
    """Sionna's scenario, with its generators of large-scale parameters and of rays."""
    from sionna.phy.channel.tr38901 import (
        LSPGenerator,
        PanelArray,
        RaysGenerator,
        RMaScenario,
        UMaScenario,
        UMiScenario,
    )

    def upright(columns: int) -> Any:
        return PanelArray(1, columns, "single", "V", "omni", carrier_frequency_hz, device="cpu")

    arrays = upright(tx_antennas), upright(rx_antennas)
    if cell == "rma":
        scenario = RMaScenario(carrier_frequency_hz, *arrays, "uplink", device="cpu")
    else:
        scenario = {"uma": UMaScenario, "umi": UMiScenario}[cell](carrier_frequency_hz, "low", *arrays, "uplink", device="cpu")
    return scenario, LSPGenerator(scenario), RaysGenerator(scenario)
