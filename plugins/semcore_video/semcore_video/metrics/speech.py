"""Metrics of speech: intelligibility, quality, and envelope."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from semcore import (
    Component,
    ComponentError,
    KnowledgeBase,
    Quotient,
    Ratio,
    Record,
    Sample,
    Score,
    SemanticEncoder,
    Statistic,
    Text,
    digest,
    extra,
    named_files,
    plain,
)
from semcore.metrics import RecordMetric
from semcore_video.face.landmarks import correlation
from semcore_video.licences import JIWER, P862, PYSTOI
from semcore_video.paper import PAPER
from semcore_video.resampling import resample_audio
from semcore_video.speech.align import words_of
from semcore_video.speech.recognise import PocketSphinx
from semcore_video.speech.streams import TEXT

RATE_HZ = 16000
"""Sample rate at which speech is compared."""
FRAME_S, SMOOTH = 0.01, 5
"""Frames of an envelope, s, and length of its running mean, frames."""


METHOD = "missing=silence"
"""Comparison of sounds of unequal length, as stated in signatures; a result beyond the end of the
source counts as lost."""
DIGITS = dict(
    zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True)
)


@dataclass(frozen=True, eq=False)
class Sounds:
    """Source and result at 16 kHz.

    Fields:
        source: float32 (S,)
        result: float32 (S,), padded with silence; None: lost
        excess: samples by which the result is longer than the source
    """

    source: np.ndarray
    result: np.ndarray | None
    excess: int = 0

    def overall(self, value: float, value_of_lost: float) -> float:
        """A value of sounds of equal length, averaged with the value of lost samples for those
        beyond the end of the source."""
        total = value * len(self.source) + value_of_lost * self.excess
        return total / (len(self.source) + self.excess)


def sounds(record: Record) -> Sounds | None:
    """Both sounds of a record; None without sound in the source. A result without sound, or a
    silent one, is lost."""
    source = _resampled(record.source.audio, record.source.sample_rate_hz)
    if source is None or not source.any():
        return None
    result = _resampled(record.result.audio, record.result.sample_rate_hz)
    if result is None or not result.any():
        return Sounds(source, None)
    whole = np.zeros_like(source)
    whole[: len(result)] = result[: len(source)]
    return Sounds(source, whole if whole.any() else None, max(len(result) - len(source), 0))


def _resampled(audio: np.ndarray | None, sample_rate_hz: int | None) -> np.ndarray | None:
    if audio is None or not sample_rate_hz or not len(audio):
        return None
    return resample_audio(audio, sample_rate_hz, RATE_HZ)


@dataclass(frozen=True)
class SpeechWER(RecordMetric):
    """Word error rate of the recognised words of the result relative to the words of the source
    (jiwer).

    On both sides, words are in lower case with letters and apostrophes only; digits are spelled out
    one by one. The recogniser is any encoder with a stream `text`: `moonshine`, `whisper`,
    `pocketsphinx`. The last, with the grammar of the GRID corpus, finds one of its sentences in any
    sound, so that chance is below 1, and other sentences need another recogniser. The whole result
    is recognised, regardless of its length. A lost sound has 1. None for a source without words.

    Fields:
        of: whether the result is evaluated, or the source itself, which gives the attainable
            minimum
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

    def libraries(self) -> Mapping[str, str]:
        return {"jiwer": "semcore-video[metrics]"}

    def check(self) -> None:
        if self.recogniser.streams.get(TEXT) is not Text:
            raise ComponentError(
                f"SpeechWER.recogniser must give a text stream {TEXT!r}, as moonshine does"
            )

    @property
    def signature(self) -> str:
        asr = component_label(self.recogniser)
        settings = f"asr={asr},normaliser=lower+letters+digits-written,lost=1,of={self.of}"
        return f"SpeechWER|{self.version}|{settings}"

    def value(self, record: Record) -> float | None:
        spoken = words(record.source.text or "")
        if not spoken:
            return None
        evaluated = record.source if self.of == "source" else record.result
        if evaluated.audio is None or not evaluated.sample_rate_hz or not len(evaluated.audio):
            return Quotient(len(spoken), len(spoken))
        with extra("semcore-video[metrics]", "counting words needs jiwer"):
            import jiwer
        # The recogniser does not get the words.
        sound = Sample("sound", audio=evaluated.audio, sample_rate_hz=evaluated.sample_rate_hz)
        recognised = self.recogniser.encode([sound], KnowledgeBase())[0].text(TEXT) or ""
        counts = jiwer.process_words(" ".join(spoken), " ".join(words(recognised)))
        return Quotient(counts.substitutions + counts.deletions + counts.insertions, len(spoken))


