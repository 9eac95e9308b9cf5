"""mini-clip: pictures and (possibly damaged) sentences in a joint 128-dimensional space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from semcore import on_device

MAX_CHARACTERS = 64


def as_float(images: torch.Tensor) -> torch.Tensor:
    """uint8 0..255 or float 0..1 to float 0..1, channels last in memory."""
    images = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    return images.contiguous(memory_format=torch.channels_last)


def text_to_bytes(texts: Sequence[str]) -> torch.Tensor:
    """Latin-1 codes of characters, int64 (B, 64): 0 is padding, 26 (SUB) replaces NUL and other
    characters."""
    ids = torch.zeros(len(texts), MAX_CHARACTERS, dtype=torch.long)
    for row, text in enumerate(texts):
        codes = [ord(character) for character in text.lower()[:MAX_CHARACTERS]]
        codes = [code if 0 < code < 256 else 26 for code in codes]
        ids[row, : len(codes)] = torch.tensor(codes, dtype=torch.long)
    return ids


class ConvBlock(nn.Sequential):
    """Two 3×3 convolutions with batch normalisation; halves height and width."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(channels_out),
            nn.GELU(),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.GELU(),
        )


class ImageTower(nn.Module):
    """Float pictures (B, 3, 32, 32) to a feature map (B, widths[-1], 4, 4) and an embedding (B,
    embedding)."""

    def __init__(self, widths: Sequence[int] = (64, 256, 256), embedding: int = 128) -> None:
        super().__init__()
        # Fixed by `set_whitening`: decorrelated 2×2 patches speed up training.
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.requires_grad_(False)
        ins = (24, *widths[:-1])
        self.blocks = nn.Sequential(*[ConvBlock(i, o) for i, o in zip(ins, widths, strict=True)])
        self.project = nn.Linear(widths[-1], embedding, bias=False)

    @torch.no_grad()
    def set_whitening(self, images: torch.Tensor) -> None:
        """Set the first layer to the whitened principal components (and their negatives) of 2×2
        patches."""
        patches = F.unfold(images, 2).transpose(1, 2).reshape(-1, 12)
        mean = patches.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((patches - mean).T))
        filters = (vectors / (values + 5e-4).sqrt()).T
        filters = torch.cat([filters, -filters])
        self.whiten.weight.copy_(filters.reshape(24, 3, 2, 2))
        self.whiten.bias.copy_(-filters @ mean)  # type: ignore[union-attr]

    def feature_map(self, images: torch.Tensor) -> torch.Tensor:
        """(B, C, 4, 4)."""
        return self.blocks(F.gelu(self.whiten(F.pad(images, (0, 1, 0, 1), mode="replicate"))))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.project(self.feature_map(images).amax((2, 3)))


class TextTower(nn.Module):
    """Character codes (B, L) to embeddings (B, L, width): convolutions over characters, then
    attention."""

    def __init__(
        self, width: int = 128, layers: int = 3, heads: int = 4, embedding: int = 128
    ) -> None:
        super().__init__()
        self.characters = nn.Embedding(256, width)
        self.positions = nn.Parameter(torch.randn(MAX_CHARACTERS, width) * 0.02)
        self.spelling = nn.ModuleList(nn.Conv1d(width, width, 5, padding=2) for _ in range(2))
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, layers, nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.project = nn.Linear(width, embedding, bias=False)

    @staticmethod
    def mask(ids: torch.Tensor) -> torch.Tensor:
        """True at characters, and at the first position, so that no row is empty."""
        mask = ids != 0
        mask[:, 0] = True
        return mask

    def tokens(self, ids: torch.Tensor) -> torch.Tensor:
        """Character embeddings (B, L, width), zero where padded."""
        mask = self.mask(ids)
        x = self.characters(ids) * mask[..., None]
        for convolution in self.spelling:
            x = x + F.gelu(convolution(x.transpose(1, 2)).transpose(1, 2)) * mask[..., None]
        x = self.layers(x + self.positions[: ids.shape[1]], src_key_padding_mask=~mask)
        return x * mask[..., None]

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Pooled embeddings (B, embedding), not normalised."""
        pooled = self.tokens(ids).sum(1) / self.mask(ids).sum(1, keepdim=True)
        return self.project(pooled)


class MiniClip(nn.Module):
    """Two towers and a learned temperature, trained contrastively on pictures and captions."""

    def __init__(
        self,
        widths: Sequence[int] = (64, 256, 256),
        text_width: int = 128,
        text_layers: int = 3,
        embedding: int = 128,
        classes: Sequence[str] = (),
    ) -> None:
        """`classes`: classes of the training pictures; they do not change the network."""
        super().__init__()
        self.classes = tuple(classes)
        self.image = ImageTower(widths, embedding)
        self.text = TextTower(text_width, text_layers, embedding=embedding)
        self.log_scale = nn.Parameter(torch.tensor(2.5))

    @on_device
    @torch.no_grad()
    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 or float 0..1 (B, 3, 32, 32) to unit-norm float32 (B, 128), averaged over picture
        and mirror image."""
        images = as_float(images)
        both = F.normalize(self.image(images), dim=-1) + F.normalize(
            self.image(images.flip(3)), dim=-1
        )
        return F.normalize(both, dim=-1)

    @on_device
    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Texts to unit-norm float32 (B, 128)."""
        return F.normalize(self.text(text_to_bytes(texts)), dim=-1)

    @on_device
    @torch.no_grad()
    def text_tokens(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Texts to character embeddings float32 (B, 64, width) and a bool mask (B, 64), True at
        characters."""
        ids = text_to_bytes(texts)
        return self.text.tokens(ids), self.text.mask(ids)

    @on_device
    @torch.no_grad()
    def image_map(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 or float 0..1 (B, 3, 32, 32) to the spatial features float32 (B, C, 4, 4)."""
        return self.image.feature_map(as_float(images))
