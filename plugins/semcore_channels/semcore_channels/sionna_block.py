"""Any block of Sionna as a channel."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semcore import ChannelModel, ComponentError, Received, Rng, Symbols
from semcore_channels.sionna_rng import sionna_phy, sionna_rng

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SionnaChannel(ChannelModel, abc.ABC):
    """Base of channels that are made of blocks of Sionna: a subclass defines `through`.

    Each row of symbols goes through the blocks by itself, with Sionna's generator at the address of
    the row: a row has the same fading and noise in any batch, process and order. Blocks are made
    with `device="cpu"`, where the generator is; symbols on another device are moved there and back,
    and gradients flow. Sionna's generator has its own state again afterwards.
    """

    @abc.abstractmethod
    def through(
        self, x: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | float, Mapping[str, float]]:
        """Send one row.

        Args:
            x: complex64 (n,), n > 0, of unit average power, on the CPU

        Returns:
            what arrives, equalised without bias, complex64 (n,); the variance of the complex noise
            left in it, in a shape that broadcasts to (n,), above 0; and what the channel reports of
            the row, such as {"snr_db": ...}, its true SNR
        """

    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        import torch

        sionna_phy()
        layout, device = symbols.layout, symbols.values.device
        values, noise_vars, reports = [], [], list[Mapping[str, float]]()
        width = symbols.values.shape[1]
        for row, (key, length) in enumerate(zip(layout.keys, layout.lengths, strict=True)):
            if not length:  # nothing is sent
                y, noise_var = torch.zeros(0, dtype=torch.complex64), torch.zeros(0)
                reports.append({})
            else:
                with sionna_rng(rng.at(key)):
                    y, left, report = self.through(symbols.values[row, :length].cpu())
                noise_var = torch.as_tensor(left, dtype=torch.float32)
                if y.shape != (length,) or not y.is_complex():
                    raise ComponentError(
                        f"{type(self).__name__}.through returns {y.dtype} {tuple(y.shape)} for "
                        f"complex symbols ({length},)"
                    )
                noise_var = noise_var.expand(length)
                reports.append(report)
            pad = (0, width - length)
            values.append(torch.nn.functional.pad(y.to(torch.complex64), pad))
            noise_vars.append(torch.nn.functional.pad(noise_var, pad, value=1.0))
        received, left = torch.stack(values).to(device), torch.stack(noise_vars).to(device)
        return symbols.received(received, left, report=reports)
