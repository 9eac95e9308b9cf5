"""The residual network of ArcFace, with layer names of published weights."""

from __future__ import annotations

import torch
from torch import nn

WIDTHS = (64, 128, 256, 512)


class IResNet(nn.Module):
    """Pictures (B, 3, 112, 112), -1..1, to vectors (B, 512).

    Args:
        depths: blocks in each of the four layers; "r100" has 3, 13, 30, 3
    """

    def __init__(self, depths: tuple[int, ...]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.prelu = nn.PReLU(WIDTHS[0])
        inputs = (WIDTHS[0], *WIDTHS[:-1])
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _layer(*sizes) for sizes in zip(inputs, WIDTHS, depths, strict=True)
        )
        self.bn2 = nn.BatchNorm2d(WIDTHS[-1])
        self.fc = nn.Linear(WIDTHS[-1] * 7 * 7, 512)
        self.features = nn.BatchNorm1d(512)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The vectors, not normalised."""
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        found: torch.Tensor = self.features(self.fc(self.bn2(x).flatten(1)))
        return found


def _layer(inputs: int, width: int, depth: int) -> nn.Sequential:
    blocks = [_Block(width, width, 1) for _ in range(depth - 1)]
    return nn.Sequential(_Block(inputs, width, 2), *blocks)


class _Block(nn.Module):
    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        shrinks = nn.Sequential(
            nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
        )
        self.downsample = shrinks if stride > 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        result: torch.Tensor = y + (x if self.downsample is None else self.downsample(x))
        return result
