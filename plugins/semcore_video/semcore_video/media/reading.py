"""Clips as their files mean them: all reading of video and sound from disk.

Time stamps are obeyed: a clip's clock starts with its first picture, pictures are put on a regular
grid, and sound is put where its time stamps say. Pictures are upright and progressive, with square
pixels, in sRGB by the colours that the file names. Clips are read from the beginning to the end and
a part at a time, so that their length costs no memory.
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

from semcore.errors import ComponentError
from semcore.limits import MAX_CLIP_FRAMES, MAX_FRAMES, MAX_PIXELS, MAX_SEQUENCE_PIXELS
from semcore_video.media.colours import rgb
from semcore_video.media.interlacing import progressive
from semcore_video.media.scaling import squared
from semcore_video.media.sounds import Track

if TYPE_CHECKING:
    import av

USUAL_FPS = 25.0
"""Of a clip of one frame that does not say."""
RATES = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)) + tuple(
    map(Fraction, (8, 10, 12, 15, 16, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120, 240))
)
"""Frame rates that cameras have."""
HIGHEST_FPS = 240.0
GAP = 1.5
"""Intervals longer than the median by this factor are gaps, not the frame interval of the
camera."""
NEAR, VERY_NEAR = 2e-3, 5e-4
"""Relative differences up to which a measured rate is taken for the one that the file declares, or
that cameras have."""
BACK_S = 1.0
"""Time stamps of pictures that fall back by more than this belong to another clip."""


@dataclass(frozen=True)
class Survey:
    """What the time stamps of a clip say.

    Fields:
        place: the file
        start_s: time stamp of the first picture, s; the clip's clock starts there
        fps: pictures a second of the regular grid
        frames: number of pictures on the grid; where sound goes on after the last picture, that one
            stays
        pixels: of a frame
        pixel: width of a pixel over its height, as stored
        sound: whether there is sound
        transfer: transfer characteristic, as AVColorTransferCharacteristic
        primaries: as AVColorPrimaries
    """

    place: Path
    start_s: float
    fps: float
    frames: int
    pixels: int
    pixel: float
    sound: bool
    transfer: int
    primaries: int


@contextlib.contextmanager
def opened(place: Path) -> Iterator[Any]:
    """An open container; whatever FFmpeg finds wrong with it is said with the name of the file.

    Raises:
        ComponentError: it cannot be read
    """
    import av

    try:
        with av.open(str(place), metadata_errors="replace") as container:
            yield container
    except (av.error.FFmpegError, UnicodeError) as error:
        raise ComponentError(f"{place} cannot be read as a video: {error}") from error


def streams_of(container: Any) -> tuple[Any, Any]:
    """The picture and the sound of a clip, each None if it has none; a cover picture is not a
    video."""
    import av

    cover = av.stream.Disposition.attached_pic
    video = next((one for one in container.streams.video if not one.disposition & cover), None)
    return video, next(iter(container.streams.audio), None)


def survey(place: Path) -> Survey:
    """Read the time stamps of a clip; nothing is decoded.

    Raises:
        ComponentError: the file holds no picture, cannot be read, or is longer than 1,000,000
            frames
    """
    times: list[float] = []
    last, sound_s, block_s = (-math.inf, 0.0), 0.0, 0.0
    with opened(place) as container:
        video, sound = streams_of(container)
        if video is None:
            raise ComponentError(f"{place} holds no picture")
        pixels = video.codec_context.width * video.codec_context.height
        if pixels > MAX_PIXELS:
            raise ComponentError(f"{place} has frames of more than {MAX_PIXELS:,} pixels")
        for packet in container.demux([one for one in (video, sound) if one is not None]):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is None or packet.is_discard:
                continue
            time, duration = (
                float(stamp * packet.time_base),
                float((packet.duration or 0) * packet.time_base),
            )
            if packet.stream is video:
                if len(times) >= MAX_CLIP_FRAMES:
                    raise ComponentError(
                        f"{place} has more than {MAX_CLIP_FRAMES:,} frames; cut it into shorter "
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
        raise ComponentError(f"{place} holds no frame")
    times.sort()
    fps, start_s = frame_rate(times, declared), times[0]
    frames = _rounded((last[0] - start_s) * fps) + max(_rounded(last[1] * fps), 1)
    if (
        sound is not None and sound_s - start_s > (frames + 0.5) / fps + block_s
    ):  # more than the padding of its last block
        frames = _rounded((sound_s - start_s) * fps)
    if frames > MAX_CLIP_FRAMES:
        raise ComponentError(
            f"{place} lasts {frames / fps:,.0f} s by its time stamps, and at most "
            f"{MAX_CLIP_FRAMES:,} frames are read"
        )
    shape = pixel if 0.1 < pixel < 10 else 1.0
    return Survey(place, start_s, fps, frames, pixels, shape, sound is not None, *colours)


def frame_rate(times: Sequence[float], declared: Sequence[Fraction] = ()) -> float:
    """The regular rate behind time stamps, s, rising: that of the camera, whatever it dropped.

    Args:
        declared: rates that the file states, which are believed where they fit
    """
    intervals = np.diff(times)
    intervals = intervals[intervals > 0]
    if not len(intervals):
        return float(declared[0]) if declared and 1 <= declared[0] <= HIGHEST_FPS else USUAL_FPS
    measured = 1 / float(intervals[intervals <= GAP * np.median(intervals)].mean())
    for known, tolerance in ((declared, NEAR), (RATES, VERY_NEAR)):
        nearest = min(known, key=lambda rate: abs(float(rate) - measured), default=None)
        if nearest is not None and abs(float(nearest) / measured - 1) < tolerance:
            return min(float(nearest), HIGHEST_FPS)
    return min(round(measured, 3), HIGHEST_FPS)


class Clip:
    """A clip that is read from the beginning on; asked for what is behind, it begins again.

    Args:
        survey: of the file
        sample_rate_hz: of the sound
        finished: (pixels uint8 (H, W, 3), upright, as the file has them; width of a pixel over its
            height) -> pixels
    """

    def __init__(
        self,
        survey: Survey,
        sample_rate_hz: int,
        finished: Callable[[np.ndarray, float], np.ndarray],
    ) -> None:
        self.survey = survey
        self._rate_hz = sample_rate_hz
        self._finished = finished
        self._upright = Upright(survey)
        self._frames: Iterator[Any] = iter(())
        self._at: float = math.inf
        self._sound: Track | None = None

    def pictures(self, first: int, count: int) -> np.ndarray:
        """Pictures of the grid from `first` on: uint8 (count, H, W, 3).

        Raises:
            ComponentError: they cannot be read, or are more than 10,000 or one gigapixel
        """
        if count > MAX_FRAMES:
            raise ComponentError(
                f"{self.survey.place} gives {count:,} frames at once, and at most {MAX_FRAMES:,} "
                "are taken; "
                "set `segment_s`"
            )
        if first < self._at:
            self._frames, self._at = shown(self.survey), 0
        while self._at < first:
            next(self._frames)
            self._at += 1
        found, before = np.empty((0, 0, 0, 3), np.uint8), None
        for index in range(count):
            frame = next(self._frames)
            self._at += 1
            pixels = found[index - 1] if frame is before else self._finished(*self._upright(frame))
            if not index:
                if pixels.shape[0] * pixels.shape[1] * count > MAX_SEQUENCE_PIXELS:
                    raise ComponentError(
                        f"{count:,} frames of {self.survey.place} are more than "
                        f"{MAX_SEQUENCE_PIXELS:,} "
                        "pixels; set `segment_s` or a smaller `size`"
                    )
                found = np.empty((count, *pixels.shape), np.uint8)
            if pixels.shape != found.shape[1:]:
                raise ComponentError(f"the frames of {self.survey.place} change their size")
            found[index], before = pixels, frame
        return found

    def sound(self, first: int, count: int) -> np.ndarray:
        """Samples of the sound on the clock of the picture, of one channel: float32 (count,),
        silence where there is none."""
        if self._sound is None or first < self._sound.at:
            self._sound = Track(self._heard(), self._rate_hz)
        return self._sound.take(first, count)

    def _heard(self) -> Iterator[tuple[float | None, Any]]:
        """Frames of sound, each with its time on the clock of the picture, s."""
        if not self.survey.sound:
            return
        with opened(self.survey.place) as container:
            _, sound = streams_of(container)
            for frame in container.decode(sound):
                yield None if frame.time is None else frame.time - self.survey.start_s, frame


def shown(survey: Survey) -> Iterator[av.VideoFrame]:
    """The frame that is seen at each step of the grid: the newest whose time stamp rounds to that
    step or an earlier one."""
    step, now, last_s = 0, None, -math.inf
    with opened(survey.place) as container:
        video, _ = streams_of(container)
        for frame in progressive(container.decode(video)):
            if frame.width * frame.height > MAX_PIXELS:
                raise ComponentError(
                    f"{survey.place} has frames of more than {MAX_PIXELS:,} pixels"
                )
            time = last_s + 1 / survey.fps if frame.time is None else frame.time - survey.start_s
            time = 0.0 if math.isinf(time) else time
            if time < last_s - BACK_S:
                raise ComponentError(
                    f"the time stamps of {survey.place} fall back to {time:.2f} s after "
                    f"{last_s:.2f} s: "
                    "these are several clips in one file"
                )
            last_s = max(time, last_s)
            while now is not None and step < min(_rounded(last_s * survey.fps), survey.frames):
                yield now
                step += 1
            now = frame
    if now is None:
        raise ComponentError(f"{survey.place} holds no frame")
    for _ in range(step, survey.frames):
        yield now


class Upright:
    """Frames of a clip as they are to be looked at.

    Args:
        survey: of the file
    """

    def __init__(self, survey: Survey) -> None:
        self._survey, self._pixel = survey, survey.pixel
        self._turns: dict[int, tuple[int, int, int, int]] = {}

    def __call__(self, frame: av.VideoFrame) -> tuple[np.ndarray, float]:
        """A frame as uint8 (H, W, 3), and the width of a pixel over its height."""
        # PyAV's side data and their frame refer to each other, so that a frame that was asked for
        # them stays in memory until Python looks for cycles: hundreds of frames. So only the first
        # frame of each rotation is asked.
        if frame.rotation not in self._turns:
            self._turns[frame.rotation] = _turn(frame)
        a, b, c, d = self._turns[frame.rotation]
        pixels = rgb(frame, self._survey.transfer, self._survey.primaries)
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return np.ascontiguousarray(
                pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
            ), self._pixel
        turned = pixels.transpose(1, 0, 2)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
        return np.ascontiguousarray(turned), 1 / self._pixel


def _turn(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    """The display matrix of a frame: x' = a x + c y and y' = b x + d y."""
    from av.sidedata.sidedata import Type

    known: Any = frame.side_data  # which is typed as a mapping, and gives its values
    found = next((one for one in known if one.type == Type.DISPLAYMATRIX), None)
    if found is None:
        return 1, 0, 0, 1
    matrix = np.frombuffer(bytes(found), np.int32)
    return int(matrix[0]), int(matrix[1]), int(matrix[3]), int(matrix[4])


def _rounded(value: float) -> int:
    """To the nearest integer, halves up."""
    return math.floor(value + 0.5)


def read_clip(place: Path, sample_rate_hz: int) -> tuple[np.ndarray, float, np.ndarray]:
    """A whole clip: frames uint8 (T, H, W, 3), frames a second, and the sound of one channel,
    float32 (S,)."""
    found = survey(place)
    clip = Clip(found, sample_rate_hz, squared)
    return (
        clip.pictures(0, found.frames),
        found.fps,
        clip.sound(0, round(found.frames / found.fps * sample_rate_hz)),
    )


def upright_frames(found: Survey) -> Iterator[np.ndarray]:
    """The frames of a clip, upright, with square pixels, uint8 (H, W, 3)."""
    upright = Upright(found)
    for frame in shown(found):
        yield squared(*upright(frame))
