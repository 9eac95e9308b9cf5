"""Pictures as phones, scanners and strangers make them: read right, or refused by name and
reason."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from semcore import SourceError
from semcore.media import MAX_SEGMENTS, open_picture, read_picture
from semcore_image.codecs.hevc import register_heif
from semcore_image.sources.cifar10 import CIFAR10
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


# ----------------------------------------------------------------------------------------------
# what is read


@pytest.mark.parametrize(
    "suffix", [".jfif", ".jpe", ".JPG", ".apng", ".dib", ".pbm", ".pnm", ".hif", ".avif", ".AVIF"]
)
def test_names_that_phones_and_browsers_give(tmp_path: Path, suffix: str) -> None:
    register_heif()
    forms = {
        ".avif": "AVIF",
        ".hif": "HEIF",
        ".apng": "PNG",
        ".dib": "BMP",
        ".pbm": "PPM",
        ".pnm": "PPM",
    }
    Image.new("RGB", (40, 24), (100, 100, 100)).save(
        tmp_path / f"a{suffix}", forms.get(suffix.lower(), "JPEG")
    )
    (pixels,) = read(tmp_path)
    assert pixels.shape == (24, 40, 3) and np.abs(pixels.astype(int) - 100).max() <= 3


@pytest.mark.parametrize("form", ["HEIF", "AVIF", "PNG", "WEBP", "TIFF"])
def test_content_says_what_a_file_is(tmp_path: Path, form: str) -> None:
    """A HEIC that a phone's gallery has named .jpg."""
    register_heif()
    Image.new("RGB", (40, 24), (60, 90, 120)).save(tmp_path / "IMG_2.jpg", form)
    (pixels,) = read(tmp_path)
    assert pixels.shape == (24, 40, 3) and np.abs(pixels.astype(int) - (60, 90, 120)).max() <= 4


def test_a_folder_whose_name_ends_like_a_picture_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "album.jpg").mkdir()
    Image.fromarray(scene()).save(tmp_path / "album.jpg" / "x.png")
    Image.fromarray(scene()).save(tmp_path / "z.png")
    assert [one.id for one in ImageFolder(path=str(tmp_path)).samples()] == ["album.jpg/x", "z"]


def test_names_in_any_script(tmp_path: Path) -> None:
    (tmp_path / "子").mkdir()
    for name in ("фото №1 — café 图像 😀.png", "子/b.png", "Thumbs.db", "readme.txt"):
        Image.fromarray(scene()).save(tmp_path / name, "PNG")
    assert [one.id for one in ImageFolder(path=str(tmp_path)).samples()] == [
        "фото №1 — café 图像 😀",
        "子/b",
    ]


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


# ----------------------------------------------------------------------------------------------
# colour profiles


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


# ----------------------------------------------------------------------------------------------
# what is refused


def broken(folder: Path, kind: str) -> Path:
    """A picture that cannot be read."""
    folder.mkdir(exist_ok=True)
    file, content = folder / "bad.jpg", io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    Image.fromarray(noise).save(
        content, "PNG" if kind == "cut" else "JPEG", **({} if kind == "cut" else {"quality": 95})
    )
    match kind:
        case "empty":
            file.write_bytes(b"")
        case "text":
            file.write_bytes(b"just a note\n")
        case "cut":
            file.write_bytes(content.getvalue()[:600])
        case "cut-jpeg":
            file.write_bytes(content.getvalue()[:-300])
        case "head":
            file.write_bytes(content.getvalue()[:30])
        case "pipe":
            os.mkfifo(file)
        case "link":
            file.symlink_to(folder / "nowhere.jpg")
        case "raw":
            file = folder / "bad.dng"
            file.write_bytes(b"II*\0 and so on")
        case "floats":
            Image.fromarray(np.linspace(0, 1, 960, dtype=np.float32).reshape(24, 40)).save(
                file, "TIFF"
            )
        case "floats-to-255":
            Image.fromarray(np.linspace(0, 255, 960, dtype=np.float32).reshape(24, 40)).save(
                file, "TIFF"
            )
        case "32-bits":
            Image.fromarray(np.arange(960, dtype=np.int32).reshape(24, 40)).save(file, "TIFF")
        case "12-bits":
            Image.fromarray(np.arange(960, dtype=np.uint16).reshape(24, 40) * 4).save(file, "TIFF")
        case "12-bit-colours":
            file.write_bytes(tiff(scene().astype(np.uint16) * 16, 1))
        case "signs":
            Image.fromarray(scene()[..., 0]).save(file, "TIFF", tiffinfo={339: 2})
        case "float-colours":
            file.write_bytes(tiff((scene() / 255).astype(np.float32), 3))
        case "white-is-0":
            Image.fromarray(np.arange(960, dtype=np.uint16).reshape(24, 40)).save(
                file, "TIFF", tiffinfo={262: 0}
            )
    return file


