"""Drops of a terminal in a cell: Sionna draws geometry, large-scale parameters and rays; we sum
them.

The sum is steps 10 and 11 of TR 38.901, 7.5, for vertical antennas, where polarisation has no
effect. It takes a tenth of the time of Sionna's general sum, and the response over a slot is so
smooth that it is computed at a few instants and interpolated. The tests compare it with Sionna's
own response of the same drop.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from semcore import Rng
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
"""Rays of the sub-clusters of the two strongest clusters, TR 38.901 Table 7.5-5."""
_SUBCLUSTER_DELAYS = (0.0, 1.28, 2.56)
"""Delays of the sub-clusters in units of the cluster delay spread, same table."""


@dataclass(frozen=True)
class Drops:
    """Drops of one outdoor terminal in a sector, uplink; each slot is an independent drop.

    All antennas are upright (V-polarised, omnidirectional, zero orientation), so the mean gain of
    the small-scale response over the ensemble is one. Sionna's topology would rotate the terminal
    at random and tilt the base station, which costs 2.7 dB of polarisation mismatch on average.

    Fields:
        cell: scenario of TR 38.901
        carrier_frequency_hz: carrier frequency, Hz
        rx_antennas: of the base station, a linear array with half-wavelength spacing
        tx_antennas: of the terminal, likewise
        precoding: weights of the one stream on the antennas of the terminal
        speed_kmh: lowest and highest speed of the terminal, km/h
        los: line of sight: `random` with the probability of TR 38.901, `always`, or `never`
        inter_site_distance_m: of neighbouring cells, m; None: that of the scenario
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
        """`slots` drops; they depend on `rng` and `slots` only."""
        import torch

        with sionna_rng(rng), torch.no_grad():
            drop = self.drop(slots)
        max_doppler_hz = self.speed_kmh[1] / 3.6 * self.carrier_frequency_hz / SPEED_OF_LIGHT_M_S
        response = drop.paths.response(self.sampling, max_doppler_hz)
        return Slots(
            precoded(response, self.precoding),
            drop.velocity.norm(dim=-1) * self.carrier_frequency_hz / SPEED_OF_LIGHT_M_S,
            drop.gain,
            isi=self.sampling.isi(drop.paths.delays, drop.paths.powers),
        )

    def drop(self, slots: int) -> Drop:
        """Geometry and paths of `slots` drops, from the present state of Sionna's generator."""
        sionna_phy()
        import torch
        from sionna.phy import config
        from sionna.phy.channel import gen_single_sector_topology

        slowest, fastest = (speed / 3.6 for speed in self.speed_kmh)
        terminals, stations, tilts, station_tilts, velocities, indoor = gen_single_sector_topology(
            slots,
            1,
            self.cell,
            isd=self.inter_site_distance_m,
            indoor_probability=0.0,
            min_ut_velocity=slowest,
            max_ut_velocity=fastest,
            device="cpu",
        )
        scenario, large_scale, small_scale = _generators(
            self.cell, self.carrier_frequency_hz, self.rx_antennas, self.tx_antennas
        )
        for block in (scenario, large_scale, small_scale):
            block.reset_topology()  # else the first drop of a process takes more random numbers
        outdoors = {"in_car": torch.zeros_like(indoor)} if self.cell == "rma" else {}
        scenario.set_topology(
            terminals,
            stations,
            torch.zeros_like(tilts),
            torch.zeros_like(station_tilts),
            velocities,
            indoor,
            los={"random": "random", "always": True, "never": False}[self.los],
            **outdoors,
        )
        large_scale.topology_updated_callback()
        small_scale.topology_updated_callback()
        lsp = large_scale()
        rays = small_scale(lsp)
        uniform = torch.rand((*rays.aoa.shape, 4), generator=config.torch_rng("cpu"))
        phases = uniform[:, 0, 0, :, :, 0] * (2 * math.pi)
        return Drop.of(scenario, lsp, rays, phases - math.pi, velocities[:, 0])


