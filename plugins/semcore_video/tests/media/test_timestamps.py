"""Time stamps of clips: pictures and sound that belong together stay together."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from semcore import ComponentError
from semcore_video.media.reading import frame_rate

from ..support.clips import read
from ..support.files import beep, begins, flash, flashes, greys, write

pytest.importorskip("av")
REGULAR = [index / 25 for index in range(26)]
SPARSE = [*REGULAR, 1.8, 2.6, 3.4, 4.2]
DROPPED = [index / 30 for index in range(120) if index % 7 not in (2, 3) and not 40 < index < 60]
JITTER = [index / 30 + 0.004 * (-1) ** (index * index % 3) for index in range(1, 120)]


@pytest.mark.parametrize("form", ["mp4", "matroska", "mov"])
@pytest.mark.parametrize("times", [SPARSE, DROPPED, JITTER], ids=["sparse", "dropped", "jitter"])
@pytest.mark.parametrize("sound_at", [0.0, 0.4])
@pytest.mark.default_cases(5)
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