REASONS = {
    "empty": "it is empty",
    "text": "it is not a picture",
    "cut": "truncated",
    "cut-jpeg": "truncated",
    "head": "",
    "pipe": "not a file but a pipe",
    "link": "No such file",
    "raw": (
        r"files of the format \.dng "
        r"are not read"
    ),
    "floats": "floating-point numbers, and nothing says which",
    "floats-to-255": ("floating-point numbers"),
    "32-bits": "32 bits or a sign",
    "white-is-0": "of which 0 is white",
    "12-bits": "none reaches a sixteenth",
    "12-bit-colours": "none reaches a sixteenth",
    "signs": "values have a sign",
    "float-colours": "of a kind that is not read",
}


@pytest.mark.parametrize("kind", REASONS)
def test_what_cannot_be_read_is_named_with_the_reason_or_left_out_and_counted(
    tmp_path: Path, kind: str
) -> None:
    bad = broken(tmp_path / "x", kind)
    with pytest.raises(
        SourceError, match=rf"the picture {bad} cannot be read: .*{REASONS[kind]}"
    ) as caught:
        ImageFolder(path=str(tmp_path)).samples()
    assert "set on_error: skip" in str(caught.value)
    with pytest.raises(SourceError, match="cannot be read"):  # there is nothing else
        ImageFolder(path=str(tmp_path), on_error="skip").samples()

    for name in ("a.png", "b.png"):
        Image.fromarray(scene()).save(tmp_path / name)
    with pytest.raises(SourceError, match="cannot be read"):
        ImageFolder(path=str(tmp_path)).samples()
    samples = ImageFolder(path=str(tmp_path), on_error="skip").samples()
    assert [one.id for one in samples] == ["a", "b"] and len(samples) == 2
    ((name, reason),) = samples.left_out
    assert name == f"x/{bad.name}" and reason


def test_all_that_cannot_be_read_are_named_at_once(tmp_path: Path) -> None:
    for kind in ("text", "empty", "cut"):
        broken(tmp_path / kind, kind)
    with pytest.raises(SourceError) as caught:
        ImageFolder(path=str(tmp_path)).samples()
    assert len(caught.value.reasons) == 3 and all(
        kind in str(caught.value) for kind in ("text", "empty", "cut")
    )


def test_a_damaged_picture_of_a_data_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    broken(tmp_path / "test" / "ship", "cut")
    with pytest.raises(SourceError, match=r"ship/bad\.jpg cannot be read: .*truncated"):
        CIFAR10(path=str(tmp_path)).samples()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{}/none", "there is no folder"),
        (
            "{}/*.png",
            r"\*\.png is a pattern, not a folder; write {}: pictures are also found",
        ),
        ("{}/**/a?.png", "is a pattern"),
        ("{}/[ab]", "is a pattern"),
        ("{}/a.png", "is a file, not a folder; write {}"),
        ("{}/empty", "holds no pictures"),
    ],
)
def test_a_path_that_is_not_a_folder_of_pictures_is_named_as_what_it_is(
    tmp_path: Path, path: str, message: str
) -> None:
    Image.fromarray(scene()).save(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=message.format(tmp_path)) as caught:
        ImageFolder(path=path.format(tmp_path)).samples()
    assert caught.value.setting == "path"


