"""Clips as phones, cameras and editors make them: their pictures and sound, and the timing."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from semcore import ComponentError, Sample, SourceError, digest, heads
from semcore_video.media import reading
from semcore_video.media.reading import frame_rate, probe
from semcore_video.sources.clips import Clips, Grid

from ..files import beep, begins, flash, flashes, greys, tone, write

pytest.importorskip("av")
SIZE = (96, 160)


def read(place: Path, size: tuple[int, int] = SIZE, **settings: object) -> Sample:
    return Clips(str(place), size=size, face=False, **settings).samples()[0]


# ----------------------------------------------------------------------------------------------
# time stamps

REGULAR = [index / 25 for index in range(26)]
SPARSE = [*REGULAR, 1.8, 2.6, 3.4, 4.2]
DROPPED = [index / 30 for index in range(120) if index % 7 not in (2, 3) and not 40 < index < 60]
JITTER = [index / 30 + 0.004 * (-1) ** (index * index % 3) for index in range(1, 120)]


@pytest.mark.parametrize("form", ["mp4", "matroska", "mov"])
@pytest.mark.parametrize("times", [SPARSE, DROPPED, JITTER], ids=["sparse", "dropped", "jitter"])
@pytest.mark.parametrize("sound_at", [0.0, 0.4])
def test_a_flash_and_a_beep_at_one_instant_stay_together(
    tmp_path: Path, form: str, times: list[float], sound_at: float
) -> None:
    place = tmp_path / "clip.mkv"
    when = next(moment for moment in times if moment > 0.7 * times[-1])
    sound = beep(times[-1] + 0.3 - sound_at, when - sound_at)
    write(place, flash(times, when), times, sound, sound_at, form=form)
    got = read(place)
    assert abs(flashes(got.video, got.fps) - (when - times[0])) <= 0.5 / got.fps + 2e-3
    assert abs(begins(got.audio) - (when - times[0])) < 0.01
    assert abs(len(got.video) / got.fps - len(got.audio) / 16000) < 1e-3
    assert len(got.video) / got.fps > times[-1] - times[0] + 0.1  # nothing is cut


def test_sound_that_begins_before_the_picture_is_cut_to_it(tmp_path: Path) -> None:
    times = [1.0 + index / 25 for index in range(50)]
    write(tmp_path / "clip.mkv", flash(times, 2.0), times, beep(3.0, 2.0), form="matroska")
    got = read(tmp_path / "clip.mkv")
    assert (
        flashes(got.video, got.fps) == 1.0
        and abs(begins(got.audio) - 1.0) < 0.01
        and len(got.video) == 50
    )


def test_program_streams_begin_where_they_like(tmp_path: Path) -> None:
    place, times = tmp_path / "clip.mpg", [index / 25 for index in range(50)]
    write(
        place,
        flash(times, 1.2),
        25,
        beep(2.0, 1.2, 44100),
        codec="mpeg1video",
        sound_codec="mp2",
        rate_hz=44100,
        form="mpeg",
        time_base=Fraction(1, 25),
    )
    got = read(place)
    assert (len(got.video), got.fps) == (50, 25.0)
    assert flashes(got.video, got.fps) == 1.2 and abs(begins(got.audio) - 1.2) < 0.02


def test_a_gap_in_the_sound_is_silence(tmp_path: Path) -> None:
    from types import SimpleNamespace

    from semcore_video.media.sounds import Track

    def part(time: float | None, level: float) -> tuple[float | None, object]:
        import av

        frame = av.AudioFrame.from_ndarray(
            np.full((1, 800), level, np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 8000
        return time, frame

    frames = [
        part(-0.05, 0.1),
        part(0.05, 0.2),
        part(0.151, 0.3),
        part(0.45, 0.4),
        part(0.5, 0.5),
        part(None, 0.6),
    ]
    got = Track(iter(frames), 8000).take(0, 8000)
    levels = [
        round(float(got[round(time * 8000)]), 2)
        for time in (0.01, 0.049, 0.06, 0.2, 0.26, 0.44, 0.46, 0.56, 0.64, 0.8)
    ]
    assert levels == [0.1, 0.1, 0.2, 0.3, 0.0, 0.0, 0.4, 0.5, 0.6, 0.0]
    other = SimpleNamespace(sample_rate=16000)
    with pytest.raises(ComponentError, match="sample rate changes"):
        Track(iter([part(0.0, 0.1), (0.1, other)]), 8000).take(0, 8000)


@pytest.mark.parametrize(
    ("fps", "round_ms"),
    [
        (10, True),
        (15, True),
        (24000 / 1001, False),
        (25, True),
        (30000 / 1001, False),
        (50, True),
        (60, True),
    ],
)
def test_the_rate_of_the_camera_is_found_behind_what_it_dropped(fps: float, round_ms: bool) -> None:
    times = [index / fps for index in range(90) if index % 11 != 5]
    times = [round(time, 3) for time in times] if round_ms else times
    assert frame_rate(times) == pytest.approx(fps, rel=1e-6)
    assert frame_rate([0.0], [Fraction(12)]) == 12 and frame_rate([], []) == 25


@pytest.mark.parametrize("fps", [10.0, 24000 / 1001, 30000 / 1001, 50.0, 60.0])
@pytest.mark.parametrize("form", ["mp4", "matroska"])
def test_every_picture_of_a_regular_clip_is_there_once(
    tmp_path: Path, fps: float, form: str
) -> None:
    base = Fraction(fps).limit_denominator(1001)
    write(tmp_path / "clip.mkv", greys(45), fps, form=form, time_base=1 / base)
    got = read(tmp_path / "clip.mkv")
    assert len(got.video) == 45 and got.fps == pytest.approx(fps, rel=1e-6)
    assert np.abs(got.video[:, 40, 80, 0].astype(int) - np.arange(40, 85)).max() <= 2


def test_a_part_that_an_edit_list_leaves_out_is_not_seen(tmp_path: Path) -> None:
    """As after trimming on a phone: the file begins at the preceding key frame and states from
    where it is shown."""
    times = [-0.4 + index / 25 for index in range(60)]
    write(
        tmp_path / "clip.mov", greys(60), times, form="mov", movie={"avoid_negative_ts": "disabled"}
    )
    got = read(tmp_path / "clip.mov")
    assert len(got.video) == 50 and abs(int(got.video[0, 40, 80, 0]) - 50) <= 2


# ---------------------------------------------------------------------------------------------- how
# as displayed


def corner(height: int = 96, width: int = 160) -> list[np.ndarray]:
    """Pictures with a white top left corner and a red right half."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[:, width // 2 :] = (200, 30, 30)
    picture[: height // 4, : width // 4] = 250
    return [picture] * 5


def turned(place: Path, out: Path, matrix: tuple[int, int, int, int]) -> Path:
    """The same file with another display matrix in its header (of video tracks: ISO 14496-12,
    tkhd)."""
    data = bytearray(place.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    unit = 1 << 16
    a, b, c, d = (one * unit for one in matrix)
    data[at : at + 36] = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    out.write_bytes(bytes(data))
    return out


@pytest.mark.parametrize(
    ("matrix", "seen"),
    [
        ((1, 0, 0, 1), lambda one: one),
        ((0, 1, -1, 0), lambda one: np.rot90(one, -1)),
        ((-1, 0, 0, -1), lambda one: np.rot90(one, 2)),
        ((0, -1, 1, 0), lambda one: np.rot90(one, 1)),
        ((-1, 0, 0, 1), lambda one: one[:, ::-1]),
        ((1, 0, 0, -1), lambda one: one[::-1]),
        ((0, 1, 1, 0), lambda one: one.transpose(1, 0, 2)),
    ],
    ids=["0", "90", "180", "270", "mirrored", "upside down", "transposed"],
)
def test_pictures_are_upright(
    tmp_path: Path, matrix: tuple[int, int, int, int], seen: object
) -> None:
    write(tmp_path / "flat.mp4", corner(), 25, form="mp4")
    wanted = seen(corner()[0])  # type: ignore[operator]
    got = read(turned(tmp_path / "flat.mp4", tmp_path / "clip.mp4", matrix), wanted.shape[:2])
    assert np.abs(got.video[2].astype(int) - wanted).mean() < 3


@pytest.mark.parametrize(
    ("matrix", "pixels"),
    [(5, "yuv420p"), (1, "yuv420p"), (1, "yuv420p10le"), (9, "yuv420p10le"), (1, "yuv444p")],
)
def test_red_is_red_by_whatever_matrix(tmp_path: Path, matrix: int, pixels: str) -> None:
    red = [np.full((96, 160, 3), (200, 30, 30), np.uint8)] * 3
    write(tmp_path / "clip.mp4", red, 25, pixels=pixels, matrix=matrix, form="mp4")
    assert np.abs(read(tmp_path / "clip.mp4").video.astype(int) - (200, 30, 30)).max() <= 3


TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""From linear sRGB: ITU-R BT.2087-0, section 2."""
COLOURS = np.array(
    [[90, 90, 90], [140, 60, 40], [30, 120, 60], [50, 60, 150], [150, 140, 20], [0, 0, 0]], np.uint8
)


def hdr(signal: np.ndarray, place: Path, transfer: int) -> np.ndarray:
    """What is read of bars of R'G'B', 0..1, (N, 3), in BT.2020: uint8 (N, 3)."""
    bars = np.repeat(np.round(signal * 255).astype(np.uint8), 20, 0)[None].repeat(96, 0)
    lossless = {"x265-params": "lossless=1:log-level=none"}
    named = {"matrix": 9, "transfer": transfer, "primaries": 9}
    write(place, [bars] * 3, 25, codec="libx265", pixels="yuv444p10le", options=lossless, **named)
    return read(place, bars.shape[:2]).video[1][48, 10::20]


def light(colours: np.ndarray) -> np.ndarray:
    """Linear light, cd/m², of sRGB colours whose white has 203 (ITU-R BT.2408), in BT.2020."""
    values = colours / 255
    return (
        203
        * np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        @ TO_BT2020.T
    )


def test_the_colours_of_perceptual_quantisation_are_those_of_srgb(tmp_path: Path) -> None:
    power = (light(COLOURS) / 10000) ** (2610 / 16384)
    signal = (
        (0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)
    ) ** 78.84375  # SMPTE ST 2084, eq. 5.2
    assert (
        np.abs(hdr(signal, tmp_path / "pq.mp4", 16).astype(int) - COLOURS).max() <= 6
    )  # 8 bits are coarse in the dark


def test_the_colours_of_hybrid_log_gamma_are_those_of_srgb(tmp_path: Path) -> None:
    display = light(COLOURS) / 1000
    luminance = np.maximum(display @ np.array([0.2627, 0.678, 0.0593]), 1e-12)[:, None]
    scene = display * luminance ** (1 / 1.2 - 1)
    logarithm = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-12)) + 0.55991073
    signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithm)  # ITU-R BT.2100-2, table 5
    assert np.abs(hdr(signal, tmp_path / "hlg.mp4", 18).astype(int) - COLOURS).max() <= 6


