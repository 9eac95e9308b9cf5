"""Pictures that others bring: read by content and name, or refused by name and reason."""

from __future__ import annotations

import io
import os
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semcore import SourceError
from semcore.media import MAX_SEGMENTS, open_picture, read_picture
from semcore_image.codecs.hevc import register_heif
from semcore_image.sources.cifar10 import CIFAR10
from semcore_image.sources.folder import ImageFolder

from ..support.pictures import read, scene, tiff


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
