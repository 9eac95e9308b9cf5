"""Encoder of speech: text or phones, with their timing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from semcore import (
    ComponentError,
    Features,
    KnowledgeBase,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
    Text,
    Tokens,
    path_digest,
)
from semcore_video.licences import POCKETSPHINX, PRAATIO
from semcore_video.paper import PAPER
from semcore_video.speech import textgrid
from semcore_video.speech.align import align, evenly_spaced, pronounce
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE
from semcore_video.speech.recognise import recognise_grid
from semcore_video.speech.streams import DURATIONS, INTERVAL, PHONES, TEXT

CLOCK = 2**10
"""Number of values of a time, in frames of 10 ms, for sounds shorter than 10 s."""


RATE_HZ = 16000
"""Sample rate of the silence of a video without sound."""
LONGER_S = 0.1
"""Maximum excess of the length of an alignment over that of the sound."""


def clock(frames: int) -> int:
    """Number of values of a time in a sound of 10 ms frames: a power of two that both ends derive
    from its length."""
    return max(CLOCK, 1 << frames.bit_length())


@dataclass(frozen=True)
class Speech(SemanticEncoder):
    """Spoken content of a sound: its text, or its phones with durations.

    `send: durations`, for video from audio, gives the streams `phones` (indices of phones of the
    CMU dictionary, with silences) and `durations` (in frames of 10 ms), from forced alignment by
    PocketSphinx. `send: text`, for audio from video, gives `text` and `interval`: the first and
    last frame of speech, in frames of 10 ms, two bytes that give more precise timing than a face
    does (more bits for sounds of 10 s or more). `send: words` gives only `text`.

    The words are those of the sample; or those recognised by PocketSphinx with the grammar of the
    GRID corpus (`words: grid`), which finds one of its sentences in any sound; or those of a
    `recogniser` such as `whisper`. If words and sound do not match, the words are spread evenly
    over the sound; a video without sound counts as silent.

    Words and times can also be imported: `textgrids` is a folder with a file `USER.TextGrid` per
    user, as written by the Montreal Forced Aligner. An alignment longer than the sound, such as
    that of a whole clip for one of its segments, raises an error.

    Fields:
        send: which streams
        words: origin of the words
        recogniser: an encoder with a stream `text` that recognises the words; null: use `words`
        textgrids: folder of alignments; null: alignment by PocketSphinx
    """

    licences: ClassVar[tuple[str, ...]] = (POCKETSPHINX, PRAATIO)
    reference: ClassVar[str] = f"{PAPER}, section III-B"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "huggins2006pocketsphinx")
    test_settings = ({"send": "text"}, {"send": "durations", "words": "grid"}, {"send": "words"})

    send: Literal["text", "durations", "words"] = "text"
    words: Literal["source", "grid"] = "source"
    recogniser: SemanticEncoder | None = None
    textgrids: str | None = None

    def libraries(self) -> Mapping[str, str]:
        return {"pocketsphinx": "semcore-video[speech]"}

    def check(self) -> None:
        if self.recogniser is not None and self.recogniser.streams.get(TEXT) is not Text:
            raise ComponentError(
                f"Speech.recogniser must give a text stream {TEXT!r}, as whisper does"
            )
        origins = (self.recogniser is not None, self.textgrids is not None, self.words != "source")
        if sum(origins) > 1:
            raise ComponentError(
                "Speech takes its words from only one of `words: grid`, `recogniser` and "
                "`textgrids`"
            )

    def identity(self) -> Any:
        """The digest of a folder of alignments."""
        return path_digest(self.textgrids, ("*.TextGrid",)) or None

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        sent: dict[str, Mapping[str, type[Stream]]] = {
            "text": {TEXT: Text, INTERVAL: Tokens},
            "durations": {PHONES: Tokens, DURATIONS: Features},
            "words": {TEXT: Text},
        }
        return sent[self.send]

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [Semantics(sample.id, self._streams(sample), sample.user) for sample in samples]

    def _streams(self, sample: Sample) -> dict[str, Stream]:
        sample = _with_sound(sample)
        if sample.audio is None or sample.sample_rate_hz is None:
            raise ComponentError(f"Speech encodes sound, and sample {sample.id!r} has none")
        if self.textgrids is not None:
            place = Path(self.textgrids).expanduser() / f"{sample.user}.TextGrid"
            text, phones = textgrid.read(place)
            _check_length(place, sum(phone.frames for phone in phones) * FRAME_S, sample)
        else:
            text = self._words(sample, sample.audio, sample.sample_rate_hz)
            phones = align(sample.audio, sample.sample_rate_hz, text) or []
        length = round(len(sample.audio) / sample.sample_rate_hz / FRAME_S)
        if not phones:
            phones = evenly_spaced(pronounce(text), length)
        ends = np.cumsum([phone.frames for phone in phones])
        spoken = [index for index, phone in enumerate(phones) if phone.name != SILENCE] or [0]
        first, last = int(ends[spoken[0]] - phones[spoken[0]].frames), int(ends[spoken[-1]])
        if self.send == "words":
            return {TEXT: Text(text)}
        if self.send == "text":
            values = clock(length)
            return {
                TEXT: Text(text),
                INTERVAL: Tokens(np.array([first, last], np.int64).clip(0, values - 1), values),
            }
        return {
            PHONES: Tokens(
                np.array([NUMBERS[phone.name] for phone in phones], np.int64), len(NUMBERS)
            ),
            DURATIONS: Features(np.array([phone.frames for phone in phones], np.float32)),
        }

    def _words(self, sample: Sample, audio: np.ndarray, sample_rate_hz: int) -> str:
        """The words of a sample's sound."""
        if self.recogniser is not None:
            return self.recogniser.encode([sample], KnowledgeBase())[0].text(TEXT) or ""
        if self.words == "grid":
            return recognise_grid(audio, sample_rate_hz)
        if sample.text:
            return sample.text
        raise ComponentError(
            f"Speech needs the words of sample {sample.id!r}: the source `grid` spells them, "
            "`av-clips` reads a text file next to each video (segments of a video need a TextGrid "
            "there), `words: grid` recognises sentences of GRID, and a `recogniser` any speech"
        )


