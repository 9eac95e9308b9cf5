"""BPSK and square QAM with the Gray labels of TS 38.211, 5.1.

Real and imaginary part of QAM are two independent amplitude modulations, so a soft bit needs
2^(m/2) distances and not 2^m. BPSK lies on the diagonal, as in the standard.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from semcore_channels.modulation.base import Modulation, soft_bits

if TYPE_CHECKING:
    import torch


@functools.cache
def amplitudes(bits: int) -> torch.Tensor:
    """Amplitude of each label of one dimension of QAM of unit mean power, float32 (2^bits,)."""
    import torch

    levels = torch.zeros(1)
    for weight in range(bits):
        inner = (
            2**weight - levels
        )  # TS 38.211, 5.1.3-5.1.6: (1 - 2 b0) [2^(bits-1) - (1 - 2 b1) [...]]
        levels = torch.cat((inner, -inner))
    return levels * (3 / (2 * (4**bits - 1))) ** 0.5


class QAM(Modulation):
    """Square QAM, TS 38.211, 5.1.3 to 5.1.6: even bits label the real part, odd the imaginary."""

    def __init__(self, bits_per_symbol: int) -> None:
        self.bits_per_symbol = bits_per_symbol

    def constellation(self) -> torch.Tensor:
        import torch

        labels = torch.arange(2**self.bits_per_symbol)
        bits = (labels.unsqueeze(1) >> torch.arange(self.bits_per_symbol - 1, -1, -1)) & 1
        half = self.bits_per_symbol // 2
        weights = 2 ** torch.arange(half - 1, -1, -1)
        return torch.complex(
            amplitudes(half)[bits[:, ::2] @ weights], amplitudes(half)[bits[:, 1::2] @ weights]
        )

    def demodulate(self, values: torch.Tensor, noise_var: torch.Tensor) -> torch.Tensor:
        import torch

        variance = noise_var.clamp_min(1e-12)[..., None]
        parts = torch.view_as_real(values)
        if self.bits_per_symbol == 2:  # two amplitudes: the difference of two squares
            return (parts * (-4 * float(amplitudes(1)[0])) / variance).flatten(-2)
        amplitude = amplitudes(self.bits_per_symbol // 2)
        squares = (parts.unsqueeze(-1) - amplitude).square()
        return soft_bits(-squares / variance[..., None]).transpose(-1, -2).flatten(-3)


class BPSK(Modulation):
    """BPSK on the diagonal, TS 38.211, 5.1.2."""

    bits_per_symbol = 1

    def constellation(self) -> torch.Tensor:
        import torch

        return torch.complex(amplitudes(1), amplitudes(1))

    def demodulate(self, values: torch.Tensor, noise_var: torch.Tensor) -> torch.Tensor:
        both = QAM4.demodulate(values, noise_var)  # real and imaginary part carry the same bit
        return both.unflatten(-1, (-1, 2)).sum(-1)


QAM4 = QAM(2)