def test_highlights_are_compressed_and_not_cut(tmp_path: Path) -> None:
    greys = np.linspace(0, 1, 9)[:, None].repeat(3, 1)
    shown = hdr(greys, tmp_path / "hlg.mp4", 18).astype(int)
    assert (np.diff(shown[:, 0]) > 2).all() and shown[0, 0] == 0 and shown[-1, 0] >= 250
    assert np.abs(shown - shown[:, :1]).max() <= 3


def test_wide_primaries_become_those_of_srgb(tmp_path: Path) -> None:
    wide = ((COLOURS / 255) ** 2.4 @ TO_BT2020.T) ** (1 / 2.4)
    assert np.abs(hdr(wide, tmp_path / "wide.mp4", 14).astype(int) - COLOURS).max() <= 6


@pytest.mark.parametrize("name", ["clip.mpg", "clip.mp4", "clip.ts"])
def test_frames_of_two_moments_become_pictures_of_one(tmp_path: Path, name: str) -> None:
    def bar(moment: float) -> np.ndarray:
        picture = np.full((96, 160, 3), 40, np.uint8)
        left = round(200 * moment)
        picture[:, left : left + 30] = 210
        return picture

    frames = [bar(index / 25) for index in range(15)]
    for index, frame in enumerate(frames):
        frame[::2] = bar((index + 0.5) / 25)[
            ::2
        ]  # PyAV's frames say that the lower field comes first
    h264 = {"codec": "libx264", "options": {"flags": "+ildct+ilme", "crf": "4"}}
    mpeg2 = {
        "codec": "mpeg2video",
        "options": {"flags": "+ildct+ilme", "b": "8000000"},
        "time_base": Fraction(1, 25),
    }
    place = write(tmp_path / name, frames, 25, **(mpeg2 if name.endswith("mpg") else h264))
    clip = read(place)
    assert clip.video.shape == (15, 96, 160, 3) and clip.fps == 25
    for index, picture in enumerate(clip.video.astype(int)):
        assert (
            np.abs(picture - bar(index / 25)).mean()
            < 6
            < np.abs(picture - bar((index + 1) / 25)).mean()
        )
        assert np.abs(picture[20:-20:2] - picture[21:-20:2]).mean() < 3, "no comb"


