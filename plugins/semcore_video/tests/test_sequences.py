"""Sequences on disk, well-formed and not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from semcore.errors import ComponentError
from semcore_video.sequences import PictureSequences


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
        frames[0].save(tmp_path / f"clip.{suffix}", save_all=True, append_images=frames[1:], duration=40, **options)
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
    assert [one.id for one in PictureSequences(str(clips / "clip.gif")).samples()][-1] == "clip.gif/0002"


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


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(40), b"RIFF....WEBPVP8 "])
@pytest.mark.parametrize("name", ["bad.gif", "bad.png", "bad.webp", "user/bad.png"])
def test_a_damaged_file_is_named(tmp_path, name, content):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    with pytest.raises(ComponentError, match="bad"):
        PictureSequences(str(tmp_path)).samples()


def test_a_truncated_picture_is_named(tmp_path):
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(whole)
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "cut.png").write_bytes(whole.read_bytes()[:2000])
    with pytest.raises(ComponentError, match="cut.png"):
        PictureSequences(str(tmp_path)).samples()


def test_nothing_to_read_says_what_to_do(tmp_path):
    with pytest.raises(ComponentError, match="neither folders of pictures"):
        PictureSequences(str(tmp_path)).samples()
    with pytest.raises(ComponentError, match="there is no"):
        PictureSequences(str(tmp_path / "absent")).samples()
