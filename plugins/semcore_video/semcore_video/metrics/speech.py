"""Metrics of speech: whether it is understood, and how like the speaker's it sounds."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from semcore.component.base import Component, plain
from semcore.component.digest import digest, named_files
from semcore.errors import ComponentError, RunError
from semcore.interfaces import Record, SemanticEncoder
from semcore.metrics.builtin import RecordMetric
from semcore.statistics.kinds import Quotient, Ratio, Score, Statistic
from semcore.types import KnowledgeBase, Sample, Text
from semcore_video.face.landmarks import correlation
from semcore_video.licences import JIWER, P862, PYSTOI
from semcore_video.paper import PAPER
from semcore_video.resampling import resampled
from semcore_video.speech.align import words_of
from semcore_video.speech.recognise import PocketSphinx
from semcore_video.speech.streams import TEXT

RATE_HZ = 16000
"""At which speech is judged."""
FRAME_S, SMOOTH = 0.01, 5
"""Frames of an envelope, s, and over how many of them it is a running mean."""


METHOD = "missing=silence"
"""How sounds of unlike lengths are compared, as a signature has it; what a result has beyond the
end of the source is lost."""
DIGITS = dict(
    zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True)
)


@dataclass(frozen=True, eq=False)
class Sounds:
    """Source and result at 16 kHz.

    Fields:
        source: float32 (S,)
        result: float32 (S,), silent where the result is shorter; None: lost
        excess: samples that the result is longer than the source
    """

    source: np.ndarray
    result: np.ndarray | None
    excess: int = 0

    def overall(self, value: float, lost: float) -> float:
        """A value of sounds of one length, when each sample beyond the end of the source counts as
        one that is lost."""
        return (value * len(self.source) + lost * self.excess) / (len(self.source) + self.excess)


def sounds(record: Record) -> Sounds | None:
    """Both sounds of a record; None without sound in the source. A result without sound, or a
    silent one, is lost."""
    source = _heard(record.source.audio, record.source.sample_rate_hz)
    if source is None or not source.any():
        return None
    result = _heard(record.result.audio, record.result.sample_rate_hz)
    if result is None or not result.any():
        return Sounds(source, None)
    whole = np.zeros_like(source)
    whole[: len(result)] = result[: len(source)]
    return Sounds(source, whole if whole.any() else None, max(len(result) - len(source), 0))


def _heard(audio: np.ndarray | None, sample_rate_hz: int | None) -> np.ndarray | None:
    if audio is None or not sample_rate_hz or not len(audio):
        return None
    return resampled(audio, sample_rate_hz, RATE_HZ)


@dataclass(frozen=True)
class SpeechWER(RecordMetric):
    """Word error rate of what a recogniser makes of the result, against the words of the source
    (jiwer).

    Words are lowered and freed of all but letters and apostrophes, on both sides; digits are
    written out one by one. The recogniser may be any encoder with a stream `text`: `moonshine`,
    `whisper`, `pocketsphinx`. The last, with the grammar of the GRID corpus finds one of its
    sentences in anything, so chance is below 1, and other sentences need another recogniser. The
    whole result is recognised, however long it is. A lost sound has 1. None for a source without
    words.

    Fields:
        of: whether the result is judged, or the source itself, which bounds what can be reached
        recogniser: an encoder with a stream `text`
    """

    licences: ClassVar[tuple[str, ...]] = (JIWER,)
    reference: ClassVar[str] = f"{PAPER}, section IV-A3"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic",)
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Ratio(0.0, whole=1.0)
    version: ClassVar[int] = 2

    of: Literal["result", "source"] = "result"
    recogniser: SemanticEncoder = PocketSphinx()

    def check(self) -> None:
        if self.recogniser.streams.get(TEXT) is not Text:
            raise ComponentError(
                f"SpeechWER.recogniser must give a text stream {TEXT!r}, as moonshine does"
            )

    @property
    def signature(self) -> str:
        asr = described(self.recogniser)
        settings = f"asr={asr},normaliser=lower+letters+digits-written,lost=1,of={self.of}"
        return f"SpeechWER|{self.version}|{settings}"

    def value(self, record: Record) -> float | None:
        said = words(record.source.text or "")
        if not said:
            return None
        judged = record.source if self.of == "source" else record.result
        if judged.audio is None or not judged.sample_rate_hz or not len(judged.audio):
            return Quotient(len(said), len(said))
        try:
            import jiwer
        except ImportError as error:
            raise RunError(
                "words are counted by jiwer: pip install 'semcore-video[judges]'"
            ) from error
        # A recogniser is not shown what was said.
        sound = Sample("sound", audio=judged.audio, sample_rate_hz=judged.sample_rate_hz)
        heard = self.recogniser.encode([sound], KnowledgeBase())[0].text(TEXT) or ""
        counts = jiwer.process_words(" ".join(said), " ".join(words(heard)))
        return Quotient(counts.substitutions + counts.deletions + counts.insertions, len(said))


def described(component: Component) -> str:
    """A component with its settings, and a digest of what else its results depend on:
    `whisper(model=...)#0123456789ab`."""
    settings = ",".join(f"{key}={value}" for key, value in plain(component).items() if key != "use")
    depends = [component.identity(), named_files(component)]
    return f"{plain(component)['use']}({settings})" + (
        f"#{digest(depends)[:12]}" if any(depends) else ""
    )


def words(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return words_of("".join(f" {DIGITS[one]} " if one in DIGITS else one for one in text))


@dataclass(frozen=True)
class STOI(RecordMetric):
    """Short-time objective intelligibility, about 0..1 (pystoi).

    A lost or silent sound has 0, and so has what the result has beyond the end of the source. None
    where it is not defined: the source has no sound, or less than 0.4 s of it that is not silent.
    """

    licences: ClassVar[tuple[str, ...]] = (PYSTOI,)
    reference: ClassVar[str] = (
        "C. H. Taal et al., An algorithm for intelligibility prediction, IEEE Trans. ASLP 19(7), "
        "2011"
    )
    cites: ClassVar[tuple[str, ...]] = ("taal2011algorithm",)
    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    version: ClassVar[int] = 2
    method: ClassVar[str] = f"fs=16000,extended=no,{METHOD},lost=0,excess=0"

    def value(self, record: Record) -> float | None:
        pair = sounds(record)
        # Whether it is defined is the source's matter: it must not depend on what arrived which
        # samples are in a mean.
        if pair is None or (self._of(pair.source, pair.source) or 0.0) < 0.5:
            return None
        found = None if pair.result is None else self._of(pair.source, pair.result)
        return pair.overall(found or 0.0, 0.0)

    def _of(self, source: np.ndarray, result: np.ndarray) -> float | None:
        """What pystoi says; None where it warns that there is too little to judge."""
        try:
            from pystoi import stoi
        except ImportError as error:
            raise RunError(
                "intelligibility is judged by pystoi: pip install 'semcore-video[judges]'"
            ) from error
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            try:
                return float(stoi(source, result, RATE_HZ))
            except (RuntimeWarning, ValueError):  # ValueError: shorter than a window
                return None


@dataclass(frozen=True)
class PESQ(RecordMetric):
    """Perceptual evaluation of speech quality, wide band, about 1..4.6 (pesq).

    Cannot tell another voice from a bad one: any synthesis is near 1.1. A lost or silent sound has
    1, and so has what the result has beyond the end of the source. None where it is not defined:
    the source has no sound, or no utterance in it, or is shorter than 0.25 s.
    """

    licences: ClassVar[tuple[str, ...]] = (P862,)
    reference: ClassVar[str] = "ITU-T P.862.2"
    cites: ClassVar[tuple[str, ...]] = ("p8622",)
    statistic: ClassVar[Statistic] = Score(0.999, 4.999)
    version: ClassVar[int] = 2
    method: ClassVar[str] = f"fs=16000,mode=wb,{METHOD},lost=1,excess=1"

    def value(self, record: Record) -> float | None:
        pair = sounds(record)
        if pair is None or self._of(pair.source, pair.source) is None:
            return None
        found = None if pair.result is None else self._of(pair.source, pair.result)
        return pair.overall(1.0 if found is None else found, 1.0)

    def _of(self, source: np.ndarray, result: np.ndarray) -> float | None:
        """What pesq says; None where it finds no utterance, or too short a sound."""
        try:
            import pesq
        except ImportError as error:
            raise RunError(
                "speech quality is judged by pesq: pip install 'semcore-video[judges]'"
            ) from error
        try:
            return float(pesq.pesq(RATE_HZ, source, result, "wb"))
        except (pesq.NoUtterancesError, pesq.BufferTooShortError):
            return None


@dataclass(frozen=True)
class EnvelopeCorrelation(RecordMetric):
    """Whether the result is loud when the source is: correlation of their envelopes, at most 1.

    Envelopes are root mean squares of frames of 10 ms, running means over five of them. A lost or
    silent sound has 0, and the source counts as silent where the result is longer. None where the
    source has no sound that changes, or less than 0.1 s.
    """

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    version: ClassVar[int] = 2
    method: ClassVar[str] = f"rms=10ms,mean=5,{METHOD},lost=0,excess=silent-source"

    def value(self, record: Record) -> float | None:
        pair = sounds(record)
        if (
            pair is None
            or len(pair.source) < 2 * SMOOTH * FRAME_S * RATE_HZ
            or envelope(pair.source).std() < 1e-9
        ):
            return None
        if pair.result is None:
            return 0.0
        result = _heard(record.result.audio, record.result.sample_rate_hz)
        assert result is not None
        length = max(len(result), len(pair.source))
        return correlation(
            *(envelope(np.pad(one, (0, length - len(one)))) for one in (result, pair.source))
        )


def envelope(sound: np.ndarray) -> np.ndarray:
    """Root mean squares of frames of 10 ms at 16 kHz, smoothed: (S,) -> (S // 160,)."""
    size = round(FRAME_S * RATE_HZ)
    frames = sound[: len(sound) // size * size].reshape(-1, size).astype(np.float64)
    return np.convolve(np.sqrt(np.square(frames).mean(1)), np.ones(SMOOTH) / SMOOTH, "same")
