"""Labelled pictures, of CIFAR-10, a folder or a source, and facts for captions from the pixels.

A picture is described by three facts: its class, the colour of the object (from the centre) and the
colour of the background (from the border). A caption states some of them; the others are -1, so
that checking whether a caption is true of a picture compares three integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from semcore import LRU, RunError, Sample, Source, digest, name_of
from semcore_image.pixels import fit
from semcore_image.sources.cifar10 import BINARY, WANTED, read_binary
from semcore_image.sources.files import pictures_below, read_file
from semcore_image.sources.order import Item
from semcore_image.vocabulary import CLASSES, COLOURS, TEMPLATES


@dataclass(frozen=True)
class Split:
    """One split of a data set, with the facts for captions.

    images: uint8 (N, 3, size, size)
    facts: int64 (N, 3), indices of class, object colour and background colour
    classes: names of the classes
    origin: description of the data, for model cards
    """

    images: torch.Tensor
    facts: torch.Tensor
    classes: tuple[str, ...] = CLASSES
    origin: str = "CIFAR-10"

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labels(self) -> torch.Tensor:
        """Class index of every picture, int64 (N,)."""
        return self.facts[:, 0]

    def some(self, count: int) -> Split:
        """At most about `count` pictures, evenly spaced, so that every class is among them."""
        every = max(1, len(self) // count)
        return replace(self, images=self.images[::every], facts=self.facts[::every])


NAMES = {"train": ("train", "training"), "test": ("test", "testing", "val", "valid", "validation")}
"""Accepted folder names of the splits."""
UNSEEN = 500
"""Pictures of the test split by which an epoch of a training is validated."""
HELD_OUT = 10
"""In a folder without splits, every 10th picture of each class is held out for the test."""


_labels = LRU[list[str | None]](4)
"""Labels of the samples of sources, by digest of the source: both splits need them."""


def load_split(data: str | Path | Source, split: str, size: int = 32) -> Split:
    """Read "train" or "test" from `data`: a source of pictures, of which every tenth of each class
    is held out for the test, or a folder that holds one of these:

    CIFAR-10's binary version; `train/<class>/` and `test/<class>/` (or `val/`) with pictures;
    `<class>/` alone, of which every tenth picture is held out for the test; or only pictures, which
    are one class. Classes are in alphabetical order. Pictures of another size are cropped to a
    square and resampled (Lanczos).

    Args:
        size: side of the pictures, pixels

    Raises:
        RunError: the folder has none of these, a sample of the source has no picture or no label
            while others have one, or a picture cannot be read
    """
    if isinstance(data, Source):
        images, labels, classes, origin = _of_source(data, split, size)
    elif ((root := Path(data).expanduser()) / BINARY).is_dir():
        pictures, numbers, names = read_binary(root / BINARY, split)
        images, labels = _squares(pictures, size), np.asarray(numbers)
        classes, origin = tuple(names), "CIFAR-10"
    else:
        chosen = _files(root, split)
        classes, origin = tuple(chosen), f"the folder {root.resolve().name}"
        files = [(path, label) for label, name in enumerate(chosen) for path in chosen[name]]
        images = np.stack([np.asarray(fit(read_file(path), (size, size))) for path, _ in files])
        labels = np.asarray([label for _, label in files])
    facts = np.concatenate([labels[:, None], name_colours(images)], axis=1)
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    words = tuple(
        " ".join(name.replace("_", " ").replace("-", " ").lower().split()) for name in classes
    )
    return Split(pixels, torch.from_numpy(facts.astype(np.int64)), words, origin)


def _of_source(
    source: Source, split: str, size: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], str]:
    """Pictures uint8 (N, size, size, 3), labels, classes in alphabetical order, and the origin."""
    samples, use = source.samples(), name_of(type(source))
    found = _labels.of(digest(source, samples), lambda: [one.label for one in samples])
    place = Path(str(getattr(source, "path", ""))).expanduser()
    origin = f"the source {use}"
    if place.name:
        origin += f", {place.resolve().name if place.exists() else place}"
    if None in found and any(found):
        raise RunError(f"{origin}: sample {samples[found.index(None)].id!r} has no label")
    known = [one or use for one in found]  # without labels, all are of one class
    classes: dict[str, list[int]] = {name: [] for name in sorted(set(known))}
    for number, name in enumerate(known):
        classes[name].append(number)
    parts = {name: _part(numbers, split == "test") for name, numbers in classes.items()}
    chosen = [(number, label) for label, part in enumerate(parts.values()) for number in part]
    if not chosen:
        raise RunError(f"{origin} leaves no picture for the {split} split")
    images = np.stack([_square(samples[number], size, origin) for number, _ in chosen])
    return images, np.asarray([label for _, label in chosen]), tuple(parts), origin


def _square(sample: Sample, size: int, origin: str) -> np.ndarray:
    """The picture of a sample, cropped and resampled to uint8 (size, size, 3)."""
    if sample.image is None:
        raise RunError(f"{origin}: sample {sample.id!r} has no picture")
    return np.asarray(fit(Image.fromarray(sample.image), (size, size)))


def _squares(images: np.ndarray, size: int) -> np.ndarray:
    """Pictures uint8 (N, H, W, 3) cropped and resampled to (N, size, size, 3)."""
    if images.shape[1:3] == (size, size):
        return images
    return np.stack([np.asarray(fit(Image.fromarray(one), (size, size))) for one in images])


def _files(root: Path, split: str) -> dict[str, list[Path]]:
    """Class -> the pictures of a split, sorted."""
    if not root.is_dir():
        raise RunError(f"there is no folder {root}; {WANTED}")
    of_train, of_split = _named(root, NAMES["train"]), _named(root, NAMES[split])
    place = of_train or root
    known = _classes(place)
    if not any(known.values()):
        raise RunError(
            f"{place} holds no pictures in train/<class>/ or <class>/, and no {BINARY}/; for "
            f"CIFAR-10, {WANTED}"
        )
    if empty := [name for name, files in known.items() if not files]:
        raise RunError(
            f"the class folder {place / empty[0]} holds no pictures; remove it, or fill it"
        )
    if of_train and (of_split if split == "test" else _named(root, NAMES["test"])):
        found = _classes(of_split) if of_split else {}
        if unknown := [name for name in found if name not in known]:
            raise RunError(f"{of_split}/{unknown[0]} is a class that {of_train} does not have")
        chosen = {name: found.get(name, []) for name in known}
    else:
        chosen = {name: _part(files, split == "test") for name, files in known.items()}
    if not any(chosen.values()):
        raise RunError(
            f"{of_split or place} leaves no picture for the {split} split; a class needs at least "
            "two"
        )
    return chosen


def _named(root: Path, names: Sequence[str]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _part(files: Sequence[Item], test: bool) -> list[Item]:
    """The pictures of a class that are held out for the test, or the others."""
    every = min(HELD_OUT, len(files))
    held_out = [len(files) > 1 and index % every == every - 1 for index in range(len(files))]
    return [path for path, held in zip(files, held_out, strict=True) if held == test]


def _classes(folder: Path) -> dict[str, list[Path]]:
    """Class -> its pictures, in alphabetical order; pictures without subfolders are one class."""
    places = sorted(
        place for place in folder.iterdir() if place.is_dir() and not place.name.startswith(".")
    )
    if not places:
        return {folder.resolve().name: sorted(folder / name for name in pictures_below(folder))}
    classes = {}
    for place in places:
        classes[place.name] = sorted(place / name for name in pictures_below(place))
    return classes


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
    # Dark or dull warm colours are called brown; the hue of a pixel with little chroma is ignored.
    rules = [
        (high < 0.20, "black"),
        ((saturation < 0.16) & (high > 0.78), "white"),
        ((saturation < 0.16) | (chroma < 0.06), "grey"),
        (
            (hue < 14) & (saturation > 0.55) & (high > 0.35) | (hue >= 345) & (saturation > 0.5),
            "red",
        ),
        (warm & (saturation < 0.62) & (high > 0.12) | warm & (high < 0.62), "brown"),
        (hue < 40, "orange"),
        (hue < 66, "yellow"),
        (hue < 165, "green"),
        (hue < 260, "blue"),
    ]
    names = np.select(
        [rule for rule, _ in rules],
        [COLOURS.index(name) for _, name in rules],
        COLOURS.index("purple"),
    )
    return names.astype(np.int64)


def name_colours(images: np.ndarray) -> np.ndarray:
    """Colours of the object and of the background; images uint8 (N, H, W, 3), result int64 (N, 2).

    The background colour is the most frequent one of the border. The object colour is the most
    frequent one of the centre; the background colour is taken only if no other covers 30 % of the
    centre, since small objects do not fill it.
    """
    height, width = images.shape[1:3]
    border = np.ones((height, width), bool)
    edge_rows, edge_columns = max(1, height // 10), max(1, width // 10)
    border[edge_rows:-edge_rows, edge_columns:-edge_columns] = False
    centre = np.zeros((height, width), bool)
    centre[height // 4 : -(height // 4), width // 4 : -(width // 4)] = True
    named = []
    for start in range(0, len(images), 5000):  # in parts: the float arrays take 30 times the memory
        names = name_pixels(images[start : start + 5000])
        inside, outside = _shares(names[:, centre]), _shares(names[:, border])
        background = outside.argmax(1)
        others = inside.copy()
        others[np.arange(len(others)), background] = 0
        colour = np.where(others.max(1) >= 0.3, others.argmax(1), inside.argmax(1))
        named.append(np.stack([colour, background], axis=1))
    return np.concatenate(named)


def _shares(names: np.ndarray) -> np.ndarray:
    """Share of each colour in rows of indices (N, pixels), float64 (N, colours)."""
    return np.stack([(names == index).mean(1) for index in range(len(COLOURS))], axis=1)


def mentioned(facts: torch.Tensor, templates: torch.Tensor) -> torch.Tensor:
    """The facts that each caption states, int64 (N, 3); -1 where its template (index, (N,)) leaves
    one out."""
    uses = torch.tensor([[True, "{colour}" in t, "{background}" in t] for t in TEMPLATES])
    return torch.where(uses[templates], facts, -1)


def is_true(stated: torch.Tensor, facts: torch.Tensor) -> torch.Tensor:
    """Whether caption j is true of picture i: bool (N pictures, M captions)."""
    return ((stated[None] < 0) | (stated[None] == facts[:, None])).all(-1)
