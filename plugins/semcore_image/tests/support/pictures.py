"""Pictures of unusual kinds, and how the source reads them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from semcore_image.sources.folder import ImageFolder

ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
"""X, Y, Z of the primaries of Adobe RGB (1998), annex C, adapted to D50."""


def scene(height: int = 24, width: int = 40) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack(
        [rows * 255 // height, columns * 255 // width, (rows + columns) % 256], -1
    ).astype(np.uint8)


def tiff(pixels: np.ndarray, sample_format: int) -> bytes:
    """A TIFF 6.0 of colours of any type, (H, W, 3), which Pillow cannot write: little endian, one
    strip."""
    height, width, bands = pixels.shape
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    bits, at = 8 * pixels.dtype.itemsize, 8 + len(data)
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, bands, at),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8),
        (277, 3, 1, bands),
        (278, 4, 1, height),
        (279, 4, 1, len(data)),
        (339, 3, bands, at + 6),
    ]
    table = struct.pack("<6H", *[bits] * bands, *[sample_format] * bands)
    directory = (
        struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        + bytes(4)
    )
    return b"II*\0" + struct.pack("<I", at + len(table)) + data + table + directory


def read(folder: Path, **settings: object) -> list[np.ndarray]:
    return [sample.image for sample in ImageFolder(path=str(folder), **settings).samples()]


def profile(space: str, gamma: float, primaries: tuple[tuple[float, ...], ...] = ()) -> bytes:
    """An ICC profile, version 2, of primaries and one gamma: ICC.1:2001-04, sections 6.1 and
    6.3."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249)}
    for name, primary in zip("rgb", primaries, strict=False):
        tags |= {
            f"{name}XYZ".encode(): b"XYZ \0\0\0\0" + fixed(*primary),
            f"{name}TRC".encode(): curve,
        }
    if not primaries:
        tags[b"kTRC"] = curve
    table, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(data), len(value))
        data += value
    body = struct.pack(">I", len(tags)) + table + data
    head = struct.pack(
        ">I4sI4s4s4s",
        128 + len(body),
        b"\0\0\0\0",
        0x02400000,
        b"mntr",
        space.ljust(4).encode(),
        b"XYZ ",
    )
    head = head.ljust(36, b"\0") + b"acsp".ljust(32, b"\0") + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + body


def adobe_as_srgb(pixels: np.ndarray) -> np.ndarray:
    """The colours of Adobe RGB in sRGB, IEC 61966-2-1, by its matrix from D50 (Bradford)."""
    linear = (pixels / 255) ** 2.19921875 @ np.array(ADOBE)
    matrix = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    rgb = (linear @ np.array(matrix).T).clip(0, 1)
    return 255 * np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
