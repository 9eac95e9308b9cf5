"""Videos with sound on disk, and the sentences of the GRID corpus."""

from __future__ import annotations

import itertools
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt

from semcore.component.digest import digest
from semcore.errors import ComponentError, SourceError
from semcore.fingerprint.content import file_digest
from semcore.interfaces import Source
from semcore.media.pictures import written
from semcore.media.texts import read_text
from semcore.memo import LRU
from semcore.types import OnDemand, Sample
from semcore_video.face.cut import square
from semcore_video.face.follow import Person
from semcore_video.face.tracker import FACE, Tracking
from semcore_video.licences import MEDIAPIPE, PYAV
from semcore_video.media.reading import Clip, Survey, survey, upright_frames
from semcore_video.media.scaling import fitted, resized, squared
from semcore_video.sources import transcripts
from semcore_video.sources.transcripts import Transcript
from semcore_video.speech.grid import grid_sentence

ENDINGS = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov",
    ".mp4", ".mpeg", ".mpg", ".mts", ".ts", ".webm", ".wmv",
)  # fmt: skip
OPEN_PIXELS = 2**24
"""Pixels of the frames of clips that are open at a time: a decoder keeps some of each."""
SOUND = "sound"
"""Name under which a sample says that its clip has no sound track."""
LOOKED_AT, FIRST = 20, 50
"""Clips, and frames of each, in which a check looks for a face."""
Side = Annotated[int, Ge(16)]
_cuts = LRU[tuple[tuple[int, int, int] | None]](256)
"""Squares about faces by digest of the file and the person: a clip may be opened many times."""


