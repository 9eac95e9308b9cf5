"""MultiSem, the network of MMSemCom: image features and their fusion with text features."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from semcore import RunError, extra, on_device
from semcore_image.models.digests import written


class Backbone(nn.Module, abc.ABC):
    """Pictures to a feature map."""

    width: int
    """Channels of the map."""

    @abc.abstractmethod
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """float32 0..1 (B, 3, H, W) -> float32 (B, width, rows, columns)."""


class SmallBackbone(Backbone):
    """A small convolutional network in place of ResNet-50: 4 x 4 positions of a 32 x 32 picture."""

    def __init__(self, inner: int = 64, width: int = 64) -> None:
        super().__init__()
        self.width = width
        self.enter = nn.Conv2d(48, inner, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.SiLU(),
                nn.Conv2d(inner, inner, 3, padding=1),
                nn.SiLU(),
                nn.Conv2d(inner, inner, 3, padding=1),
            )
            for _ in range(3)
        )
        self.leave = nn.Conv2d(inner, width, 3, stride=2, padding=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = self.enter(F.pixel_unshuffle(images * 2 - 1, 4))
        for block in self.blocks:
            maps = maps + block(maps)
        return self.leave(F.silu(maps))


class MultiSem(nn.Module):
    """The added layers of eq. 8 and the fusion of eq. 12-14, after a backbone.

    F_conv of eq. 8 is the flattened map of a small backbone (`positions` rows and columns), which
    keeps positions, or the mean over the map of a large one (`positions` = 0: any size).

    Eq. 13 has one image feature as the only key; the softmax over one key is always 1, so there
    would be no attention to show (Fig. 5). Here the keys are F'_image and every position of the
    map, each with a position embedding.

    Args:
        backbone: pictures to maps
        positions: rows and columns of the map in eq. 8; 0: its mean
        inner: d_1
        d_image: number of image features that are sent
        d_text: dimension of a text feature
        d_fusion: number of fused features that are sent
        heads: heads of the cross-attention
        classes: number of classes of the classification layers
    """

    def __init__(
        self,
        backbone: Backbone,
        positions: int,
        inner: int,
        d_image: int,
        d_text: int,
        d_fusion: int,
        heads: int,
        classes: int,
    ) -> None:
        super().__init__()
        self.backbone, self.positions = backbone, positions
        self.size = (32, 32)  # (H, W) of the input
        self.first = nn.Linear(backbone.width * max(positions, 1) ** 2, inner)
        self.second = nn.Linear(inner, d_image)
        self.image = nn.Linear(d_image, d_fusion)
        self.region = nn.Linear(backbone.width, d_fusion)
        self.place = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, d_fusion))
        self.text = nn.Linear(d_text, d_fusion)
        self.attention = nn.MultiheadAttention(d_fusion, heads, batch_first=True)
        self.norm, self.last_norm = nn.LayerNorm(d_fusion), nn.LayerNorm(d_fusion)
        self.forth, self.back = nn.Linear(d_fusion, 4 * d_fusion), nn.Linear(4 * d_fusion, d_fusion)
        self.reading = nn.ModuleDict(
            {"image": nn.Linear(d_image, classes), "fused": nn.Linear(d_fusion, classes)}
        )

    @on_device
    def maps(self, images: torch.Tensor) -> torch.Tensor:
        """Feature map of the backbone, float32 (B, width, rows, columns)."""
        return self.backbone(images).float()

    @on_device
    def image_features(self, maps: torch.Tensor) -> torch.Tensor:
        """F_image of eq. 8, float32 (B, d_image)."""
        pooled = maps.flatten(1) if self.positions else maps.mean((2, 3))
        return self.second(F.relu(self.first(pooled)))

    @on_device
    def fused(self, maps: torch.Tensor, text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """F_fused of eq. 14, and the attention weights of the prompts.

        Args:
            maps: of the backbone, float32 (B, width, rows, columns)
            text: F_text, float32 (B, n_text, d_text)

        Returns:
            float32 (B, d_fusion), and the weight of each position for each prompt, float32 (B,
                n_text, rows, columns)
        """
        count, _, rows, columns = maps.shape
        places = self.place(_places(rows, columns).to(maps.device))
        regions = self.region(maps.flatten(2).transpose(1, 2)) + places
        keys = torch.cat((self.image(self.image_features(maps))[:, None], regions), dim=1)
        queries = self.text(text)
        attended, weights = self.attention(queries, keys, keys)  # eq. 13
        residual = self.norm(attended + queries)
        final = self.back(F.relu(self.forth(residual)))
        return self.last_norm(final + residual).mean(1), weights[:, :, 1:].reshape(
            count, -1, rows, columns
        )


def _places(rows: int, columns: int) -> torch.Tensor:
    """Coordinates of the positions, -1..1, float32 (rows * columns, 2)."""
    along = [
        torch.linspace(-1, 1, count) if count > 1 else torch.zeros(1) for count in (rows, columns)
    ]
    return torch.cartesian_prod(*along)


class TimmBackbone(Backbone):
    """A network of timm without its classifier: ResNet-50 as in the paper, or any other with a
    feature map."""

    def __init__(self, model: str) -> None:
        super().__init__()
        with extra("semcore-image[models]", "backbones need timm"):
            import timm

        if not timm.is_model(model):
            raise RunError(
                f"the backbone {model!r} is not a model of timm; folders and URLs are not accepted"
            )
        net: Any = timm.create_model(model, pretrained=False, num_classes=0, global_pool="")
        self.net, self.width = net, int(net.num_features)
        mean, std = (torch.tensor(net.pretrained_cfg[key]) for key in ("mean", "std"))
        self.register_buffer("mean", mean.view(1, 3, 1, 1))
        self.register_buffer("std", std.view(1, 3, 1, 1))

    mean: torch.Tensor
    std: torch.Tensor

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.net((images - self.mean) / self.std)


def build(backbone: Mapping[str, Any], size: Sequence[int], **settings: Any) -> MultiSem:
    """The network from its settings (config.json); `backbone` names a model of timm or holds
    settings of the small one."""
    front = TimmBackbone(backbone["model"]) if "model" in backbone else SmallBackbone(**backbone)
    if isinstance(settings.get("classes"), Sequence):  # their names
        settings["classes"] = len(settings["classes"])
    network = MultiSem(front, **settings)
    network.size = (size[0], size[1])
    return network


def load(folder: str | None) -> MultiSem:
    """The network with the shipped weights, or those of a folder that the recipe `multisem`
    wrote."""
    return _load(folder, written(folder) if folder else "")


@functools.lru_cache(4)
def _load(folder: str | None, content: str) -> MultiSem:
    from semcore_image.models.weights import fill, folder_of

    return fill(build, folder_of(folder) if folder else "multisem").eval().requires_grad_(False)
