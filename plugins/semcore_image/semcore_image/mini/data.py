"""CIFAR-10 as arrays, and captions made from a label and the pixels.

A picture is described by three facts: its class, the colour of the object (named from the centre) and the colour
of the background (named from the border). A caption mentions some of them. What a caption leaves out is -1, so
that "is this caption true of this picture?" is a comparison of three integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from semcore.errors import RunError
from semcore_image.sources import BINARY, WANTED, read_binary, read_file

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COLOURS = ("black", "white", "grey", "brown", "red", "orange", "yellow", "green", "blue", "purple")

# The first template is the full caption; the others mention less. {a} is the article of the next word.
FULL = "{a} {colour} {class} on {b} {background} background"
TEMPLATES = (
    FULL,
    "{a} {class}",
    "a photo of {a} {class}",
    "a picture of {a} {class}",
    "{a} {colour} {class}",
    "a photo of {a} {colour} {class}",
    "{a} {class} on {b} {background} background",
    "a photo of {a} {class} on {b} {background} background",
)


@dataclass(frozen=True)
class Split:
    """One split of the data set with the facts that its captions are made of.

    images: uint8 (N, 3, 32, 32)
    facts: int64 (N, 3), indices of class, object colour and background colour
    """

    images: torch.Tensor
    facts: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> torch.Tensor:
        """Class index of every picture, int64 (N,)."""
        return self.facts[:, 0]


def load_split(data: str | Path, split: str) -> Split:
    """Read "train" or "test" from `data`: a folder of classes (`split/class/*.jpg|png`) or CIFAR-10's binary version."""
    root = Path(data)
    if (root / split).is_dir():
        images, labels = _read_folders(root / split)
    elif (root / BINARY).is_dir():
        images, numbers, _ = read_binary(root / BINARY, split)
        labels = np.asarray(numbers)
    else:
        raise RunError(f"{root} holds neither {split}/<class>/ nor {BINARY}/; {WANTED}")
    facts = np.concatenate([labels[:, None], name_colours(images)], axis=1)
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return Split(pixels, torch.from_numpy(facts.astype(np.int64)))


def _read_folders(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = [], []
    for label, name in enumerate(CLASSES):
        for path in sorted((folder / name).iterdir()):
            images.append(np.asarray(read_file(path)))
            labels.append(label)
    return np.stack(images), np.asarray(labels)


def name_pixels(pixels: np.ndarray) -> np.ndarray:
    """Index into COLOURS of every pixel; pixels uint8 (..., 3), result int64 (...)."""
    rgb = pixels.astype(np.float32) / 255
    high, low = rgb.max(-1), rgb.min(-1)
    chroma = high - low
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    divisor = np.where(chroma > 0, chroma, 1)
    hue = (
        np.select(
            [high == red, high == green],
            [(green - blue) / divisor % 6, (blue - red) / divisor + 2],
            (red - green) / divisor + 4,
        )
        * 60
    )
    saturation = chroma / np.where(high > 0, high, 1)
    warm = (hue < 48) | (hue >= 330)
    # Dark or dull warm colours are what people call brown; a pixel with little chroma has no hue worth naming.
    rules = [
        (high < 0.20, "black"),
        ((saturation < 0.16) & (high > 0.78), "white"),
        ((saturation < 0.16) | (chroma < 0.06), "grey"),
        ((hue < 14) & (saturation > 0.55) & (high > 0.35) | (hue >= 345) & (saturation > 0.5), "red"),
        (warm & (saturation < 0.62) & (high > 0.12) | warm & (high < 0.62), "brown"),
        (hue < 40, "orange"),
        (hue < 66, "yellow"),
        (hue < 165, "green"),
        (hue < 260, "blue"),
    ]
    names = np.select([rule for rule, _ in rules], [COLOURS.index(name) for _, name in rules], COLOURS.index("purple"))
    return names.astype(np.int64)


def name_colours(images: np.ndarray) -> np.ndarray:
    """Colours of the object and of the background; images uint8 (N, H, W, 3), result int64 (N, 2).

    The background's is the most frequent colour of the border. The object's is the most frequent colour of the
    centre, where the background's counts only if no other colour holds 30 % of it: small objects do not fill it.
    """
    height, width = images.shape[1:3]
    border = np.ones((height, width), bool)
    edge_rows, edge_columns = max(1, height // 10), max(1, width // 10)
    border[edge_rows:-edge_rows, edge_columns:-edge_columns] = False
    centre = np.zeros((height, width), bool)
    centre[height // 4 : -(height // 4), width // 4 : -(width // 4)] = True
    named = []
    for start in range(0, len(images), 5000):  # in parts: the intermediate float arrays are 30 times the bytes
        names = name_pixels(images[start : start + 5000])
        shares = [[(names[:, region] == c).mean(1) for c in range(len(COLOURS))] for region in (centre, border)]
        inside, outside = np.asarray(shares).transpose(0, 2, 1)
        background = outside.argmax(1)
        others = inside.copy()
        others[np.arange(len(others)), background] = 0
        colour = np.where(others.max(1) >= 0.3, others.argmax(1), inside.argmax(1))
        named.append(np.stack([colour, background], axis=1))
    return np.concatenate(named)


def caption(facts: Sequence[int], template: str = FULL) -> str:
    """The caption of (class, object colour, background colour), e.g. "a brown bird on a green background"."""
    name, colour, background = CLASSES[facts[0]], COLOURS[facts[1]], COLOURS[facts[2]]
    first = colour if "{colour}" in template else name
    return template.format(
        **{"a": _article(first), "b": _article(background), "class": name, "colour": colour, "background": background}
    )


def mentioned(facts: torch.Tensor, templates: torch.Tensor) -> torch.Tensor:
    """The facts that each caption states, int64 (N, 3): -1 where the template (index, (N,)) leaves one out."""
    uses = torch.tensor([[True, "{colour}" in t, "{background}" in t] for t in TEMPLATES])
    return torch.where(uses[templates], facts, -1)


def is_true(stated: torch.Tensor, facts: torch.Tensor) -> torch.Tensor:
    """Whether caption j is true of picture i: bool (N pictures, M captions)."""
    return ((stated[None] < 0) | (stated[None] == facts[:, None])).all(-1)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