def component_label(component: Component) -> str:
    """A component with its settings, and a digest of what else determines its results:
    `whisper(model=...)#0123456789ab`."""
    settings = ",".join(f"{key}={value}" for key, value in plain(component).items() if key != "use")
    depends = [component.identity(), named_files(component)]
    label = f"{plain(component)['use']}({settings})"
    return f"{label}#{digest(depends)[:12]}" if any(depends) else label


def words(text: str) -> list[str]:
    """The words of a text in the form that is compared."""
    for digit, word in DIGITS.items():
        text = text.replace(digit, f" {word} ")
    return words_of(text)


@dataclass(frozen=True)
class STOI(RecordMetric):
    """Short-time objective intelligibility, about 0..1 (pystoi).

    A lost or silent sound has 0, as has the part of the result beyond the end of the source. None
    if it is not defined: the source has no sound, or less than 0.4 s that is not silent.
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

    def libraries(self) -> Mapping[str, str]:
        return {"pystoi": "semcore-video[metrics]"}

    def value(self, record: Record) -> float | None:
        pair = sounds(record)
        # Whether it is defined depends only on the source, so that the samples in a mean do not
        # depend on the results.
        if pair is None or (self._of(pair.source, pair.source) or 0.0) < 0.5:
            return None
        found = None if pair.result is None else self._of(pair.source, pair.result)
        return pair.overall(found or 0.0, 0.0)

    def _of(self, source: np.ndarray, result: np.ndarray) -> float | None:
        """The value of pystoi; None if it warns that the sound is too short."""
        with extra("semcore-video[metrics]", "STOI needs pystoi"):
            from pystoi import stoi
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            try:
                return float(stoi(source, result, RATE_HZ))
            except (RuntimeWarning, ValueError):  # ValueError: shorter than a window
                return None


@dataclass(frozen=True)
class PESQ(RecordMetric):
    """Perceptual evaluation of speech quality, wide band, about 1..4.6 (pesq).

    It does not distinguish another voice from poor quality: any synthesis is near 1.1. A lost or
    silent sound has 1, as has the part of the result beyond the end of the source. None if it is
    not defined: the source has no sound, or no utterance, or is shorter than 0.25 s.
    """

    licences: ClassVar[tuple[str, ...]] = (P862,)
    reference: ClassVar[str] = "ITU-T P.862.2"
    cites: ClassVar[tuple[str, ...]] = ("p8622",)
    statistic: ClassVar[Statistic] = Score(0.999, 4.999)
    version: ClassVar[int] = 2
    method: ClassVar[str] = f"fs=16000,mode=wb,{METHOD},lost=1,excess=1"

    def libraries(self) -> Mapping[str, str]:
        return {"pesq": "semcore-video[pesq]"}

    def value(self, record: Record) -> float | None:
        pair = sounds(record)
        if pair is None or self._of(pair.source, pair.source) is None:
            return None
        found = None if pair.result is None else self._of(pair.source, pair.result)
        return pair.overall(1.0 if found is None else found, 1.0)

    def _of(self, source: np.ndarray, result: np.ndarray) -> float | None:
        """The value of pesq; None if it finds no utterance, or the sound is too short."""
        with extra("semcore-video[pesq]", "PESQ needs pesq"):
            import pesq
        try:
            return float(pesq.pesq(RATE_HZ, source, result, "wb"))
        except (pesq.NoUtterancesError, pesq.BufferTooShortError):
            return None


@dataclass(frozen=True)
class EnvelopeCorrelation(RecordMetric):
    """Correlation of the envelope of the result with that of the source, at most 1.

    Envelopes are root mean squares of frames of 10 ms, smoothed by a running mean over five of
    them. A lost or silent sound has 0, and the source counts as silent where the result is longer.
    None if the source has no sound that varies, or less than 0.1 s.
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
        result = _resampled(record.result.audio, record.result.sample_rate_hz)
        assert result is not None
        length = max(len(result), len(pair.source))
        return correlation(
            *(envelope(np.pad(sound, (0, length - len(sound)))) for sound in (result, pair.source))
        )


def envelope(sound: np.ndarray) -> np.ndarray:
    """Root mean squares of frames of 10 ms at 16 kHz, smoothed: (S,) -> (S // 160,)."""
    size = round(FRAME_S * RATE_HZ)
    frames = sound[: len(sound) // size * size].reshape(-1, size).astype(np.float64)
    return np.convolve(np.sqrt(np.square(frames).mean(1)), np.ones(SMOOTH) / SMOOTH, "same")
