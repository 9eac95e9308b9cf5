"""Equalisation of one stream that arrives on any number of antennas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from semcore_channels.ofdm.estimation import Estimate

if TYPE_CHECKING:
    import torch

Equaliser = Literal["lmmse", "zf"]


def equalise(
    arrived: torch.Tensor, estimate: Estimate, noise_var: torch.Tensor, method: Equaliser
) -> tuple[torch.Tensor, torch.Tensor]:
    """Combine the antennas and divide by the response.

    With one stream both receivers combine by h^H y / |h|^2. `zf` takes the estimate for the truth: the estimate of a single
    antenna divides what arrived, element by element. `lmmse` believes as much of it as it should: the response lies at trust
    times the estimate, with variance `unknown` around it; without that the symbols would come out smaller than they were.
    Both know how much noise they leave:

        zf     (N0 + unknown) / sum |e|^2 + |1 - trust|^2
        lmmse  (N0 + unknown) / sum |trust e|^2

    Args:
        arrived: complex64 (slots, antennas, symbols, subcarriers)
        estimate: of the response; a known one has trust 1 and nothing unknown
        noise_var: N0, float32, broadcasts to (slots, symbols, subcarriers)

    Returns:
        symbols complex64 (slots, symbols, subcarriers) and the variance of the noise left in them, float32
    """

    trust, unknown = estimate.trust.reshape(_without_antennas(estimate.trust)), estimate.unknown
    conjugate = estimate.response.conj().resolve_conj()
    combined, power = (conjugate * arrived), (conjugate * estimate.response).real
    if arrived.shape[1] > 1:
        combined, power = combined.sum(1, keepdim=True), power.sum(1, keepdim=True)
    combined, power = combined[:, 0], power[:, 0].clamp_min(1e-20)
    combined = combined / power
    left = (noise_var + unknown.reshape(_without_antennas(unknown))) / power
    if method == "zf":
        return combined, left + (1 - trust).abs().square()
    return combined / trust, left / trust.abs().square()


def _without_antennas(values: torch.Tensor) -> tuple[int, ...]:
    return (values.shape[0], *values.shape[2:])
