"""Clips as they are shown and heard: rotation, colours, form of the pixels, loudness."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from semcore_video.sources.clips import Clips

from ..support.clips import SIZE, read
from ..support.files import greys, tone, write

pytest.importorskip("av")


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


@pytest.mark.slow
def test_the_colours_of_perceptual_quantisation_are_those_of_srgb(tmp_path: Path) -> None:
    power = (light(COLOURS) / 10000) ** (2610 / 16384)
    signal = (
        (0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)
    ) ** 78.84375  # SMPTE ST 2084, eq. 5.2
    assert (
        np.abs(hdr(signal, tmp_path / "pq.mp4", 16).astype(int) - COLOURS).max() <= 6
    )  # 8 bits are coarse in the dark


@pytest.mark.slow
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


@pytest.mark.slow
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
