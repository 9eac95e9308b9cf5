"""A slot of OFDM symbols: which resource elements carry data and pilots, channel estimation, equalisation.

One transmitted stream, any number of receive antennas, in the frequency domain: the response of a resource element is
one complex number an antenna. What the cyclic prefix does not cover (inter-symbol interference of late paths) and what
changes within an OFDM symbol (inter-carrier interference of Doppler) is therefore left out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semcore.rng import Rng
from semcore_channels.modulation import modulate

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Grid:
    """A slot with Kronecker pilots: some OFDM symbols are pilots on every subcarrier, all others are data.

    Fields:
        subcarriers: subcarriers of an OFDM symbol
        ofdm_symbols: OFDM symbols of a slot
        pilot_symbols: which of them hold pilots, ascending
    """

    subcarriers: int
    ofdm_symbols: int
    pilot_symbols: tuple[int, ...]

    @functools.cached_property
    def data_symbols(self) -> tuple[int, ...]:
        """The OFDM symbols that hold data."""
        return tuple(at for at in range(self.ofdm_symbols) if at not in self.pilot_symbols)

    @property
    def data_uses(self) -> int:
        """Data resource elements of a slot."""
        return self.subcarriers * len(self.data_symbols)

    @property
    def pilot_uses(self) -> int:
        """Pilot resource elements of a slot."""
        return self.subcarriers * len(self.pilot_symbols)

    @functools.cached_property
    def pilots(self) -> torch.Tensor:
        """The pilots, 4-QAM that both ends know, complex64 (pilot symbols, subcarriers)."""
        return _known_symbols("pilots", self.pilot_uses).reshape(-1, self.subcarriers)

    @functools.cached_property
    def padding(self) -> torch.Tensor:
        """What fills the data elements that nothing is sent on, 4-QAM, complex64 (data_uses,)."""
        return _known_symbols("padding", self.data_uses)

    @functools.cached_property
    def interpolation(self) -> torch.Tensor:
        """Weights that make the channel of each OFDM symbol from those of the pilots, float32 (symbols, pilots).

        Linear between two pilots, continued along the same line outside them; a single pilot holds for the whole slot.
        """
        import torch

        weights = torch.zeros(self.ofdm_symbols, len(self.pilot_symbols))
        if len(self.pilot_symbols) == 1:
            return weights + 1
        for at in range(self.ofdm_symbols):
            right = sum(pilot < at for pilot in self.pilot_symbols[1:-1]) + 1
            start, stop = self.pilot_symbols[right - 1], self.pilot_symbols[right]
            weights[at, right] = (at - start) / (stop - start)
            weights[at, right - 1] = (stop - at) / (stop - start)
        return weights

    def fill(self, data: torch.Tensor) -> torch.Tensor:
        """Data complex64 (slots, data_uses) and the pilots on their elements (slots, symbols, subcarriers)."""
        grid = data.new_empty(len(data), self.ofdm_symbols, self.subcarriers)
        grid[:, self.pilot_symbols] = self.pilots.to(data.device)
        grid[:, self.data_symbols] = data.reshape(len(data), -1, self.subcarriers)
        return grid

    def estimate(self, arrived: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Least-squares estimate at the pilots, interpolated over time.

        Args:
            arrived: complex64 (slots, antennas, symbols, subcarriers)

        Returns:
            the response, of the same shape, and the variance of its error in units of the noise variance (symbols,);
            what the interpolation misses of a response that does not change linearly is not in it
        """
        import torch

        weights = self.interpolation.to(arrived.device)
        at_pilots = arrived[:, :, self.pilot_symbols] * self.pilots.conj().to(arrived.device)
        return torch.einsum("sp,bapf->basf", weights.to(arrived.dtype), at_pilots), weights.square().sum(1)

    def transmit(
        self, data: torch.Tensor, response: torch.Tensor, noise: torch.Tensor, noise_var: float, *, estimated: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Slots over their channel, equalised for the least mean square error without bias.

        With one stream that is the combination h^H y / |h|^2 of the antennas, with noise of variance N0 / |h|^2 left. Of
        an estimate with error variance e the receiver believes as much as it should: a response of unit mean power lies
        at trust times the estimate, with variance trust times e around it, trust = 1 / (1 + e). (Taking the estimate for
        the truth would shrink the symbols by up to that factor and understate the noise.)

        Args:
            data: complex64 (slots, data_uses)
            response: complex64 (slots, antennas, symbols, subcarriers)
            noise: of unit variance, same shape
            noise_var: N0
            estimated: whether the receiver estimates the channel from the pilots, or knows it

        Returns:
            equalised data complex64 (slots, data_uses) and the noise variance left in them, float32 of the same shape
        """
        import torch

        arrived = response * self.fill(data).unsqueeze(1) + noise_var**0.5 * noise
        known, unknown = response, torch.zeros(self.ofdm_symbols, 1, device=data.device)
        if estimated:
            estimate, error = self.estimate(arrived)
            error_var = noise_var * error.unsqueeze(1)
            trust = 1 / (1 + error_var)
            known, unknown = trust * estimate, trust * error_var
        gain = known.abs().square().sum(1).clamp_min(1e-20)
        equalised = (known.conj() * arrived).sum(1) / gain
        left = (noise_var + unknown) / gain
        return equalised[:, self.data_symbols].flatten(1), left[:, self.data_symbols].flatten(1)


def _known_symbols(name: str, count: int) -> torch.Tensor:
    """A fixed 4-QAM sequence."""
    import torch

    bits = torch.randint(0, 2, (2 * count,), generator=Rng(path=(name,)).torch())
    return modulate(bits, 2)