@dataclass(frozen=True)
class Clips(Tracking, Source):
    """Videos with sound, each a user; a long one becomes segments that follow each other, read when
    they are needed.

    Files are taken in the order of their names. The words of `clip.mp4` are those of `clip.txt`
    beside it, in UTF-8. A segment has the words whose middle lies in it by `clip.TextGrid` beside
    the clip (tier `words`, seconds since the first picture); without that file nobody knows its
    words, which `semcore check`, the row and the report say.

    With `face`, a square about the face of the first frame with one, three times as high as the
    face or as large as the frame allows (larger, if the face walks out of it), is cut out of all
    frames; without, or where no frame has a face, which the row and the report say, the middle of
    the frame in the aspect of `size`.

    Pictures are upright and progressive, with square pixels, in sRGB (PQ and HLG as on a display of
    1000 cd/m² with a reference white of 203 cd/m², highlights compressed), at the frame rate of the
    camera: where time stamps are irregular, a picture stays until the next. Sound is mixed to one
    channel, equal channels as loud as before, resampled, and put where its time stamps say; silence
    fills the rest. The clock starts with the first picture. A clip without a sound track has no
    sound, not silence, which the row and the report say.

    Errors: SourceError, which `semcore check` finds, if there is no video, or one cannot be read or
    is longer than 1,000,000 frames, or a text is not UTF-8; ComponentError if a segment is longer
    than 10,000 frames or one gigapixel.

    Fields:
        path: a folder of videos, or one video
        size: (height, width) of the frames
        face: whether the frames are cut to the face; needs MediaPipe
        person: whose face, of several people: the one with the largest face, or the one nearest to
            the centre, the left or the right of the first frame with a face
        segment_s: length of a segment, s; null: the whole video. A rest shorter than half of it is
            left out
        sample_rate_hz: samples of the sound a second
        limit: most segments
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
                "Clips.person says to whose face frames are cut, and `face: false` cuts none; "
                "leave it out"
            )

    def samples(self) -> Sequence[Sample]:
        parts, wrong, places = list[Part](), list[str](), self.places()
        stems = Counter(place.stem for place in places)
        for place in places:
            if self.limit is not None and len(parts) >= self.limit:
                break
            try:
                parts += self._parts(
                    place, written(place.stem if stems[place.stem] == 1 else place.name)
                )
            except ComponentError as error:
                wrong.append(str(error))
        if wrong:
            raise SourceError(wrong, hint="repair or remove it")
        parts = parts[: self.limit]
        clips = Opened(lambda survey: Clip(survey, self.sample_rate_hz, self._finished(survey)))
        heads = [(part.name, part.user) for part in parts]
        return OnDemand(
            heads, lambda index: self._sample(clips, parts[index]), self._digests(parts)
        )

    def text_of(self, place: Path) -> str | None:
        """The words that are spoken in a video: what the text file of its name beside it holds."""
        words = place.with_suffix(".txt")
        return read_text(words).strip() if words.exists() else None

    def places(self) -> list[Path]:
        """The videos that are read, in order.

        Raises:
            SourceError: there is none
        """
        root = Path(self.path).expanduser()
        if not root.exists():
            raise SourceError([f"there is no {root}"])
        inside = sorted(root.iterdir()) if root.is_dir() else [root]
        places = [one for one in inside if one.is_file() and not one.name.startswith(".")]
        places = [one for one in places if one == root or one.suffix.lower() in ENDINGS]
        if not places:
            raise SourceError([f"{root} holds no video ({' '.join(ENDINGS)})"])
        return places[: self.limit]

    def _parts(self, place: Path, user: str) -> Iterator[Part]:
        found, words = survey(place), Transcript.of(place, self.text_of(place))
        count = (
            found.frames if self.segment_s is None else max(1, round(self.segment_s * found.fps))
        )
        for number, start in enumerate(range(0, found.frames, count)):
            length = min(count, found.frames - start)
            if number and 2 * length < count:
                break
            text = (
                words.text
                if length == found.frames
                else words.between(start / found.fps, (start + length) / found.fps)
            )
            yield Part(
                f"{user}/{number:03d}",
                user,
                text,
                found,
                start,
                length,
                bool(words.text) and text is None,
            )

    def _digests(self, parts: Sequence[Part]) -> list[str]:
        """What each sample is made from; neither where the file lies nor how many others there
        are."""
        files = {place: file_digest(place) for place in {part.survey.place for part in parts}}
        settings = digest(replace(self, path="", limit=None))
        return [
            digest(
                settings,
                files[part.survey.place],
                part.name,
                part.user,
                part.text,
                part.unknown,
                part.start,
                part.length,
            )
            for part in parts
        ]

    def _sample(self, clips: Opened, part: Part) -> Sample:
        clip, fps, rate = clips.of(part.survey), part.survey.fps, self.sample_rate_hz
        video = clip.pictures(part.start, part.length)
        audio = None
        if part.survey.sound:
            audio = clip.sound(round(part.start / fps * rate), round(part.length / fps * rate))
        lacking = {
            SOUND: audio is None,
            transcripts.WORDS: part.unknown,
            FACE: self.face and self._cut(part.survey) is None,
        }
        return Sample(
            part.name,
            part.user,
            video=video,
            fps=fps,
            audio=audio,
            sample_rate_hz=None if audio is None else rate,
            text=part.text,
            found={name: (0, len(video)) for name, lacks in lacking.items() if lacks},
        )

    def remarks(self) -> Sequence[str]:
        places = self.places()
        looked_at = places[:LOOKED_AT]
        more = (
            f", of the first {LOOKED_AT} of {len(places):,} clips"
            if len(places) > LOOKED_AT
            else ""
        )
        found = list[str]()
        for place in looked_at:
            if self.segment_s is not None and any(part.unknown for part in self._parts(place, "")):
                found.append(
                    f"{place.name}: the words of its segments are not known{more}, and metrics of "
                    "words have no value: put "
                    f"{place.stem}.TextGrid beside it, which says when each word is spoken"
                )
            seen = survey(place)
            if not seen.sound:
                found.append(f"{place.name}: no sound{more}")
            if self.face and square(itertools.islice(upright_frames(seen), FIRST)) is None:
                found.append(f"{place.name}: no face in its first {FIRST} frames{more}")
        return found

    def _cut(self, found: Survey) -> tuple[int, int, int] | None:
        """The square about the face, in pixels of the upright picture; None where no frame has a
        face."""
        key = digest(file_digest(found.place), self.person)
        return _cuts.of(key, lambda: (square(upright_frames(found), self.person),))[0]

    def _finished(self, found: Survey) -> Callable[[np.ndarray, float], np.ndarray]:
        """What makes frames of a clip as they are asked for."""
        cut = self._cut(found) if self.face else None
        if cut is None:
            return lambda pixels, pixel: fitted(pixels, pixel, self.size)
        left, top, side = cut
        return lambda pixels, pixel: resized(
            squared(pixels, pixel)[top : top + side, left : left + side], self.size
        )


@dataclass(frozen=True)
class Part:
    """A sample before it is read: its name, user and words, and which frames of which clip it has.

    Fields:
        unknown: whether the clip has words, and nobody knows which of them are spoken here
    """

    name: str
    user: str
    text: str | None
    survey: Survey
    start: int
    length: int
    unknown: bool = False


class Opened:
    """Clips that are being read; the newest stay open, since segments are mostly read one after the
    other."""

    def __init__(self, opens: Callable[[Survey], Clip]) -> None:
        self._opens = opens
        self._clips: OrderedDict[Path, Clip] = OrderedDict()

    def of(self, found: Survey) -> Clip:
        """The clip of a file."""
        if found.place not in self._clips:
            self._clips[found.place] = self._opens(found)
            while (
                len(self._clips) > 1
                and sum(one.survey.pixels for one in self._clips.values()) > OPEN_PIXELS
            ):
                self._clips.popitem(last=False)
        self._clips.move_to_end(found.place)
        return self._clips[found.place]


@dataclass(frozen=True)
class Grid(Clips):
    """Clips of the GRID corpus, the names of which spell the sentence: bbaf2n is "bin blue at f two
    now"."""

    reference: ClassVar[str] = (
        "M. Cooke et al., An audio-visual corpus for speech perception, J. Acoust. Soc. Am., 2006"
    )
    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio",)

    def text_of(self, place: Path) -> str | None:
        return grid_sentence(place.stem)