def test_a_matrix_that_is_not_named_is_that_of_the_size(tmp_path: Path) -> None:
    for height, width, matrix in ((480, 640, 5), (720, 1280, 1)):
        red = [np.full((height, width, 3), (200, 30, 30), np.uint8)]
        place = write(
            tmp_path / f"{height}.mkv",
            red,
            25,
            matrix=matrix,
            form="matroska",
            codec="mpeg4",
            options={"qscale": "2"},
        )
        with_none = place.read_bytes()
        assert with_none
        frame = read(place, (48, 64)).video[0]
        assert np.abs(frame.astype(int) - (200, 30, 30)).max() <= 4


def circle(height: int, width: int, pixel: float) -> list[np.ndarray]:
    """A white circle, drawn with pixels of the given aspect ratio (width / height)."""
    y, x = np.mgrid[:height, :width]
    there = ((x - width / 2) * pixel) ** 2 + (y - height / 2) ** 2 < (height / 3) ** 2
    return [np.where(there[..., None], 240, 16).astype(np.uint8).repeat(3, 2)] * 3


@pytest.mark.parametrize("pixel", [Fraction(1), Fraction(4, 3), Fraction(1, 2)])
@pytest.mark.parametrize("size", [(64, 64), (64, 128), (120, 80)])
def test_a_circle_stays_a_circle(tmp_path: Path, pixel: Fraction, size: tuple[int, int]) -> None:
    write(tmp_path / "clip.mp4", circle(96, 160, float(pixel)), 25, pixel_aspect=pixel, form="mp4")
    there = read(tmp_path / "clip.mp4", size).video[1].mean(-1) > 128
    high, wide = there.any(1).sum(), there.any(0).sum()
    assert abs(int(high) - int(wide)) <= 2 or wide == size[1] or high == size[0]  # cut


