"""Base classes of learned codecs: power normalisation, noise and sizes."""

from __future__ import annotations

import abc
import math

import torch
import torch.nn.functional as F
from torch import nn

from semcore import ComponentError


class PictureNetwork(nn.Module, abc.ABC):
    """Pictures to complex symbols and back.

    The numbers that the encoder makes of a picture are taken in pairs as complex symbols, which are
    scaled to unit average power. Pictures whose sides are not multiples of `stride` are padded by
    replication, and cropped after decoding.
    """

    stride: int = 1
    reads_text: bool = False
    """Whether the encoder uses a text embedding."""

    owner: str = "the codec"
    """What messages call it."""

    @abc.abstractmethod
    def analyse(
        self, images: torch.Tensor, snr_db: torch.Tensor, text: torch.Tensor | None
    ) -> torch.Tensor:
        """float32 0..1 (B, 3, H, W), sides multiples of `stride`, SNR (B,), text (B, D) -> real
        (B, *form)."""

    @abc.abstractmethod
    def synthesise(self, numbers: torch.Tensor, snr_db: torch.Tensor) -> torch.Tensor:
        """float32 (B, *form), SNR (B,) -> float (B, 3, H, W), around 0..1."""

    @abc.abstractmethod
    def form(self, size: tuple[int, int]) -> tuple[int, ...]:
        """Shape of the real numbers of a picture of `size` (H, W), multiples of `stride`."""

    def translate(self) -> None:
        """Let torch.compile translate both halves at their first call."""
        for name in ("analyse", "synthesise"):
            setattr(self, name, torch.compile(getattr(self, name)))

    def padded(self, size: tuple[int, int]) -> tuple[int, int]:
        """(H, W) as multiples of `stride`."""
        return -(-size[0] // self.stride) * self.stride, -(-size[1] // self.stride) * self.stride

    def uses(self, size: tuple[int, int]) -> int:
        """Complex symbols of a picture of `size` (H, W)."""
        return -(-math.prod(self.form(self.padded(size))) // 2)

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
        size = images.shape[2], images.shape[3]
        height, width = self.padded(size)
        border = (0, width - size[1], 0, height - size[0])
        if any(border):
            images = F.pad(images, border, mode="replicate")
        numbers = self.analyse(images, snr_db, text).float().flatten(1)
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

        Raises:
            ComponentError: the decoder makes pictures of another size
        """
        reliability = 1 / (1 + noise_var)
        mean = reliability.mean(1).clamp(1e-4, 1 - 1e-4)
        numbers = torch.view_as_real(symbols * reliability).flatten(1)
        whole = self.padded(size)
        form = self.form(whole)
        numbers = numbers[:, : math.prod(form)].reshape(len(numbers), *form)
        pictures = self.synthesise(numbers, 10 * torch.log10(mean / (1 - mean)))
        if tuple(pictures.shape) != (len(numbers), 3, *whole):
            raise ComponentError(
                f"{self.owner}: the decoder made {list(pictures.shape)} of features {list(form)}, "
                f"and pictures {[len(numbers), 3, *whole]} are needed; where sides must be "
                "multiples of a number, the class says so: `stride`"
            )
        return pictures[:, :, : size[0], : size[1]].float()


class JsccNetwork(PictureNetwork):
    """A patch of `stride` x `stride` pixels becomes `latent` real values; both halves know the SNR.

    `analyse` gives float (B, latent, H / stride, W / stride).
    """

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def form(self, size: tuple[int, int]) -> tuple[int, ...]:
        return self.latent, size[0] // self.stride, size[1] // self.stride


class Sender(nn.Module):
    """The transmitting half of a network, as a module.

    Args:
        network: both halves
        snr_db: Es/N0 that it assumes where a call does not say, dB
    """

    def __init__(self, network: PictureNetwork, snr_db: float) -> None:
        super().__init__()
        self.network, self.snr_db = network, snr_db

    def forward(
        self,
        images: torch.Tensor,
        snr_db: torch.Tensor | float | None = None,
        text: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """float32 0..1 (B, 3, H, W), SNR that broadcasts to (B,) -> complex64 (B, uses), rows of
        unit average power."""
        assumed = self.snr_db if snr_db is None else snr_db
        by_row = torch.as_tensor(assumed, dtype=torch.float32, device=images.device)
        return self.network.encode(images, by_row.expand(len(images)), text)


class Recipient(nn.Module):
    """The receiving half of a network, as a module."""

    def __init__(self, network: PictureNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, symbols: torch.Tensor, noise_var: torch.Tensor | float, size: tuple[int, int]
    ) -> torch.Tensor:
        """complex64 (B, uses), and the variance of the noise in each, which broadcasts -> float32
        (B, 3, *size), around 0..1."""
        noise = torch.as_tensor(noise_var, dtype=torch.float32, device=symbols.device)
        return self.network.decode(symbols, noise.expand(symbols.shape), size)


class SNREmbedding(nn.Module):
    """Embedding of an SNR in dB: float32 (B,) -> (B, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )

    def forward(self, snr_db: torch.Tensor) -> torch.Tensor:
        return self.layers((snr_db[:, None] - 10) / 10)
