"""Slots of an OFDM channel: ranges of slots, and their channel responses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

SLOTS_AT_ONCE = 64
"""Slots that are drawn and sent together: they fit the caches, and Python's overhead is small."""


@dataclass(frozen=True)
class SlotRange:
    """Consecutive slots of one row, at most `SLOTS_AT_ONCE`, with their own random numbers.

    Fields:
        key: address of the row's random numbers
        first: number of the first slot in its row
        count: number of slots
    """

    key: str
    first: int
    count: int


@dataclass(frozen=True, eq=False)
class Slots:
    """The channel responses of a number of slots.

    Fields:
        response: small-scale response, E|h|^2 = 1 over the ensemble, complex64 (slots, antennas,
            symbols, subcarriers)
        doppler_hz: largest Doppler shift, float32 (slots,)
        gain: large-scale power gain (path loss, shadowing, link budget), float32 (slots,); None: 1
        noise: variance of the noise in units of N0 (of a relay), float32 with the shape of the
            response; None: 1
        isi: power of the interference from paths beyond the cyclic prefix, which the model leaves
            out, as a share of the whole, float32 (slots,); None: unknown
    """

    response: torch.Tensor
    doppler_hz: torch.Tensor
    gain: torch.Tensor | None = None
    noise: torch.Tensor | None = None
    isi: torch.Tensor | None = None

    @property
    def noise_var(self) -> torch.Tensor:
        """Variance of the noise in units of N0 over the large-scale gain, float32, 4 dimensions."""
        variance = self.response.real.new_ones(1) if self.gain is None else 1 / self.gain
        variance = variance.reshape(-1, 1, 1, 1)
        return variance if self.noise is None else variance * self.noise

    def repeat_last(self, times: int) -> Slots:
        """The slots, then the last one `times` more times."""
        given = {name: values for name, values in vars(self).items() if values is not None}
        return replace(self, **{name: repeat_last(values, times) for name, values in given.items()})


def repeat_last(values: torch.Tensor, times: int) -> torch.Tensor:
    """Values (n, ...) with the last one repeated: (n + times, ...)."""
    import torch

    return torch.cat((values, values[-1:].expand(times, *values.shape[1:]))) if times else values