# ---------------------------------------------------------------------------------------------- how
# as played


@pytest.mark.parametrize(
    ("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6), ("quad", 4)]
)
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_f32le"])
def test_what_is_as_loud_in_every_channel_stays_as_loud(
    tmp_path: Path, layout: str, channels: int, codec: str
) -> None:
    sound = np.repeat(tone(1.0, 0.8, 44100)[None], channels, 0)
    write(
        tmp_path / "clip.mkv",
        greys(25),
        25,
        sound,
        rate_hz=44100,
        layout=layout,
        sound_codec=codec,
        form="matroska",
    )
    got = read(tmp_path / "clip.mkv").audio[1000:-1000]
    assert np.abs(got).max() == pytest.approx(0.8, abs=0.01)
    assert np.sqrt(np.square(got).mean()) == pytest.approx(0.8 / 2**0.5, abs=0.01)


def test_a_full_channel_among_silent_ones_is_not_clipped(tmp_path: Path) -> None:
    sound = np.stack([tone(1.0, 0.99), np.zeros(16000, np.float32)])
    write(
        tmp_path / "clip.mkv",
        greys(25),
        25,
        sound,
        layout="stereo",
        sound_codec="pcm_s16le",
        form="matroska",
    )
    assert np.abs(read(tmp_path / "clip.mkv").audio).max() == pytest.approx(0.495, abs=0.01)


# ----------------------------------------------------------------------------------------------
# segments


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


# ----------------------------------------------------------------------------------------------
# words


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


def test_frames_that_were_read_do_not_stay_in_memory(tmp_path: Path) -> None:
    """PyAV's side data and their frame refer to each other: if they are read from each frame,
    hundreds stay in memory."""
    import gc

    import av

    write(tmp_path / "flat.mp4", greys(60), 25, form="mp4")
    place = turned(tmp_path / "flat.mp4", tmp_path / "clip.mp4", (0, 1, -1, 0))
    samples = Clips(str(place), size=SIZE[::-1], face=False, segment_s=0.4).samples()
    gc.collect()
    gc.disable()
    try:
        assert all(len(sample.video) == 10 for sample in samples)
        assert sum(type(one) is av.VideoFrame for one in gc.get_objects()) < 10
    finally:
        gc.enable()
