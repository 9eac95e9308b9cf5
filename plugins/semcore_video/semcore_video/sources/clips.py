"""Sources of videos with sound, among them the GRID corpus."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt

from semcore import LRU, ComponentError, OnDemand, Sample, Source, SourceError, digest, file_digest
from semcore.media import read_text, written
from semcore_video.face.cut import face_square
from semcore_video.face.follow import Person
from semcore_video.face.tracker import FACE, Tracking
from semcore_video.licences import MEDIAPIPE, PYAV
from semcore_video.media.reading import Clip, ClipInfo, probe, upright_frames
from semcore_video.media.scaling import fitted, resized, squared
from semcore_video.sources import transcripts
from semcore_video.sources.transcripts import Transcript
from semcore_video.speech.grid import grid_sentence

ENDINGS = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov",
    ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv",
)  # fmt: skip
OPEN_PIXELS = 2**24
"""Total frame size of simultaneously open clips, pixels: a decoder buffers several frames."""
SOUND = "sound"
"""Key in `Sample.found` for a missing sound track."""
LOOKED_AT, FIRST = 20, 50
"""Number of clips, and of frames per clip, in which `remarks` searches for a face."""
Side = Annotated[int, Ge(16)]
_cuts = LRU[tuple[tuple[int, int, int] | None]](256)
"""Squares around faces by digest of file and person: a clip may be opened repeatedly."""


@dataclass(frozen=True)
class Clips(Tracking, Source):
    """Videos with sound, one user each; long videos can be split into consecutive segments, read on
    demand.

    Files are sorted by name. The words of `clip.mp4` are those of `clip.txt` beside it, in UTF-8. A
    segment has the words whose centre lies in it, from `clip.TextGrid` beside the clip (tier
    `words`, seconds since the first picture); without that file the words of segments are unknown,
    which `semcore check`, the row and the report state.

    With `face`, frames are cropped to a square around the face of the first frame with one, of
    three times its height or as large as the frame allows (larger if the face moves out of it).
    Without `face`, or if no frame shows a face, which the row and the report state, frames are
    cropped to the centre in the aspect ratio of `size`.

    Pictures are upright and progressive, with square pixels, in sRGB (PQ and HLG as on a display of
    1000 cd/m² with a reference white of 203 cd/m², with compressed highlights), at the frame rate
    of the camera; with irregular time stamps, a picture is held until the next. Sound is mixed to
    mono at unchanged level, resampled, and placed at its time stamps, with silence elsewhere. The
    clock starts with the first picture. A clip without a sound track has no sound, not silence,
    which the row and the report state.

    Errors: SourceError, which `semcore check` finds, if there is no video, or one cannot be read or
    is longer than 1,000,000 frames, or a text is not UTF-8; ComponentError if a segment is longer
    than 10,000 frames or one gigapixel.

    Fields:
        path: a folder of videos, or one video
        size: (height, width) of the frames
        face: whether frames are cropped to the face; needs MediaPipe
        person: whose face, if there are several people: the one with the largest face, or the one
            nearest to the centre, the left or the right of the first frame with a face
        segment_s: length of a segment, s; null: the whole video. A remainder shorter than half of
            it is dropped
        sample_rate_hz: sample rate of the sound
        limit: maximum number of segments
    """

    licences: ClassVar[tuple[str, ...]] = (PYAV, MEDIAPIPE)
    path: str
    size: tuple[Side, Side] = (256, 256)
    face: bool = True
    person: Person = "largest"
    segment_s: Annotated[float, Gt(0)] | None = None
    sample_rate_hz: Annotated[int, Ge(4000)] = 16000
    limit: Annotated[int, Ge(1)] | None = None

    def check(self) -> None:
        if not self.face and self.person != "largest":
            raise ComponentError(
                "Clips.person selects the face to crop to, and `face: false` does not crop; remove "
                "it"
            )

    def libraries(self) -> Mapping[str, str]:
        face = {"mediapipe": "semcore-video[face]"} if self.face else {}
        return {"av": "semcore-video[av]", **face}

    def samples(self) -> Sequence[Sample]:
        segments, wrong = list[Segment](), list[str]()
        for path, (user, name) in self.names(self.videos()).items():
            if self.limit is not None and len(segments) >= self.limit:
                break
            try:
                segments += self._segments(path, user, name)
            except ComponentError as error:
                wrong.append(str(error))
        if wrong:
            raise SourceError(wrong, hint="repair or remove it")
        segments = segments[: self.limit]
        # segments are mostly read in order
        clips = LRU[Clip](size=OPEN_PIXELS, size_of=lambda clip: clip.info.pixels)
        heads = [(segment.name, segment.user) for segment in segments]
        return OnDemand(
            heads, lambda index: self._sample(clips, segments[index]), self._digests(segments)
        )

    def text_of(self, path: Path) -> str | None:
        """The words spoken in a video: the content of the text file of the same name beside it."""
        words = path.with_suffix(".txt")
        return read_text(words).strip() if words.exists() else None

    def transcript(self, path: Path) -> Transcript:
        """The words of a video, with their times if they are known."""
        return Transcript.of(path, self.text_of(path))

    def names(self, videos: Sequence[Path]) -> dict[Path, tuple[str, str]]:
        """Video -> its user, and its name, which begins the ids of its segments."""
        stems = Counter(path.stem for path in videos)
        users = {path: path.stem if stems[path.stem] == 1 else path.name for path in videos}
        return {path: (written(user), written(user)) for path, user in users.items()}

    def label_of(self, path: Path) -> str | None:
        """The label of the samples of a video."""
        return None

    def unplaced(self) -> Clips:
        """This source, without the settings that only say which clips there are, and where."""
        return replace(self, path="", limit=None)

    def videos(self) -> list[Path]:
        """The video files, in order.

        Raises:
            SourceError: there is none
        """
        root = Path(self.path).expanduser()
        if not root.exists():
            raise SourceError([f"there is no {root}"])
        inside = sorted(root.iterdir()) if root.is_dir() else [root]
        videos = [path for path in inside if path.is_file() and not path.name.startswith(".")]
        videos = [path for path in videos if path == root or path.suffix.lower() in ENDINGS]
        if not videos:
            raise SourceError([f"{root} contains no video ({' '.join(ENDINGS)})"])
        return videos[: self.limit]

    def _segments(self, path: Path, user: str = "", name: str = "") -> Iterator[Segment]:
        found, words, label = probe(path), self.transcript(path), self.label_of(path)
        count = (
            found.frames if self.segment_s is None else max(1, round(self.segment_s * found.fps))
        )
        for number, start in enumerate(range(0, found.frames, count)):
            length = min(count, found.frames - start)
            if number and 2 * length < count:
                break
            text = words.text
            if length != found.frames:
                text = words.between(start / found.fps, (start + length) / found.fps)
            yield Segment(
                f"{name}/{number:03d}",
                user,
                text,
                found,
                start,
                length,
                bool(words.text) and text is None,
                label,
            )

    def _digests(self, segments: Sequence[Segment]) -> list[str]:
        """Digest of the content of each sample, independent of the location of the file and of the
        number of files."""
        paths = {segment.info.path for segment in segments}
        files = {path: file_digest(path) for path in paths}
        settings = digest(self.unplaced())
        return [
            digest(
                settings,
                files[segment.info.path],
                segment.name,
                segment.user,
                segment.text,
                segment.words_unknown,
                segment.start,
                segment.length,
                *([] if segment.label is None else [segment.label]),
            )
            for segment in segments
        ]

    def _sample(self, clips: LRU[Clip], segment: Segment) -> Sample:
        info, fps, rate = segment.info, segment.info.fps, self.sample_rate_hz
        clip = clips.of(info.path, lambda: Clip(info, rate, self._finish(info)))
        video = clip.pictures(segment.start, segment.length)
        audio = None
        if info.sound:
            start, length = round(segment.start / fps * rate), round(segment.length / fps * rate)
            audio = clip.sound(start, length)
        lacking = {
            SOUND: audio is None,
            transcripts.WORDS: segment.words_unknown,
            FACE: self.face and self._cut(info) is None,
        }
        return Sample(
            segment.name,
            segment.user,
            video=video,
            fps=fps,
            audio=audio,
            sample_rate_hz=None if audio is None else rate,
            text=segment.text,
            label=segment.label,
            found={name: (0, len(video)) for name, lacks in lacking.items() if lacks},
        )

    def remarks(self) -> Sequence[str]:
        videos = self.videos()
        looked_at = videos[:LOOKED_AT]
        more = ""
        if len(videos) > LOOKED_AT:
            more = f", of the first {LOOKED_AT} of {len(videos):,} clips"
        found = list[str]()
        for path in looked_at:
            if self.segment_s is not None and any(
                segment.words_unknown for segment in self._segments(path)
            ):
                found.append(
                    f"{path.name}: the words of its segments are unknown{more}, so metrics of "
                    f"words have no value: add {path.stem}.TextGrid with the times of the words"
                )
            info = probe(path)
            if not info.sound:
                found.append(f"{path.name}: no sound{more}")
            first_frames = itertools.islice(upright_frames(info), FIRST)
            if self.face and face_square(first_frames) is None:
                found.append(f"{path.name}: no face in its first {FIRST} frames{more}")
        return found

    def _cut(self, found: ClipInfo) -> tuple[int, int, int] | None:
        """The square around the face, in pixels of the upright picture; None if no frame shows
        one."""
        key = digest(file_digest(found.path), self.person)
        return _cuts.of(key, lambda: (face_square(upright_frames(found), self.person),))[0]

    def _finish(self, found: ClipInfo) -> Callable[[np.ndarray, float], np.ndarray]:
        """The function that crops and scales frames of a clip."""
        cut = self._cut(found) if self.face else None
        if cut is None:
            return lambda pixels, pixel: fitted(pixels, pixel, self.size)
        left, top, side = cut
        return lambda pixels, pixel: resized(
            squared(pixels, pixel)[top : top + side, left : left + side], self.size
        )


@dataclass(frozen=True)
class Segment:
    """A sample before it is read: name, user and words, and its frames in a clip.

    Fields:
        words_unknown: whether the clip has words, but not those of this segment
        label: of the sample
    """

    name: str
    user: str
    text: str | None
    info: ClipInfo
    start: int
    length: int
    words_unknown: bool = False
    label: str | None = None


@dataclass(frozen=True)
class Grid(Clips):
    """Clips of the GRID corpus, whose file names spell the sentence: bbaf2n is "bin blue at f two
    now"."""

    reference: ClassVar[str] = (
        "M. Cooke et al., An audio-visual corpus for speech perception, J. Acoust. Soc. Am., 2006"
    )
    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio",)

    def text_of(self, path: Path) -> str | None:
        return grid_sentence(path.stem)