@dataclass(frozen=True, eq=False)
class Drop:
    """A batch of drops.

    Fields:
        paths: rays and paths of all drops
        velocity: of the terminal, m/s, float32 (slots, 3)
        gain: large-scale power gain, float32 (slots,)
    """

    paths: Paths
    velocity: torch.Tensor
    gain: torch.Tensor

    @classmethod
    def of(
        cls, scenario: Any, lsp: Any, rays: Any, phases: torch.Tensor, velocity: torch.Tensor
    ) -> Drop:
        """From Sionna's drop of one terminal and one base station.

        Sionna's angles of departure are those at the base station.

        Args:
            scenario: Sionna's scenario with its topology
            lsp: Sionna's large-scale parameters
            rays: Sionna's rays
            phases: initial phases, float32 (slots, clusters, rays)
            velocity: of the terminal, m/s, float32 (slots, 3)
        """
        import torch

        powers, order = rays.powers[:, 0, 0].sort(dim=-1, descending=True)  # strongest first
        count = rays.aoa.shape[-1]

        def by_power(values: torch.Tensor) -> torch.Tensor:
            return values.gather(1, order.unsqueeze(-1).expand(-1, -1, count))

        towards_station = _direction(by_power(rays.zoa[:, 0, 0]), by_power(rays.aoa[:, 0, 0]))
        from_station = _direction(by_power(rays.zod[:, 0, 0]), by_power(rays.aod[:, 0, 0]))
        wavelength = float(scenario.lambda_0)
        line_of_sight = scenario.los[:, 0, 0]
        k_factor = lsp.k_factor[:, 0, 0] * line_of_sight
        amplitude = (powers / count / (1 + k_factor).unsqueeze(1)).sqrt()
        amplitude = amplitude.unsqueeze(-1).expand(-1, -1, count)
        los_amplitude = (k_factor / (1 + k_factor)).sqrt().unsqueeze(1)
        los_phase = -2 * math.pi * scenario.distance_3d[:, 0] / wavelength
        delays = rays.delays[:, 0, 0].gather(1, order)
        cluster_spread = (scenario.get_param("cDS")[:, 0, 0] * 1e-9).reshape(-1, 1, 1)
        sub_delays = cluster_spread * torch.tensor(_SUBCLUSTER_DELAYS)
        strongest = (delays[:, :2].unsqueeze(-1) + sub_delays).flatten(1)

        names = ("zoa", "aoa", "zod", "aod")
        angles = [getattr(scenario, f"los_{name}")[:, 0, 0].deg2rad() for name in names]
        los_from, los_towards = (
            _direction(*pair).unsqueeze(1) for pair in (angles[2:], angles[:2])
        )
        paths = Paths(
            amplitude=torch.cat((amplitude.flatten(1), los_amplitude), 1),
            phase=torch.cat((by_power(phases).flatten(1), los_phase), 1),
            rx_direction=torch.cat((from_station.flatten(1, 2), los_from), 1) / wavelength,
            tx_direction=torch.cat((towards_station.flatten(1, 2), los_towards), 1) / wavelength,
            velocity=velocity,
            rx_positions=scenario.bs_array.ant_pos,
            tx_positions=scenario.ut_array.ant_pos,
            path=_paths(delays.shape[1], count),
            delays=torch.cat((strongest, delays[:, 2:], delays.amin(1, keepdim=True)), 1),
        )
        path_loss = lsp.pathloss if lsp.pathloss is not None else scenario.basic_pathloss
        return cls(paths, velocity, lsp.sf[:, 0, 0] * 10 ** (-path_loss[:, 0, 0] / 10))


def precoded(response: torch.Tensor, precoding: Precoding) -> torch.Tensor:
    """The response of one stream precoded on all transmit antennas, with unit power over them.

    `equal` weights do not depend on the channel. `eigenbeam` is the dominant eigenvector of the
    transmit covariance over the slot, for a transmitter that knows the statistics of the slot.

    Args:
        response: complex64 (slots, rx, tx, symbols, subcarriers)
        precoding: `equal` or `eigenbeam`

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

    horizontal = zenith.sin()
    return torch.stack((horizontal * azimuth.cos(), horizontal * azimuth.sin(), zenith.cos()), -1)


@functools.cache
def _paths(clusters: int, rays: int) -> torch.Tensor:
    """The path of each ray, int64 (clusters x rays + 1,).

    Three paths for each of the two strongest clusters, one for each other cluster, one for the line
    of sight.
    """
    import torch

    path = torch.arange(clusters).unsqueeze(1).repeat(1, rays) + 4
    for number, members in enumerate(_SUBCLUSTERS):
        for strong in range(2):
            path[strong, list(members)] = 3 * strong + number
    return torch.cat((path.flatten(), torch.tensor([clusters + 4])))


def upright_array(columns: int, carrier_frequency_hz: float) -> Any:
    """Sionna's linear array of V-polarised omnidirectional antennas, half a wavelength apart."""
    from sionna.phy.channel.tr38901 import PanelArray

    return PanelArray(1, columns, "single", "V", "omni", carrier_frequency_hz, device="cpu")


@functools.lru_cache(maxsize=8)
def _generators(
    cell: Cell, carrier_frequency_hz: float, rx_antennas: int, tx_antennas: int
) -> tuple[Any, Any, Any]:
    """Sionna's scenario, with its generators of large-scale parameters and of rays."""
    from sionna.phy.channel import tr38901

    arrays = [upright_array(count, carrier_frequency_hz) for count in (tx_antennas, rx_antennas)]
    if cell == "rma":
        scenario = tr38901.RMaScenario(carrier_frequency_hz, *arrays, "uplink", device="cpu")
    else:
        cls = {"uma": tr38901.UMaScenario, "umi": tr38901.UMiScenario}[cell]
        scenario = cls(carrier_frequency_hz, "low", *arrays, "uplink", device="cpu")
    return scenario, tr38901.LSPGenerator(scenario), tr38901.RaysGenerator(scenario)
