"""Segments of clips and the words that are spoken in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semcore import ComponentError, SourceError, digest, heads
from semcore_video.media import reading
from semcore_video.media.reading import probe
from semcore_video.sources.clips import Clips, Grid

from ..support.clips import SIZE, read
from ..support.files import greys, tone, write

pytest.importorskip("av")


def test_segments_are_read_on_demand_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [index / 25 for index in range(110)]
    for name in "ab":
        write(tmp_path / f"{name}.mp4", greys(110), times, tone(4.4, 0.5), form="mp4")
    whole, decoded = read(tmp_path / "a.mp4"), list[int]()
    finish = reading.Upright.__call__
    monkeypatch.setattr(
        reading.Upright,
        "__call__",
        lambda self, frame: decoded.append(1) or finish(self, frame),
    )
    samples = Clips(str(tmp_path), size=SIZE, face=False, segment_s=1.0).samples()
    assert [name for name, _ in heads(samples)] == [
        f"{name}/{number:03d}" for name in "ab" for number in range(4)
    ]
    assert not decoded  # the rest of 0.4 s is left out
    for at in (0, 1, 2, 5, 3, 1, 0):
        got = samples[at % 4]
        assert (got.video == whole.video[25 * (at % 4) :][:25]).all()
        assert np.abs(got.audio - whole.audio[16000 * (at % 4) :][:16000]).max() < 1e-6
    assert len(decoded) == 7 * 25


def test_many_clips_at_once_keep_few_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of several users alternate; closed clips are read again from the start."""
    from semcore_video.sources import clips

    for number in range(4):
        write(
            tmp_path / f"{number}.mp4",
            [frame + np.uint8(10 * number) for frame in greys(30)],
            25,
            form="mp4",
        )
    monkeypatch.setattr(clips, "OPEN_PIXELS", 2 * SIZE[0] * SIZE[1])
    samples = Clips(str(tmp_path), size=SIZE, face=False, segment_s=0.4).samples()
    for at in (0, 3, 6, 9, 1, 4, 7, 10, 2, 5):
        wanted = 40 + 10 * (at // 3) + 10 * (at % 3)
        assert abs(int(samples[at].video[0, 40, 80, 0]) - wanted) <= 2


def test_samples_are_known_by_what_the_file_holds(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    place = write(tmp_path / "one" / "a.mp4", greys(10), 25, form="mp4")
    (tmp_path / "two" / "a.mp4").write_bytes(place.read_bytes())

    def known(folder: str, **settings: object) -> str:
        return digest(Clips(str(tmp_path / folder), face=False, **settings).samples())

    assert known("one") == known("two") != known("one", size=SIZE)
    (tmp_path / "two" / "a.txt").write_text("words")
    assert known("one") != known("two")
    write(tmp_path / "one" / "a.mp4", greys(11)[1:], 25, form="mp4")
    (tmp_path / "two" / "a.txt").unlink()
    assert known("one") != known("two")


def test_a_clip_that_is_too_long_for_one_segment_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "clip.mp4", greys(30), 25, form="mp4")
    monkeypatch.setattr(reading, "MAX_FRAMES", 20)
    with pytest.raises(ComponentError, match="30 frames at once.*segment_s"):
        read(tmp_path / "clip.mp4")
    assert len(read(tmp_path / "clip.mp4", segment_s=0.4).video) == 10
    monkeypatch.setattr(reading, "MAX_CLIP_FRAMES", 20)
    with pytest.raises(SourceError, match="more than 20 frames"):
        read(tmp_path / "clip.mp4")


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"words" * 100)
    (tmp_path / "other.MOV").write_bytes(b"")
    with pytest.raises(
        SourceError, match=r"clip\.mp4 cannot be read as a video: .*\n.*other\.MOV cannot be read"
    ):
        Clips(str(tmp_path)).samples()
    (tmp_path / "other.MOV").unlink()
    write(tmp_path / "clip.mp4", greys(30), 25, form="mp4")
    assert probe(tmp_path / "clip.mp4").frames == 30
    (tmp_path / "album.mp4").mkdir()
    (tmp_path / "._clip.mp4").write_bytes(b"what macOS leaves beside a file")
    assert len(Clips(str(tmp_path)).samples()) == 1
    for missing, said in (
        (tmp_path / "nowhere", "there is no"),
        (tmp_path / "album.mp4", "contains no video"),
    ):
        with pytest.raises(SourceError, match=said):
            Clips(str(missing)).samples()


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfset white\r\n", b"set white", "\ufeffset white\n".encode("utf-16-le")]
)
def test_a_byte_order_mark_is_no_word(tmp_path: Path, data: bytes) -> None:
    write(tmp_path / "clip.mp4", greys(5), 25, form="mp4")
    (tmp_path / "clip.txt").write_bytes(data)
    assert read(tmp_path / "clip.mp4").text == "set white"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_in_another_encoding_names_the_file_and_the_byte(tmp_path: Path, mark: bytes) -> None:
    write(tmp_path / "clip.mp4", greys(5), 25, form="mp4")
    (tmp_path / "clip.txt").write_bytes(mark + "set\ncafé".encode("latin-1"))
    with pytest.raises(
        SourceError,
        match=rf"clip\.txt is not UTF-8 text: byte 0xE9 at position {7 + len(mark)} \(line 2\)",
    ):
        Clips(str(tmp_path)).samples()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32"])
