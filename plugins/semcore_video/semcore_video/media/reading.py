"""Reading video and sound from files.

Time stamps are respected: the clock of a clip starts with its first picture, pictures are placed on
a regular grid, and sound is placed at its time stamps. Pictures are upright and progressive, with
square pixels, converted to sRGB from the colour space that the file states. Clips are read
sequentially in parts, so that memory does not depend on their length.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semcore import ComponentError
from semcore.media import MAX_CLIP_FRAMES, MAX_FRAMES, MAX_PIXELS, MAX_SEQUENCE_PIXELS
from semcore_video.media.colours import rgb
from semcore_video.media.interlacing import progressive
from semcore_video.media.scaling import squared
from semcore_video.media.sounds import Track

if TYPE_CHECKING:
    import av

USUAL_FPS = 25.0
"""Frame rate of a clip of one frame that does not state one."""
RATES = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)) + tuple(
    map(Fraction, (8, 10, 12, 15, 16, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240))
)
"""Common frame rates of cameras."""
HIGHEST_FPS = 240.0
GAP = 1.5
"""Intervals longer than the median by this factor are gaps and not the frame interval."""
NEAR, VERY_NEAR = 2e-3, 5e-4
"""Relative differences up to which a measured rate is replaced by the rate declared in the file, or
by a common rate."""
BACK_S = 1.0
"""Largest backward step of the time stamps of pictures; a larger one indicates another clip."""


@dataclass(frozen=True)
class ClipInfo:
    """Timing and format of a clip, from its time stamps.

    Fields:
        path: the file
        start_s: time stamp of the first picture, s; the clip's clock starts there
        fps: frame rate of the regular grid
        frames: number of frames on the grid; if sound continues after the last picture, that
            picture is held
        pixels: per frame
        pixel: pixel aspect ratio (width / height), as stored
        sound: whether there is sound
        transfer: transfer characteristic, as AVColorTransferCharacteristic
        primaries: as AVColorPrimaries
    """

    path: Path
    start_s: float
    fps: float
    frames: int
    pixels: int
    pixel: float
    sound: bool
    transfer: int
    primaries: int


@contextlib.contextmanager
def open_container(path: Path) -> Iterator[Any]:
    """An open container; errors of FFmpeg are reported with the file name.

    Raises:
        ComponentError: the file cannot be read
    """
    from semcore_video.media.pyav import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            yield container
    except (av.error.FFmpegError, UnicodeError) as error:
        raise ComponentError(f"{path} cannot be read as a video: {error}") from error


def video_and_audio(container: Any) -> tuple[Any, Any]:
    """The video and the audio stream of a container, None if missing; a cover picture is not a
    video."""
    from semcore_video.media.pyav import av

    cover = av.stream.Disposition.attached_pic
    video = next(
        (stream for stream in container.streams.video if not stream.disposition & cover), None
    )
    return video, next(iter(container.streams.audio), None)


def probe(path: Path) -> ClipInfo:
    """Read the time stamps of a clip, without decoding it.

    Raises:
        ComponentError: the file contains no picture, cannot be read, or is longer than 1,000,000
            frames
    """
    times: list[float] = []
    last, sound_s, block_s = (-math.inf, 0.0), 0.0, 0.0
    with open_container(path) as container:
        video, sound = video_and_audio(container)
        if video is None:
            raise ComponentError(f"{path} contains no picture")
        pixels = video.codec_context.width * video.codec_context.height
        if pixels > MAX_PIXELS:
            raise ComponentError(f"{path} has frames of more than {MAX_PIXELS:,} pixels")
        streams = [stream for stream in (video, sound) if stream is not None]
        for packet in container.demux(streams):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is None or packet.is_discard:
                continue
            time = float(stamp * packet.time_base)
            duration = float(packet.duration * packet.time_base) if packet.duration else 0.0
            if packet.stream is video:
                if len(times) >= MAX_CLIP_FRAMES:
                    raise ComponentError(
                        f"{path} has more than {MAX_CLIP_FRAMES:,} frames; cut it into shorter "
                        "clips"
                    )
                last = max(last, (time, duration))
                times.append(time)
            else:
                sound_s, block_s = max(sound_s, time + duration), max(block_s, duration)
        pixel = float(video.sample_aspect_ratio or 1)
        colours = int(video.codec_context.color_trc), int(video.codec_context.color_primaries)
        declared = [rate for rate in (video.average_rate, video.guessed_rate) if rate]
    if not times:
        raise ComponentError(f"{path} contains no frame")
    times.sort()
    fps, start_s = frame_rate(times, declared), times[0]
    frames = _rounded((last[0] - start_s) * fps) + max(_rounded(last[1] * fps), 1)
    # Sound that is longer by more than the padding of its last block extends the clip.
    if sound is not None and sound_s - start_s > (frames + 0.5) / fps + block_s:
        frames = _rounded((sound_s - start_s) * fps)
    if frames > MAX_CLIP_FRAMES:
        raise ComponentError(
            f"{path} lasts {frames / fps:,.0f} s by its time stamps; the maximum is "
            f"{MAX_CLIP_FRAMES:,} frames"
        )
    aspect = pixel if 0.1 < pixel < 10 else 1.0
    return ClipInfo(path, start_s, fps, frames, pixels, aspect, sound is not None, *colours)


def frame_rate(times: Sequence[float], declared: Sequence[Fraction] = ()) -> float:
    """The regular frame rate of a camera from rising time stamps, s, regardless of dropped frames.

    Args:
        declared: rates stated in the file, used if they match
    """
    intervals = np.diff(times)
    intervals = intervals[intervals > 0]
    if not len(intervals):
        return float(declared[0]) if declared and 1 <= declared[0] <= HIGHEST_FPS else USUAL_FPS
    measured = 1 / float(intervals[intervals <= GAP * np.median(intervals)].mean())
    for rates, tolerance in ((declared, NEAR), (RATES, VERY_NEAR)):
        nearest = min(rates, key=lambda rate: abs(float(rate) - measured), default=None)
        if nearest is not None and abs(float(nearest) / measured - 1) < tolerance:
            return min(float(nearest), HIGHEST_FPS)
    return min(round(measured, 3), HIGHEST_FPS)


class Clip:
    """A clip that is read sequentially; reading restarts for a position before the current one.

    Args:
        info: of the file
        sample_rate_hz: of the sound
        finish: (upright pixels uint8 (H, W, 3) as stored; pixel aspect ratio) -> pixels
    """

    def __init__(
        self,
        info: ClipInfo,
        sample_rate_hz: int,
        finish: Callable[[np.ndarray, float], np.ndarray],
    ) -> None:
        self.info = info
        self._rate_hz = sample_rate_hz
        self._finish = finish
        self._upright = Upright(info)
        self._frames: Iterator[Any] = iter(())
        self._at: float = math.inf
        self._sound: Track | None = None

    def pictures(self, first: int, count: int) -> np.ndarray:
        """Frames of the grid starting at `first`: uint8 (count, H, W, 3).

        Raises:
            ComponentError: they cannot be read, or are more than 10,000 or one gigapixel
        """
        if count > MAX_FRAMES:
            raise ComponentError(
                f"{self.info.path} gives {count:,} frames at once; the maximum is {MAX_FRAMES:,}; "
                "set `segment_s`"
            )
        if first < self._at:
            self._frames, self._at = frames_on_grid(self.info), 0
        while self._at < first:
            next(self._frames)
            self._at += 1
        found, before = np.empty((0, 0, 0, 3), np.uint8), None
        for index in range(count):
            frame = next(self._frames)
            self._at += 1
            pixels = found[index - 1] if frame is before else self._finish(*self._upright(frame))
            if not index:
                if pixels.shape[0] * pixels.shape[1] * count > MAX_SEQUENCE_PIXELS:
                    raise ComponentError(
                        f"{count:,} frames of {self.info.path} are more than "
                        f"{MAX_SEQUENCE_PIXELS:,} pixels; set `segment_s` or a smaller `size`"
                    )
                found = np.empty((count, *pixels.shape), np.uint8)
            if pixels.shape != found.shape[1:]:
                raise ComponentError(f"the frames of {self.info.path} vary in size")
            found[index], before = pixels, frame
        return found

    def sound(self, first: int, count: int) -> np.ndarray:
        """Samples of the mono sound on the clock of the picture: float32 (count,), silence where
        there is no sound."""
        if self._sound is None or first < self._sound.at:
            self._sound = Track(self._audio_frames(), self._rate_hz)
        return self._sound.take(first, count)

    def _audio_frames(self) -> Iterator[tuple[float | None, Any]]:
        """Audio frames with their times on the clock of the picture, s."""
        if not self.info.sound:
            return
        with open_container(self.info.path) as container:
            _, sound = video_and_audio(container)
            for frame in container.decode(sound):
                yield None if frame.time is None else frame.time - self.info.start_s, frame


def frames_on_grid(info: ClipInfo) -> Iterator[av.VideoFrame]:
    """The frame shown at each step of the grid: the newest whose time stamp rounds to that step or
    an earlier one."""
    step, now, last_s = 0, None, -math.inf
    with open_container(info.path) as container:
        video, _ = video_and_audio(container)
        for frame in progressive(container.decode(video)):
            if frame.width * frame.height > MAX_PIXELS:
                raise ComponentError(f"{info.path} has frames of more than {MAX_PIXELS:,} pixels")
            time = last_s + 1 / info.fps if frame.time is None else frame.time - info.start_s
            time = 0.0 if math.isinf(time) else time
            if time < last_s - BACK_S:
                raise ComponentError(
                    f"the time stamps of {info.path} go back to {time:.2f} s after {last_s:.2f} s: "
                    "the file contains several clips"
                )
            last_s = max(time, last_s)
            while now is not None and step < min(_rounded(last_s * info.fps), info.frames):
                yield now
                step += 1
            now = frame
    if now is None:
        raise ComponentError(f"{info.path} contains no frame")
    for _ in range(step, info.frames):
        yield now


class Upright:
    """Converts decoded frames to upright RGB.

    Args:
        info: of the file
    """

    def __init__(self, info: ClipInfo) -> None:
        self._info, self._pixel = info, info.pixel
        self._turns: dict[int, tuple[int, int, int, int]] = {}

    def __call__(self, frame: av.VideoFrame) -> tuple[np.ndarray, float]:
        """A frame as uint8 (H, W, 3), and its pixel aspect ratio (width / height)."""
        # PyAV's side data and their frame refer to each other, so a frame whose side data were read
        # stays in memory until garbage collection: hundreds of frames. Therefore they are only read
        # from the first frame of each rotation.
        if frame.rotation not in self._turns:
            self._turns[frame.rotation] = _display_matrix(frame)
        a, b, c, d = self._turns[frame.rotation]
        pixels = rgb(frame, self._info.transfer, self._info.primaries)
        if abs(a) + abs(d) >= abs(b) + abs(c):
            upright = pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
            return np.ascontiguousarray(upright), self._pixel
        upright = pixels.transpose(1, 0, 2)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
        return np.ascontiguousarray(upright), 1 / self._pixel


def _display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """The display matrix of a frame: x' = a x + c y and y' = b x + d y."""
    from semcore_video.media.pyav import SideDataType

    side_data: Any = frame.side_data  # typed as a mapping, but iterates over its values
    found = next((data for data in side_data if data.type == SideDataType.DISPLAYMATRIX), None)
    if found is None:
        return 1, 0, 0, 1
    matrix = np.frombuffer(bytes(found), np.int32)
    return int(matrix[0]), int(matrix[1]), int(matrix[3]), int(matrix[4])


def _rounded(value: float) -> int:
    """The nearest integer, halves rounded up."""
    return math.floor(value + 0.5)


def read_clip(path: Path, sample_rate_hz: int) -> tuple[np.ndarray, float, np.ndarray]:
    """A whole clip: frames uint8 (T, H, W, 3), frame rate, and mono sound, float32 (S,)."""
    found = probe(path)
    clip = Clip(found, sample_rate_hz, squared)
    return (
        clip.pictures(0, found.frames),
        found.fps,
        clip.sound(0, round(found.frames / found.fps * sample_rate_hz)),
    )


def upright_frames(found: ClipInfo) -> Iterator[np.ndarray]:
    """The frames of a clip, upright, with square pixels, uint8 (H, W, 3)."""
    upright = Upright(found)
    for frame in frames_on_grid(found):
        yield squared(*upright(frame))