def _with_sound(sample: Sample) -> Sample:
    """The sample; with silence of the length of the video if it has no sound."""
    if sample.audio is not None or sample.video is None or not sample.fps:
        return sample
    silence = np.zeros(max(round(len(sample.video) / sample.fps * RATE_HZ), 1), np.float32)
    return replace(sample, audio=silence, sample_rate_hz=RATE_HZ)


def _check_length(place: Path, length_s: float, sample: Sample) -> None:
    """Check that an alignment is not longer than a sample's sound.

    Raises:
        ComponentError: it is longer by more than 0.1 s
    """
    assert sample.audio is not None and sample.sample_rate_hz is not None
    sound_s = len(sample.audio) / sample.sample_rate_hz
    if length_s > sound_s + LONGER_S:
        raise ComponentError(
            f"Speech.textgrids: {place} lasts {length_s:.2f} s, and the sound of sample "
            f"{sample.id!r} {sound_s:.2f} s: it is the alignment of the whole clip; remove the "
            "source's `segment_s`"
        )


@dataclass(frozen=True)
class Audiovisual(SemanticEncoder):
    """The streams of two encoders, one for the picture and one for the sound.

    Fields:
        video: encodes the picture
        audio: encodes the sound
    """

    reference: ClassVar[str] = f"{PAPER}, section III-B"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    test_settings = ({"video": {"use": "face-motion"}, "audio": {"use": "speech"}},)

    video: SemanticEncoder
    audio: SemanticEncoder

    def check(self) -> None:
        if shared := self.video.streams.keys() & self.audio.streams.keys():
            raise ComponentError(
                f"Audiovisual.audio and .video both send a stream {sorted(shared)[0]!r}"
            )

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {**self.video.streams, **self.audio.streams}

    def found(self, sample: Sample) -> Mapping[str, tuple[int, int]]:
        return {**self.video.found(sample), **self.audio.found(sample)}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        pairs = zip(self.video.encode(samples, kb), self.audio.encode(samples, kb), strict=True)
        return [
            Semantics(video.key, {**video.streams, **audio.streams}, video.user)
            for video, audio in pairs
        ]
