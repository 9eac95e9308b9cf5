"""Colours of pictures that others bring: depth, transparency and profiles."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from semcore import SourceError
from semcore_image.codecs.hevc import register_heif
from semcore_image.sources.folder import ImageFolder

from ..support.pictures import ADOBE, adobe_as_srgb, profile, read, scene, tiff


def test_sixteen_bits_keep_their_upper_eight(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 24 * 40).reshape(24, 40).astype(np.uint16)
    Image.fromarray(grey).save(tmp_path / "a.png")
    Image.fromarray(grey).save(tmp_path / "b.tif")
    for pixels in read(tmp_path):
        assert np.array_equal(pixels, np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, -1))


def test_colours_of_sixteen_bits_keep_their_upper_eight(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(scene().astype(np.uint16) * 257, 1))
    assert np.array_equal(read(tmp_path)[0], scene())


def test_a_black_picture_of_sixteen_bits_is_black(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((24, 40), np.uint16)).save(tmp_path / "a.tif")
    assert not read(tmp_path)[0].any()


def test_grey_with_transparency_lies_on_white(tmp_path: Path) -> None:
    grey = np.stack(
        [np.full((24, 40), 100), np.tile(np.arange(40) * 255 // 39, (24, 1))], -1
    ).astype(np.uint8)
    Image.fromarray(grey, "LA").save(tmp_path / "a.png")
    (pixels,) = read(tmp_path)
    assert (
        np.allclose(pixels[..., 0], 255 + (100.0 - 255) * grey[..., 1] / 255, atol=1)
        and np.ptp(pixels, axis=2).max() == 0
    )


def png_of_sixteen_bits(values: np.ndarray, clear: tuple[int, ...]) -> bytes:
    """A PNG of 16 bits, grey or colours, of which one value is transparent (tRNS)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, 0 if values.ndim == 2 else 2, 0, 0, 0)
    transparent = struct.pack(f">{len(clear)}H", *clear)
    parts = (
        (b"IHDR", header),
        (b"tRNS", transparent),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("clear", [(0x4001,), (0x8000, 0x4001, 0x1234)])
def test_a_transparent_value_of_sixteen_bits_lies_on_white(
    clear: tuple[int, ...], tmp_path: Path
) -> None:
    values = np.full((8, 8, len(clear)), 0x2222, np.uint16)
    values[:, 4:] = clear
    (tmp_path / "a.png").write_bytes(png_of_sixteen_bits(values.squeeze(), clear))
    (pixels,) = read(tmp_path)
    assert (pixels[:, :4] == 0x22).all() and (pixels[:, 4:] == 255).all()


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG", "WEBP", "AVIF", "HEIF"])
def test_an_embedded_profile_becomes_srgb(tmp_path: Path, form: str) -> None:
    register_heif()
    finest = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 100, "subsampling": 0},
        "AVIF": {"quality": 100, "subsampling": "4:4:4"},
        "HEIF": {"quality": -1, "chroma": "444"},
    }
    icc = profile("RGB", 2.19921875, ADOBE)
    pixels = (
        np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    )
    Image.fromarray(pixels).save(tmp_path / "a.png", form, icc_profile=icc, **finest.get(form, {}))
    (found,) = read(tmp_path)
    exact = form in ("PNG", "TIFF", "WEBP")
    off = np.abs(found - adobe_as_srgb(pixels))[8::16, 8::16]
    assert (off.max() <= 2 if exact else off.mean() <= 3) and np.abs(
        found.astype(int) - pixels
    ).max() > 20


def test_a_profile_of_srgb_changes_nothing(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.random.default_rng(1).integers(0, 256, (24, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=srgb)
    assert np.array_equal(read(tmp_path)[0], pixels)


def test_grey_pictures_obey_profiles_of_grey_and_of_colours(tmp_path: Path) -> None:
    steps = np.tile(np.arange(256, dtype=np.uint8), (8, 1))
    linear = Image.fromarray(steps)
    linear.save(tmp_path / "a.png", icc_profile=profile("GRAY", 1.0))
    linear.save(tmp_path / "b.png", icc_profile=profile("RGB", 2.19921875, ADOBE))
    Image.merge("LA", (linear, Image.new("L", linear.size, 255))).save(
        tmp_path / "c.png", icc_profile=profile("GRAY", 1.0)
    )
    grey, coloured, opaque = (pixels[0, :, 0].astype(float) for pixels in read(tmp_path))
    values = np.arange(256) / 255
    wanted = 255 * np.where(
        values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055
    )
    assert np.abs(grey - wanted).max() <= 2 and np.array_equal(grey, opaque)
    assert (
        np.abs(coloured - adobe_as_srgb(np.repeat(np.arange(256.0)[:, None], 3, 1))[:, 0]).max()
        <= 2
    )


def test_transparent_parts_lie_on_white_after_the_profile(tmp_path: Path) -> None:
    pixels = np.dstack([np.full((8, 8, 3), (10, 200, 30), np.uint8), np.full((8, 8), 0, np.uint8)])
    pixels[:, 4:, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=profile("RGB", 2.19921875, ADOBE))
    (found,) = read(tmp_path)
    assert (found[:, :4] == 255).all() and np.abs(
        found[:, 4:] - adobe_as_srgb(pixels[:, 4:, :3])
    ).max() <= 2


@pytest.mark.parametrize(
    ("mode", "icc", "reason"),
    [
        ("RGB", b"garbage" * 40, "its colour profile cannot be obeyed"),
        ("RGB", profile("RGB", 2.2, ADOBE)[:200], "its colour profile cannot be obeyed"),
        ("RGB", profile("GRAY", 2.2), "its colour profile is for GRAY, and its pixels are RGB"),
    ],
)
def test_a_profile_that_cannot_be_obeyed_is_named(
    tmp_path: Path, mode: str, icc: bytes, reason: str
) -> None:
    Image.new(mode, (8, 8)).save(tmp_path / "a.png", icc_profile=icc)
    with pytest.raises(SourceError, match=rf"a\.png cannot be read: {reason}"):
        ImageFolder(path=str(tmp_path)).samples()
