"""Videos with sound on disk, and the sentences of the GRID corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt
from PIL import Image

from semcore.errors import ComponentError
from semcore.interfaces import Source
from semcore.limits import MAX_FRAMES, MAX_SEQUENCE_PIXELS
from semcore.pictures import written
from semcore.types import Sample
from semcore_video.face.tracker import Tracking
from semcore_video.licences import MEDIAPIPE, PYAV

ENDINGS = (".mp4", ".mpg", ".mpeg", ".mov", ".mkv", ".webm", ".avi")
Side = Annotated[int, Ge(16)]


@dataclass(frozen=True)
class Clips(Tracking, Source):
    """Videos with sound, each a user; a long one becomes segments that follow each other.

    Files are taken in the order of their names; the words of `clip.mp4` are those of `clip.txt` beside it. With `face`, a
    square about the face of the first frame with one, three times as high as the face or as large as the frame allows, is
    cut out of all frames. Sound is mixed to one channel and resampled; where it is shorter than the picture, silence
    follows.

    Errors: ComponentError if there is no video, or one cannot be read, or is longer than 10,000 frames or one gigapixel.

    Fields:
        path: a folder of videos, or one video
        size: (height, width) of the frames
        face: whether the frames are cut to the face; needs MediaPipe
        segment_s: length of a segment, s; null: the whole video. A rest shorter than half of it is left out
        sample_rate_hz: samples of the sound a second
        limit: most segments
    """

    licences: ClassVar[tuple[str, ...]] = (PYAV, MEDIAPIPE)
    path: str
    size: tuple[Side, Side] = (256, 256)
    face: bool = True
    segment_s: Annotated[float, Gt(0)] | None = None
    sample_rate_hz: Annotated[int, Ge(4000)] = 16000
    limit: Annotated[int, Ge(1)] | None = None

    def samples(self) -> Sequence[Sample]:
        found = [sample for place in self._places() for sample in self._segments(place)]
        return found if self.limit is None else found[: self.limit]

    def text_of(self, place: Path) -> str | None:
        """The words that are spoken in a video: what the text file of its name beside it holds."""
        words = place.with_suffix(".txt")
        return words.read_text(encoding="utf-8").strip() if words.exists() else None

    def _places(self) -> list[Path]:
        root = Path(self.path).expanduser()
        if not root.exists():
            raise ComponentError(f"{type(self).__name__}.path: there is no {str(root)!r}")
        places = sorted(one for one in root.iterdir() if one.suffix.lower() in ENDINGS) if root.is_dir() else [root]
        if not places:
            raise ComponentError(f"{type(self).__name__}.path: {str(root)!r} holds no video ({', '.join(ENDINGS)})")
        return places[: self.limit]

    def _segments(self, place: Path) -> Iterator[Sample]:
        frames, fps, audio = read_clip(place, self.sample_rate_hz)
        if self.face:
            frames = about_the_face(frames)
        frames = _resized(frames, self.size)
        count = len(frames) if self.segment_s is None else max(1, round(self.segment_s * fps))
        user = written(place.stem)
        for number, start in enumerate(range(0, len(frames), count)):
            part = frames[start : start + count]
            if number and 2 * len(part) < count:
                break
            first, length = round(start / fps * self.sample_rate_hz), round(len(part) / fps * self.sample_rate_hz)
            sound = np.zeros(length, np.float32)
            heard = audio[first : first + length]
            sound[: len(heard)] = heard
            yield Sample(f"{user}/{number:03d}", user, video=part, fps=fps, audio=sound,
                         sample_rate_hz=self.sample_rate_hz, text=self.text_of(place))  # fmt: skip


@dataclass(frozen=True)
class Grid(Clips):
    """Clips of the GRID corpus, the names of which spell the sentence: bbaf2n is "bin blue at f two now"."""

    reference: ClassVar[str] = "M. Cooke et al., An audio-visual corpus for speech perception, J. Acoust. Soc. Am., 2006"
    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio",)

    def text_of(self, place: Path) -> str | None:
        return grid_sentence(place.stem)


WORDS: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True)),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
"""Letter of a file's name -> word, for each of the six words of a sentence of GRID."""


def grid_sentence(name: str) -> str | None:
    """The sentence that a file name of GRID spells, or None if it spells none."""
    letters = name.lower()
    if len(letters) != len(WORDS) or any(letter not in words for letter, words in zip(letters, WORDS, strict=True)):
        return None
    return " ".join(words[letter] for letter, words in zip(letters, WORDS, strict=True))


def read_clip(place: Path, sample_rate_hz: int) -> tuple[np.ndarray, float, np.ndarray]:
    """Frames uint8 (T, H, W, 3), frames a second, and the sound of one channel, float32 (S,)."""
    import av

    frames: list[np.ndarray] = []
    sound: list[np.ndarray] = []
    try:
        with av.open(str(place)) as opened:
            if not opened.streams.video:
                raise ComponentError(f"{place} holds no picture")
            video = opened.streams.video[0]
            fps = float(video.average_rate or 25)
            heard = opened.streams.audio[0] if opened.streams.audio else None
            resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate_hz)
            for frame in opened.decode(*[stream for stream in (video, heard) if stream is not None]):
                if isinstance(frame, av.AudioFrame):
                    sound += [part.to_ndarray().ravel() for part in resampler.resample(frame)]
                elif isinstance(frame, av.VideoFrame):
                    if len(frames) >= min(MAX_FRAMES, MAX_SEQUENCE_PIXELS // max(frame.width * frame.height, 1)):
                        raise ComponentError(f"{place} is longer than {MAX_FRAMES} frames or {MAX_SEQUENCE_PIXELS} pixels")
                    frames.append(frame.to_ndarray(format="rgb24"))
            if heard is not None:
                sound += [part.to_ndarray().ravel() for part in resampler.resample(None)]
    except av.error.FFmpegError as error:
        raise ComponentError(f"{place} cannot be read as a video: {error}") from error
    if not frames:
        raise ComponentError(f"{place} holds no frame")
    return np.stack(frames), fps, np.concatenate(sound).astype(np.float32).clip(-1, 1) if sound else np.zeros(0, np.float32)


def about_the_face(frames: np.ndarray) -> np.ndarray:
    """The square about the face of frames uint8 (T, H, W, 3), three times as high as it at most; about the middle without."""
    from semcore_video.face.mesh import face_size
    from semcore_video.face.tracker import track

    height, width = frames.shape[1:3]
    points = next((one for one in map(track, frames[:, None]) if np.isfinite(one).all()), None)
    if points is None:
        side, (x, y) = min(height, width), (width / 2, height / 2)
    else:
        side = min(round(3 * float(face_size(points)[0])), height, width)
        x, y = points[0, :, :2].mean(0)
    left, top = (round(min(max(float(at) - side / 2, 0), most - side)) for at, most in ((x, width), (y, height)))
    return np.ascontiguousarray(frames[:, top : top + side, left : left + side])


def _resized(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if frames.shape[1:3] == size:
        return frames
    shape = (size[1], size[0])
    return np.stack([np.asarray(Image.fromarray(one).resize(shape, Image.Resampling.BICUBIC)) for one in frames])
