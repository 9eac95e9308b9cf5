"""Metrics of speech: whether it is understood, and how like the speaker's it sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from semcore.errors import RunError
from semcore.interfaces import Record
from semcore.metrics import RecordMetric
from semcore.statistics import Quotient, Ratio, Score, Statistic
from semcore_video.licences import JIWER, P862, POCKETSPHINX, PYSTOI
from semcore_video.paper import PAPER

RATE_HZ = 16000
"""At which speech is judged."""
FRAME_S, SMOOTH = 0.01, 5
"""Frames of an envelope, s, and over how many of them it is a running mean."""


def sounds(record: Record) -> tuple[np.ndarray, np.ndarray | None] | None:
    """Source and result at 16 kHz, float32, of the source's length; None in place of a lost result."""
    source = _heard(record.source.audio, record.source.sample_rate_hz)
    if source is None:
        return None
    result = _heard(record.result.audio, record.result.sample_rate_hz)
    if result is None:
        return source, None
    whole = np.zeros_like(source)
    whole[: len(result)] = result[: len(source)]
    return source, whole


def _heard(audio: np.ndarray | None, sample_rate_hz: int | None) -> np.ndarray | None:
    from semcore_video.speech.stretch import resampled

    if audio is None or not sample_rate_hz or not len(audio):
        return None
    return resampled(audio, sample_rate_hz, RATE_HZ)


@dataclass(frozen=True)
class SpeechWER(RecordMetric):
    """Word error rate of what a recogniser hears in the result, against the words of the source (jiwer).

    Words are lowered and freed of all but letters and apostrophes. The recogniser is PocketSphinx, led by the grammar of the
    GRID corpus: it hears one of its sentences in anything, so chance is below 1. A lost sound has 1. None for a source
    without words.

    Fields:
        of: whether the result is judged, or the source itself, which bounds what can be reached
    """

    licences: ClassVar[tuple[str, ...]] = (
        JIWER,
        POCKETSPHINX,
    )
    reference: ClassVar[str] = f"{PAPER}, section IV-A3"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "huggins2006pocketsphinx", "cooke2006audio")
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Ratio(0.0, whole=1.0)

    of: Literal["result", "source"] = "result"

    @property
    def signature(self) -> str:
        return f"SpeechWER|{self.version}|asr=pocketsphinx-grid,normaliser=lower+letters,lost=1,of={self.of}"

    def value(self, record: Record) -> float | None:
        from semcore_video.speech.align import words_of
        from semcore_video.speech.recognise import recognised

        if not record.source.text:
            return None
        pair = sounds(record)
        sound = None if pair is None else pair[0] if self.of == "source" else pair[1]
        words = words_of(record.source.text)
        if not words:
            return None
        if sound is None:
            return Quotient(len(words), len(words))
        try:
            import jiwer
        except ImportError as error:
            raise RunError("words are counted by jiwer: pip install 'semcore-video[judges]'") from error
        counts = jiwer.process_words(" ".join(words), recognised(sound, RATE_HZ))
        return Quotient(counts.substitutions + counts.deletions + counts.insertions, len(words))


@dataclass(frozen=True)
class STOI(RecordMetric):
    """Short-time objective intelligibility, about 0..1 (pystoi). A lost sound has 0. None without sound in the source."""

    licences: ClassVar[tuple[str, ...]] = (PYSTOI,)
    reference: ClassVar[str] = "C. H. Taal et al., An algorithm for intelligibility prediction, IEEE Trans. ASLP 19(7), 2011"
    cites: ClassVar[tuple[str, ...]] = ("taal2011algorithm",)
    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    method: ClassVar[str] = "fs=16000,extended=no,lost=0"

    def value(self, record: Record) -> float | None:
        pair = sounds(record)
        if pair is None or not pair[0].any():
            return None
        if pair[1] is None or not pair[1].any():
            return 0.0
        try:
            from pystoi import stoi
        except ImportError as error:
            raise RunError("intelligibility is judged by pystoi: pip install 'semcore-video[judges]'") from error
        return float(stoi(pair[0], pair[1], RATE_HZ))


@dataclass(frozen=True)
class PESQ(RecordMetric):
    """Perceptual evaluation of speech quality, wide band, about 1..4.6 (pesq).

    Cannot tell another voice from a bad one: any synthesis is near 1.1. A lost or silent sound has 1. None without sound in
    the source.
    """

    licences: ClassVar[tuple[str, ...]] = (P862,)
    reference: ClassVar[str] = "ITU-T P.862.2"
    cites: ClassVar[tuple[str, ...]] = ("p8622",)
    statistic: ClassVar[Statistic] = Score(0.999, 4.999)
    method: ClassVar[str] = "fs=16000,mode=wb,lost=1"

    def value(self, record: Record) -> float | None:
        pair = sounds(record)
        if pair is None or not pair[0].any():
            return None
        try:
            import pesq
        except ImportError as error:
            raise RunError("speech quality is judged by pesq: pip install 'semcore-video[judges]'") from error
        if pair[1] is None or not pair[1].any():
            return 1.0
        try:
            return float(pesq.pesq(RATE_HZ, pair[0], pair[1], "wb"))
        except pesq.NoUtterancesError:
            return 1.0


@dataclass(frozen=True)
class EnvelopeCorrelation(RecordMetric):
    """Whether the result is loud when the source is: correlation of their envelopes, at most 1.

    Envelopes are root mean squares of frames of 10 ms, running means over five of them. A lost sound has 0. None without
    sound in the source.
    """

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    method: ClassVar[str] = "rms=10ms,mean=5,lost=0"

    def value(self, record: Record) -> float | None:
        from semcore_video.judges.faces import correlation

        pair = sounds(record)
        if pair is None or not pair[0].any():
            return None
        return 0.0 if pair[1] is None else correlation(envelope(pair[1]), envelope(pair[0]))


def envelope(sound: np.ndarray) -> np.ndarray:
    """Root mean squares of frames of 10 ms at 16 kHz, smoothed: (S,) -> (S // 160,)."""
    size = round(FRAME_S * RATE_HZ)
    frames = sound[: len(sound) // size * size].reshape(-1, size).astype(np.float64)
    return np.convolve(np.sqrt(np.square(frames).mean(1)), np.ones(SMOOTH) / SMOOTH, "same")
