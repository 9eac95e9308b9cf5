"""What components are tried on where the caller names nothing: small, synthetic, the same every
time."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch

from semcore.rng import Rng
from semcore.types import (
    Bitstream,
    Extent,
    Features,
    Layout,
    Picture,
    Received,
    Sample,
    Semantics,
    Span,
    Stream,
    Symbols,
    Text,
    Tokens,
)

RNG = Rng(20240229, ("conformance",))


def picture(height: int = 32, width: int = 32, seed: int = 0) -> np.ndarray:
    """A picture with gradients, a disc and a little noise: uint8 (height, width, 3)."""
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    disc = (rows - 0.5) ** 2 + (columns - 0.5) ** 2 < 0.08
    planes = 255 * np.stack([rows, 0.2 + 0.6 * disc, 1 - columns], axis=-1)
    noise = np.random.default_rng(seed).normal(20 * seed, 3, planes.shape)
    return (planes + noise).clip(0, 255).astype(np.uint8)


def sample(name: str, user: str, text: str, seed: int) -> Sample:
    """A sample that holds everything a sample can hold."""
    tone = 0.5 * np.sin(np.arange(1600) * (0.1 + 0.05 * seed))
    frames = np.stack([picture(32, 32, seed + step) for step in range(4)])
    return Sample(
        name, user, picture(32, 32, seed), frames, 5.0, tone.astype(np.float32), 2000, text, "bird"
    )  # fmt: skip


EXTENT = Extent.of(sample("anna/0", "anna", "", 0))
"""Of each of these samples."""


def samples() -> tuple[Sample, ...]:
    """Three samples of two users."""
    return (
        sample("anna/0", "anna", "a brown bird on a green background", 0),
        sample("bruno/0", "bruno", "a blue ship on a grey background", 1),
        sample("anna/1", "anna", "a red truck", 2),
    )


@functools.cache
def folder() -> str:
    """A folder with pictures in the layout of a data set, `test/<class>/<number>.png`, and the file
    `captions.txt`.

    It is there as long as the process lives.
    """
    from PIL import Image

    root = Path(tempfile.mkdtemp(prefix="semcore-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for index, name in enumerate(("bird", "ship", "truck")):
        (root / "test" / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(picture(32, 32, 2 * index + number)).save(
                root / "test" / name / f"{number}.png"
            )
    captions = [f"{one.text}\n" for one in samples()]
    (root / "captions.txt").write_text("".join(captions), encoding="utf-8")
    return str(root)


STREAMS: dict[type, tuple[Stream, ...]] = {
    Text: (
        Text("a brown bird on a green background"),
        Text(""),
        Text("Zażółć gęślą jaźń 鳥 🐦\n\0"),
        Text("a long caption, " * 20),
    ),
    Tokens: (
        Tokens(np.arange(25, dtype=np.int64) % 40, 40),
        Tokens(np.zeros(0, np.int64), 40),
        Tokens(np.array([0, 1, 1], np.int64), 2),
        Tokens(np.array([49999, 0, 31], np.int64), 50000),
    ),
    Features: tuple(
        Features((scale * np.random.default_rng(size).standard_normal(shape)).astype(np.float32))
        for size, (scale, shape) in enumerate([(1.0, (10, 12)), (0.01, (7,)), (30.0, (3, 4, 5))])
    ),
    Picture: (Picture(picture(16, 24)), Picture(picture(8, 8, 3))),
    Bitstream: (
        Bitstream(np.random.default_rng(0).bytes(200)),
        Bitstream(b""),
        Bitstream(bytes(300)),
        Bitstream(b"\xff" * 130),
    ),
}
"""Streams of every type: an ordinary one first, then awkward ones."""


def semantics(types: tuple[tuple[str, type], ...]) -> tuple[Semantics, ...]:
    """Three samples of two users with one stream of each (name, type)."""
    senders = [("anna/0", "anna"), ("bruno/0", "bruno"), ("anna/1", "anna")]
    return tuple(
        Semantics(
            key,
            {name: STREAMS[type][index % len(STREAMS[type])] for name, type in types},
            user,
            extent=EXTENT,
        )
        for index, (key, user) in enumerate(senders)
    )


def symbols(lengths: tuple[int, ...], width: int = 0) -> Symbols:
    """Unit-power symbols (Gaussian, every row scaled to unit power), one row a length, a sample a
    row."""
    keys = tuple(f"row {index}" for index in range(len(lengths)))
    spans = tuple(
        Span(row, 0, length, row, "data", Bitstream) for row, length in enumerate(lengths)
    )
    values = RNG.at("symbols").complex_normal(keys, lengths, width)
    power = values.abs().square().sum(1, keepdim=True) / torch.tensor(lengths).clamp_min(
        1
    ).unsqueeze(1)
    layout = Layout(lengths, spans, keys, tuple((key, "") for key in keys))
    return Symbols(values / power.clamp_min(1e-12).sqrt(), layout)


def link(sent: Symbols, noise_var: float) -> Received:
    """White noise of variance `noise_var` on every row, at its own address."""
    layout = sent.layout
    noise = RNG.at("link").complex_normal(layout.keys, layout.lengths, sent.values.shape[1])
    return sent.received(sent.values + noise_var**0.5 * noise, noise_var)
