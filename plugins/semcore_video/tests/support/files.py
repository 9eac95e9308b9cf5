"""Video files as cameras, editors and phones write them, made for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np


def write(
    place: Path,
    frames: Sequence[np.ndarray],
    times: Sequence[float] | float,
    sound: np.ndarray | None = None,
    sound_at: float = 0.0,
    *,
    codec: str = "libx264",
    sound_codec: str = "aac",
    rate_hz: int = 16000,
    layout: str = "mono",
    pixels: str = "yuv420p",
    form: str | None = None,
    pixel_aspect: Fraction | None = None,
    matrix: int | None = None,
    made_by: int | None = None,
    transfer: int | None = None,
    primaries: int | None = None,
    options: dict[str, str] | None = None,
    time_base: Fraction = Fraction(1, 12800),
    movie: dict[str, str] | None = None,
) -> Path:
    """Write a video file.

    Args:
        frames: each uint8 (H, W, 3)
        times: when each is shown, s; or how many a second
        sound: float32 (channels, S) or (S,)
        sound_at: when it begins, s
        matrix: AVColorSpace that the file names and the frames are made by
        made_by: the same, but the file does not name it
        transfer: AVColorTransferCharacteristic that the file names
        primaries: AVColorPrimaries that the file names
        movie: options of the container
    """
    step = 1 / times if isinstance(times, (int, float)) else 0.0
    moments = [index * step for index in range(len(frames))] if step else list(times)
    rate = Fraction(times).limit_denominator(1001) if step else 25
    with av.open(str(place), "w", format=form, options=movie or {}) as out:
        video: Any = out.add_stream(codec, rate=rate)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = pixels
        video.options = options or ({"crf": "4", "threads": "1"} if "264" in codec else {})
        video.codec_context.time_base = time_base
        if pixel_aspect is not None:
            video.codec_context.sample_aspect_ratio = pixel_aspect
        if matrix is not None:
            video.codec_context.colorspace = matrix
            video.codec_context.color_range = 1
        if transfer is not None:
            video.codec_context.color_trc = transfer
        if primaries is not None:
            video.codec_context.color_primaries = primaries
        audio: Any = None
        if sound is not None:
            audio = out.add_stream(sound_codec, rate=rate_hz, layout=layout)
        for picture, moment in zip(frames, moments, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame = frame.reformat(
                format=pixels, dst_colorspace=matrix or made_by or 5, dst_color_range=1
            )
            frame.pts, frame.time_base = round(moment / time_base), time_base
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if sound is not None:
            whole = np.atleast_2d(sound).astype(np.float32)
            size = audio.codec_context.frame_size or whole.shape[1]
            for start in range(0, whole.shape[1], size):
                out.mux(
                    audio.encode(
                        _audio_frame(
                            whole[:, start : start + size],
                            layout,
                            rate_hz,
                            round(sound_at * rate_hz) + start,
                        )
                    )
                )
            out.mux(audio.encode(None))
    return place


def _audio_frame(sound: np.ndarray, layout: str, rate_hz: int, at: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=layout)
    frame.sample_rate, frame.time_base, frame.pts = rate_hz, Fraction(1, rate_hz), at
    return frame


def greys(count: int, height: int = 96, width: int = 160) -> list[np.ndarray]:
    """A slow brightness ramp."""
    return [np.full((height, width, 3), 40 + index % 80, np.uint8) for index in range(count)]


def flash(
    times: Sequence[float], at_s: float, height: int = 96, width: int = 160
) -> list[np.ndarray]:
    """Dark pictures and a white one, starting at a given time."""
    white = next(index for index, moment in enumerate(times) if moment >= at_s - 1e-6)
    return [
        np.full((height, width, 3), 235 if index == white else 16, np.uint8)
        for index in range(len(times))
    ]


def beep(length_s: float, at_s: float, rate_hz: int = 16000) -> np.ndarray:
    """Silence, and a tone of 0.1 s: float32 (S,)."""
    time = np.arange(round(length_s * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * 1000 * time) * ((time >= at_s) & (time < at_s + 0.1))).astype(
        np.float32
    )


def tone(length_s: float, level: float, rate_hz: int = 16000) -> np.ndarray:
    """A tone, float32 (S,)."""
    return (
        level * np.sin(2 * np.pi * 440 * np.arange(round(length_s * rate_hz)) / rate_hz)
    ).astype(np.float32)


def begins(audio: np.ndarray, rate_hz: int = 16000) -> float:
    """Start of the sound, s."""
    return float(np.argmax(np.abs(audio) > 0.25 * np.abs(audio).max()) / rate_hz)


def flashes(video: np.ndarray, fps: float) -> float:
    """Time of the first frame of maximum brightness, s."""
    bright = video.astype(np.float64).mean((1, 2, 3))
    return float(np.argmax(bright > bright.max() - 3) / fps)
