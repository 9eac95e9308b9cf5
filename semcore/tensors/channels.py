"""A channel on plain tensors, as in the training loop of a network."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from semcore.errors import ComponentError
from semcore.rng import Rng
from semcore.types import Layout, Span, Symbols

if TYPE_CHECKING:
    import torch


class OnTensors:
    """What makes a channel a function of tensors, of any device; it computes on the CPU."""

    def __call__(
        self, x: torch.Tensor, rng: Rng | None = None, snr_db: torch.Tensor | float | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Send symbols over the channel. Gradients flow from what arrives back to `x`.

        Args:
            x: complex (..., n), of unit average power; each of the n symbols of a row is sent in
                turn, and rows are independent
            rng: address of the random numbers; None: new ones in each call
            snr_db: in place of the channel's own SNR, dB, in any shape that broadcasts to the
                batch, x.shape[:-1]; a channel with a link budget has none to replace

        Returns:
            what arrives, equalised, of the shape, type and device of `x`; and the variance of the
            complex noise left in it, float32, of the same shape

        Raises:
            ComponentError: x is not complex, or the channel has no SNR of its own
        """
        import torch

        if not x.is_complex() or not x.ndim:
            raise ComponentError(f"a channel takes complex symbols (..., n), not {x.dtype}")
        rng = Rng(secrets.randbits(63)) if rng is None else rng
        rows = x.to(torch.complex64).reshape(-1, x.shape[-1]).cpu()  # where the numbers are drawn
        y, noise_var = torch.zeros_like(rows), torch.zeros(rows.shape)
        for one, chosen in _by_snr(self, snr_db, x):
            received = one.transmit(symbols_of(rows[chosen], chosen.tolist()), rng)
            y = y.index_copy(0, chosen, received.values)
            noise_var = noise_var.index_copy(0, chosen, received.noise_var)
        y, noise_var = y.to(x.device, x.dtype), noise_var.to(x.device)
        return y.reshape(x.shape), noise_var.reshape(x.shape)


def _by_snr(channel: Any, snr_db: Any, x: torch.Tensor) -> list[tuple[Any, torch.Tensor]]:
    """The channel at each SNR, and the rows that have it."""
    import torch

    count = x[..., 0].numel()
    everything = torch.arange(count)
    if snr_db is None or not count:
        return [(channel, everything)]
    if not own_snr(channel):
        raise ComponentError(f"{type(channel).__name__} has no SNR of its own to set")
    per_row = torch.as_tensor(snr_db, dtype=torch.float64).expand(x.shape[:-1]).reshape(-1).cpu()
    levels, index = per_row.unique(return_inverse=True)
    return [
        (at_snr(channel, level), everything[index == number])
        for number, level in enumerate(levels.tolist())
    ]


def symbols_of(values: torch.Tensor, numbers: Sequence[int] | None = None) -> Symbols:
    """Symbols (rows, n) as one stream per row.

    Args:
        values: complex64 (rows, n), unit average power
        numbers: of the rows, for the address of their random numbers; None: from 0 on
    """
    rows, width = values.shape
    keys = tuple(map(str, range(rows) if numbers is None else numbers))
    spans = tuple(Span(row, 0, width, row, "data", object) for row in range(rows))
    return Symbols(values, Layout((width,) * rows, spans, keys, tuple((key, "") for key in keys)))


def at_snr(channel: Any, snr_db: float) -> Any:
    """The channel at another SNR, mean or of a slot, if it has one of its own to set; else (a link
    budget) as it is."""
    own = own_snr(channel)
    return dataclasses.replace(channel, **{own: snr_db}) if own else channel


def own_snr(channel: Any) -> str:
    """The setting of a channel that holds its SNR, or ""."""
    names = ("snr_db", "block_snr_db")
    return next((name for name in names if getattr(channel, name, None) is not None), "")