def test_a_folder_may_have_the_signs_of_a_pattern_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "[old] what?").mkdir()
    Image.fromarray(scene()).save(tmp_path / "[old] what?" / "a.png")
    assert len(ImageFolder(path=str(tmp_path / "[old] what?")).samples()) == 1


# ---------------------------------------------------------------------------------------------- how
# much


def jpeg_with(segment: bytes, count: int) -> io.BytesIO:
    content = io.BytesIO()
    Image.fromarray(scene()).save(content, "JPEG")
    data = content.getvalue()
    return io.BytesIO(data[:2] + segment * count + data[2:])


@pytest.mark.parametrize(
    "segment",
    [b"\xff\xe1\x00\x10Exif\0\0MM\0*\0\0\0\x08", b"\xff\xfe\x00\x03x", b"\xff\xe2\x00\x0aICC_PROF"],
)
def test_a_jpeg_of_hundreds_of_thousands_of_segments_is_refused_before_they_are_read(
    segment: bytes,
) -> None:
    """Pillow appends each segment of EXIF to those before: 200,000 took minutes."""
    file = jpeg_with(segment, 200_000)
    with pytest.raises(OSError, match=f"more than {MAX_SEGMENTS:,} segments"):
        open_picture(file, ("JPEG",))
    assert read_picture(jpeg_with(b"\xff\xfe\x00\x03x", 300), ("JPEG",)).size == (40, 24)


def test_fill_bytes_before_a_marker_are_few() -> None:
    assert read_picture(jpeg_with(b"\xff" * 90, 1), ("JPEG",)).size == (40, 24)
    for fill in (b"\xff" * 10_000_000, b"\0" * 10_000_000):
        with pytest.raises(OSError, match="fill bytes"):
            open_picture(jpeg_with(fill, 1), ("JPEG",))


def test_a_picture_is_not_gone_over_again_and_again(tmp_path: Path) -> None:
    """Scans of a progressive JPEG, of which a decoder paints each over the whole picture."""
    content = io.BytesIO()
    Image.fromarray(scene()).save(content, "JPEG", progressive=True)
    data = content.getvalue()
    start = data.index(b"\xff\xda")
    end = data.index(b"\xff\xda", start + 2)
    # metadata between scans that look like the end of the picture
    hidden = b"\xff\xe1\x00\x08\xff\xd9more"
    (tmp_path / "a.jpg").write_bytes(data[:end] + (data[start:end] + hidden) * 200 + data[end:])
    with pytest.raises(SourceError, match="more than 100 scans"):
        ImageFolder(path=str(tmp_path)).samples()
    # A phone appends a film, in which any bytes may stand.
    (tmp_path / "a.jpg").write_bytes(data + data[start:end] * 200)
    assert len(ImageFolder(path=str(tmp_path)).samples()) == 1


def test_pictures_of_a_folder_are_in_memory_one_at_a_time(tmp_path: Path) -> None:
    for index in range(40):
        Image.fromarray(np.full((256, 256, 3), index, np.uint8)).save(
            tmp_path / f"{index:02d}.png", compress_level=1
        )
    ImageFolder(path=str(tmp_path), limit=1).samples()  # what is imported on first use
    tracemalloc.start()
    try:
        samples = ImageFolder(path=str(tmp_path)).samples()
        assert [int(sample.image[0, 0, 0]) for sample in samples] == list(range(40))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * 256 * 256 * 3 / 4


def test_no_warning_of_pillow_reaches_the_user(tmp_path: Path) -> None:
    """It wrote that a palette's transparency should be converted to RGBA, and of damaged EXIF data
    in a good picture."""
    Image.new("P", (8, 8)).save(tmp_path / "a.png", transparency=b"\0\x80")
    Image.new("RGB", (8, 8)).save(tmp_path / "b.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read(tmp_path)) == 2
