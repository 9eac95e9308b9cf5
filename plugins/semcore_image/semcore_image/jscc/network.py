"""Base class of learned codecs: power normalisation, noise and sizes."""

from __future__ import annotations

import abc

import torch
import torch.nn.functional as F
from torch import nn


class JsccNetwork(nn.Module, abc.ABC):
    """Pictures to complex symbols and back; both halves know the SNR.

    A patch of `stride` x `stride` pixels becomes `latent` real values; pairs of values are complex
    symbols, and the symbols of a picture are scaled to unit average power. Pictures whose sides are
    not multiples of `stride` are padded by replication and cropped after decoding.
    """

    stride: int
    reads_text: bool = False
    """Whether the encoder uses a text embedding."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    @abc.abstractmethod
    def analyse(
        self, images: torch.Tensor, snr_db: torch.Tensor, text: torch.Tensor | None
    ) -> torch.Tensor:
        """float32 0..1 (B, 3, H, W), SNR (B,), text (B, D) -> float32 (B, latent, H / stride, W /
        stride)."""

    @abc.abstractmethod
    def synthesise(self, numbers: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        """float32 (B, latent, H / stride, W / stride), SNR (B,) -> float32 (B, 3, H, W), around
        0..1."""

    def grid(self, size: tuple[int, int]) -> tuple[int, int]:
        """Patches along (height, width) of a picture of `size` (H, W)."""
        return -(-size[0] // self.stride), -(-size[1] // self.stride)

    def uses(self, size: tuple[int, int]) -> int:
        """Complex symbols of a picture of `size` (H, W)."""
        rows, columns = self.grid(size)
        return -(-rows * columns * self.latent // 2)

    def encode(
        self, images: torch.Tensor, snr_db: torch.Tensor, text: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Pictures to symbols.

        Args:
            images: float32 in 0..1 (B, 3, H, W)
            snr_db: Es/N0 assumed by the transmitter, dB, float32 (B,)
            text: embedding of a caption, float32 (B, D), for a network that `reads_text`

        Returns:
            complex64 (B, uses), each row of unit average power
        """
        size = images.shape[-2:]
        rows, columns = self.grid((size[0], size[1]))
        border = (0, columns * self.stride - size[1], 0, rows * self.stride - size[0])
        numbers = (
            self.analyse(F.pad(images, border, mode="replicate"), snr_db, text).float().flatten(1)
        )
        numbers = F.pad(numbers, (0, numbers.shape[1] % 2))
        symbols = torch.view_as_complex(numbers.reshape(len(numbers), -1, 2))
        power = symbols.abs().square().mean(1, keepdim=True)
        return symbols / power.clamp(min=1e-12).sqrt()

    def decode(
        self, symbols: torch.Tensor, noise_var: torch.Tensor, size: tuple[int, int]
    ) -> torch.Tensor:
        """Noisy symbols to pictures.

        A symbol y with noise variance v is replaced by its linear MMSE estimate y / (1 + v). The
        network gets the equivalent SNR r / (1 - r), with r the mean of 1 / (1 + v).

        Args:
            symbols: complex64 (B, uses)
            noise_var: variance of the complex noise, float32 (B, uses)
            size: (H, W) of the pictures

        Returns:
            float32 (B, 3, H, W), around 0..1
        """
        reliability = 1 / (1 + noise_var)
        mean = reliability.mean(1).clamp(1e-4, 1 - 1e-4)
        numbers = torch.view_as_real(symbols * reliability).flatten(1)
        rows, columns = self.grid(size)
        numbers = numbers[:, : rows * columns * self.latent].reshape(
            len(numbers), self.latent, rows, columns
        )
        return self.synthesise(numbers, 10 * torch.log10(mean / (1 - mean)))[
            :, :, : size[0], : size[1]
        ].float()


class SNREmbedding(nn.Module):
    """Embedding of an SNR in dB: float32 (B,) -> (B, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )

    def forward(self, snr_db: torch.Tensor) -> torch.Tensor:
        return self.layers((snr_db[:, None] - 10) / 10)
