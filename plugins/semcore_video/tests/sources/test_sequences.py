"""Sequences of pictures on disk, valid and malformed."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from semcore import SourceError
from semcore.media import MAX_FILE_BYTES
from semcore_video.sources import sequences
from semcore_video.sources.sequences import PictureSequences


def picture(value: int, size: tuple[int, int] = (6, 4)) -> Image.Image:
    return Image.new("RGB", size, (value, value, value))


@pytest.fixture
def clips(tmp_path):
    for user, names in {"ann": ["frame10", "frame2", "frame1"], "bob": ["a"]}.items():
        (tmp_path / user).mkdir()
        for value, name in enumerate(names):
            picture(40 * value).save(tmp_path / user / f"{name}.png")
    frames = [picture(value) for value in (0, 100, 200)]
    for suffix in ("gif", "webp", "png"):
        options = {"lossless": True} if suffix == "webp" else {}
        frames[0].save(
            tmp_path / f"clip.{suffix}",
            save_all=True,
            append_images=frames[1:],
            duration=40,
            **options,
        )
    picture(9).save(tmp_path / "still.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_each_sequence_is_a_user_and_its_pictures_are_in_natural_order(clips):
    samples = PictureSequences(str(clips)).samples()
    by_user = {}
    for one in samples:
        by_user.setdefault(one.user, []).append((one.id.split("/")[1], int(one.image[0, 0, 0])))
    animated = [("0000", 0), ("0001", 100), ("0002", 200)]
    assert by_user == {
        "ann": [("frame1.png", 80), ("frame2.png", 40), ("frame10.png", 0)],
        "bob": [("a.png", 0)],
        "clip.gif": animated,
        "clip.png": animated,
        "clip.webp": animated,
    }
    assert len({one.id for one in samples}) == len(samples)
    assert samples[0].image.shape == (4, 6, 3)


def test_the_path_may_be_one_sequence(clips):
    assert [one.user for one in PictureSequences(str(clips / "ann")).samples()] == ["ann"] * 3
    assert [one.id for one in PictureSequences(str(clips / "clip.gif")).samples()][
        -1
    ] == "clip.gif/0002"


def test_length_every_and_size(clips):
    taken = PictureSequences(str(clips / "clip.gif"), every=2).samples()
    assert [one.id for one in taken] == ["clip.gif/0000", "clip.gif/0002"]
    taken = PictureSequences(str(clips), length=1, every=2, size=(3, 5)).samples()
    assert len(taken) == 5 and all(one.image.shape == (3, 5, 3) for one in taken)


def test_transparency_is_white_and_16_bits_keep_their_high_byte(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "1.png")
    Image.fromarray(np.full((4, 4), 0x8001, np.uint16)).save(tmp_path / "2.png")
    samples = PictureSequences(str(tmp_path)).samples()
    assert [int(one.image.min()) for one in samples] == [255, 0x80]


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(40), b"RIFF....WEBPVP8 "]
)
@pytest.mark.parametrize("name", ["bad.gif", "bad.png", "bad.webp", "user/bad.png"])
def test_a_damaged_file_is_named(tmp_path, name, content):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    with pytest.raises(SourceError, match="bad"):
        PictureSequences(str(tmp_path)).samples()


def test_a_truncated_picture_is_named(tmp_path):
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(
        whole
    )
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "cut.png").write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(SourceError, match="cut.png"):
        PictureSequences(str(tmp_path)).samples()


def test_nothing_to_read_says_what_to_do(tmp_path):
    with pytest.raises(SourceError, match="neither folders of pictures"):
        PictureSequences(str(tmp_path)).samples()
    with pytest.raises(SourceError, match="there is no"):
        PictureSequences(str(tmp_path / "absent")).samples()


def animation(frames: int, side: int) -> bytes:
    """A GIF of `frames` frames of one pixel on a large canvas: 23 bytes each."""
    canvas = b"GIF89a" + struct.pack("<HH", side, side) + b"\xf0\0\0" + bytes(6)
    frame = (
        b"\x21\xf9\x04\0\0\0\0\0\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\x02\x02\x4c\x01\0"
    )
    return canvas + frames * frame + b";"


@pytest.mark.parametrize(("frames", "side"), [(100_000, 8), (300, 8000)])
@pytest.mark.default_cases(1)
def test_an_animation_that_is_too_long_is_named_before_it_is_decoded(tmp_path, frames, side):
    (tmp_path / "long.gif").write_bytes(animation(frames, side))
    with pytest.raises(
        SourceError,
        match=r"long\.gif is too long: .* the maximum is 10,000 pictures and 1,073,741,824 pixels",
    ):
        PictureSequences(str(tmp_path)).samples()
    with pytest.raises(
        SourceError, match="too long"
    ):  # those that are left out must be painted, too
        PictureSequences(str(tmp_path), every=frames - 1).samples()
    assert len(PictureSequences(str(tmp_path), length=2, size=(8, 8)).samples()) == 2


def test_a_folder_that_is_too_long_is_named(clips, monkeypatch):
    monkeypatch.setattr("semcore_video.sources.sequences.MAX_SEQUENCE_PIXELS", 3 * 24 - 1)
    with pytest.raises(SourceError, match="ann is too long: 3 pictures of 24 pixels"):
        PictureSequences(str(clips)).samples()
    monkeypatch.setattr("semcore_video.sources.sequences.MAX_SEQUENCE_PIXELS", 3 * 24)
    monkeypatch.setattr("semcore_video.sources.sequences.MAX_FRAMES", 2)
    with pytest.raises(SourceError, match="ann is too long: 3 pictures"):
        PictureSequences(str(clips)).samples()
    assert len(PictureSequences(str(clips), length=2).samples()) == 9


@pytest.mark.parametrize("side", [8193, 9500, 13500])
def test_a_picture_that_is_too_large_is_named_with_the_limit(tmp_path, side):
    (tmp_path / "user").mkdir()
    Image.new("1", (side, side)).save(tmp_path / "user" / "bad.png")
    with pytest.raises(SourceError, match=r"bad\.png cannot be read as a picture: .*67,108,864"):
        PictureSequences(str(tmp_path)).samples()


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "bad.gif", "wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(
        SourceError, match=r"bad\.gif cannot be read as a picture: it has 536,870,913 bytes"
    ):
        PictureSequences(str(tmp_path)).samples()


def test_pictures_are_read_when_they_are_needed_in_any_order(clips, monkeypatch):
    samples = PictureSequences(str(clips)).samples()
    decoded = []
    decode = sequences._decoded
    monkeypatch.setattr(
        sequences,
        "_decoded",
        lambda *given: decoded.append(given[1].name) or decode(*given),
    )
    shown = {one: (sample := samples[one]).id for one in (5, 4, 6, 0, 12, 4)}
    assert [int(samples[one].image[0, 0, 0]) for one in (5, 4, 6)] == [100, 0, 200] and len(
        set(shown.values())
    ) == 5
    assert len(decoded) == 9 and sample.id == "clip.gif/0000"


def test_every_picture_that_cannot_be_read_is_named_at_once(clips):
    (clips / "ann" / "frame3.png").write_bytes(b"no picture")
    (clips / "bob" / "b.jpg").write_bytes(b"")
    with pytest.raises(
        SourceError,
        match=r"(?s)frame3\.png cannot be read as a picture.*b\.jpg cannot be read as a picture",
    ):
        PictureSequences(str(clips)).samples()