def test_text_whose_encoding_nobody_names_is_refused(tmp_path: Path, encoding: str) -> None:
    write(tmp_path / "clip.mp4", greys(5), 25, form="mp4")
    (tmp_path / "clip.txt").write_bytes("set white".encode(encoding))
    with pytest.raises(SourceError, match=r"clip\.txt is not UTF-8 text: "):
        Clips(str(tmp_path)).samples()


TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
2
<exists>
1
"IntervalTier"
"words"
0
2
4
0
0.7
"set"
0.7
1.2
"white"
1.2
1.8
"At"
1.8
2
""
"""


def test_the_segments_of_a_clip_have_the_words_that_are_spoken_in_them(tmp_path: Path) -> None:
    pytest.importorskip("praatio", reason="pip install 'semcore-video[speech]'")
    place = write(tmp_path / "clip.mp4", greys(50), 25, tone(2, 0.3), form="mp4")
    source = Clips(str(place), size=SIZE, face=False, segment_s=0.8)

    def words(source: Clips) -> list[str | None]:
        return [sample.text for sample in source.samples()]

    assert words(source) == [None, None, None] and not any(
        sample.found for sample in source.samples()
    )
    assert source.remarks() == []
    (tmp_path / "clip.txt").write_text("set white at")
    assert words(source) == [None, None, None]
    assert [sample.found for sample in source.samples()] == [
        {"words": (0, 20)},
        {"words": (0, 20)},
        {"words": (0, 10)},
    ]
    assert source.remarks() == [
        "clip.mp4: the words of its segments are unknown, so metrics of words have no value: add "
        "clip.TextGrid with the times of the words"
    ]
    before = digest(source.samples())
    (tmp_path / "clip.TextGrid").write_text(TEXTGRID)
    assert (
        words(source) == ["set", "white At", ""]
        and source.remarks() == []
        and digest(source.samples()) != before
    )
    assert not any(sample.found for sample in source.samples())
    # A rest that is left out takes its words along.
    assert words(Clips(str(place), size=SIZE, face=False, segment_s=1.4)) == ["set white"]
    assert words(Clips(str(place), size=SIZE, face=False)) == ["set white at"]
    (tmp_path / "clip.txt").unlink()
    assert words(Clips(str(place), size=SIZE, face=False)) == ["set white At"]
    (tmp_path / "clip.TextGrid").write_text("words")
    with pytest.raises(
        SourceError, match=r"clip\.TextGrid is not a TextGrid with the tier 'words'"
    ):
        source.samples()


def test_a_clip_without_a_sound_track_has_no_sound_and_not_silence(tmp_path: Path) -> None:
    write(tmp_path / "mute.mp4", greys(10), 25, form="mp4")
    write(tmp_path / "quiet.mp4", greys(10), 25, tone(0.4, 0.0), form="mp4")
    source = Clips(str(tmp_path), size=SIZE, face=False)
    mute, quiet = source.samples()
    assert mute.audio is None and mute.sample_rate_hz is None and mute.found == {"sound": (0, 10)}
    assert mute.source_bits == 8 * mute.video.size, "no bits of a silence that nobody recorded"
    assert quiet.audio is not None and len(quiet.audio) == 6400 and quiet.found == {}
    assert source.remarks() == ["mute.mp4: no sound"]


def test_segments_of_grid_do_not_have_the_whole_sentence(tmp_path: Path) -> None:
    place = write(tmp_path / "bbaf2n.mp4", greys(50), 25, form="mp4")
    assert Grid(str(place), size=SIZE, face=False).samples()[0].text == "bin blue at f two now"
    assert [
        one.text for one in Grid(str(place), size=SIZE, face=False, segment_s=1.0).samples()
    ] == [None, None]


def test_clips_that_differ_in_nothing_but_the_ending_of_their_names_are_two_users(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.mp4", greys(5), 25, form="mp4")
    write(tmp_path / "a.mov", greys(10), 25)
    write(tmp_path / "b.mov", greys(5), 25)
    assert heads(Clips(str(tmp_path), size=SIZE, face=False).samples()) == [
        ("a.mov/000", "a.mov"), ("a.mp4/000", "a.mp4"), ("b/000", "b"),
    ]  # fmt: skip
