"""English speech recognition by Moonshine's tiny model, which is part of the wheel of its
library."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from semcore import (
    ComponentError,
    KnowledgeBase,
    RunError,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
    Text,
    extra,
)
from semcore_video.licences import MOONSHINE
from semcore_video.paper import PAPER
from semcore_video.resampling import resample_audio
from semcore_video.speech.streams import TEXT

RATE_HZ = 16_000
QUIET = 1e-3
"""Amplitude below which a sound is silence; the model would output spurious words."""
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Moonshine(SemanticEncoder):
    """Recognises the words of a sound by Moonshine, tiny, English: no download, a fraction of a
    second per clip.

    Emits the stream `text`; as the `recogniser` of the encoder `speech`, its words are aligned as
    well. Sentences are recognised well, single letters poorly: for GRID, use `words: grid` of
    `speech`, which has its grammar.

    Errors: RunError if the library is not installed, or is a version without the model.
    """

    licences: ClassVar[tuple[str, ...]] = (MOONSHINE,)
    reference: ClassVar[str] = (
        f"N. Jeffries et al., Moonshine, 2024; in place of Whisper in {PAPER}, section III-B"
    )
    cites: ClassVar[tuple[str, ...]] = ("jeffries2024moonshine", "liu2026semantic")

    def libraries(self) -> Mapping[str, str]:
        return {"moonshine_voice": "semcore-video[asr]"}

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {TEXT: Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {TEXT: Text(self.transcribe(sample))}, sample.user)
            for sample in samples
        ]

    def transcribe(self, sample: Sample) -> str:
        """The words of a sample's sound."""
        if sample.audio is None or not sample.sample_rate_hz:
            raise ComponentError(f"Moonshine recognises sound, and sample {sample.id!r} has none")
        audio = resample_audio(sample.audio, sample.sample_rate_hz, RATE_HZ)
        if not len(audio) or float(abs(audio).max()) < QUIET:
            return ""
        with _LOCK:  # one recogniser per process
            found = _recogniser().transcribe_without_streaming(audio.tolist(), RATE_HZ)
        return " ".join(" ".join(line.text for line in found.lines).split())


@functools.cache
def _recogniser() -> Any:
    with extra("semcore-video[asr]", "speech recognition needs Moonshine"):
        from moonshine_voice.moonshine_api import ModelArch
        from moonshine_voice.transcriber import Transcriber
        from moonshine_voice.utils import get_model_path
    place = get_model_path("tiny-en")
    if not (place / "encoder_model.ort").is_file():
        raise RunError(
            "this Moonshine includes no model: pip install 'moonshine-voice>=0.0.73,<0.1'"
        )
    return Transcriber(model_path=str(place), model_arch=ModelArch.TINY)
