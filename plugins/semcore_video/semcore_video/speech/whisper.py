"""Speech recognition by Whisper and similar models of transformers."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge

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
from semcore.models import Pretrained, need_tokenizer
from semcore_video.licences import TRANSFORMERS
from semcore_video.paper import PAPER
from semcore_video.resampling import resample_audio
from semcore_video.speech.streams import TEXT


@dataclass(frozen=True)
class Whisper(Pretrained, SemanticEncoder):
    """Recognises the words of a sound by Whisper, or by any other speech-to-text model of
    transformers (Moonshine, ...).

    Emits the stream `text`; as the `recogniser` of the encoder `speech`, its words are aligned as
    well. Decoding is greedy, one sound at a time. Sounds longer than the input of the model
    (Whisper: 30 s) are cut at quiet positions, and the words of the parts are concatenated.

    Errors: RunError if the model is not on this machine and may not be downloaded.

    Fields:
        model: name on the Hugging Face hub, or folder; a model of transformers'
            AutoModelForSpeechSeq2Seq
        max_new_tokens: maximum length of the text of a part, tokens
        language: spoken language, by its name in the model (`en`, `zh`, `german`, ...); null:
            detected by multilingual models
    """

    licences: ClassVar[tuple[str, ...]] = (TRANSFORMERS,)
    reference: ClassVar[str] = f"A. Radford et al., Whisper, ICML 2023; {PAPER}, section III-B"
    cites: ClassVar[tuple[str, ...]] = (
        "liu2026semantic",
        "radford2023robust",
        "wolf2020transformers",
    )

    model: str = "openai/whisper-small"
    max_new_tokens: Annotated[int, Ge(1)] = 200
    language: str | None = None

    def libraries(self) -> Mapping[str, str]:
        return {"transformers": "semcore-video[models]"}

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {TEXT: Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {TEXT: Text(self.transcribe(sample))}, sample.user)
            for sample in samples
        ]

    @functools.cached_property
    def _parts(self) -> tuple[Any, Any]:
        with extra("semcore-video[models]", "Whisper needs transformers"):
            from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

        with self.loading(self.place) as folder:
            if self.local_files_only:
                need_tokenizer(folder)
            processor = AutoProcessor.from_pretrained(
                self.place, trust_remote_code=False, **self.hub
            )
            model: Any = AutoModelForSpeechSeq2Seq.from_pretrained(
                self.place,
                dtype=self.stored_dtype(folder),
                use_safetensors=True,
                trust_remote_code=False,
                **self.hub,
            )
        if self.language is not None:
            languages = getattr(model.generation_config, "lang_to_id", None)
            if not languages:
                raise RunError(
                    f"Whisper.language: the model {self.model} has only one language; set "
                    "language: null"
                )
            names = sorted(token.strip("<|>") for token in languages)
            known = {*names, *(name.casefold() for name in _languages())}
            if self.language.casefold() not in known:
                raise RunError(
                    f"Whisper.language: the model does not have {self.language!r}; it has "
                    f"{', '.join(names)}"
                )
        return processor, model.to(self.torch_device).eval()

    def transcribe(self, sample: Sample) -> str:
        """The words of a sample's sound."""
        import torch

        if sample.audio is None or not sample.sample_rate_hz:
            raise ComponentError(f"Whisper recognises sound, and sample {sample.id!r} has none")
        processor, model = self._parts
        rate_hz = int(processor.feature_extractor.sampling_rate)
        audio = resample_audio(sample.audio, sample.sample_rate_hz, rate_hz)
        longest = getattr(processor.feature_extractor, "chunk_length", None)  # s
        parts = cut(audio, int(longest * rate_hz), rate_hz) if longest else [audio]
        options = {}
        if self.language is not None:
            options = {"language": self.language.casefold(), "task": "transcribe"}
        words: list[str] = []
        for part in parts:
            inputs = processor(part, sampling_rate=rate_hz, return_tensors="pt").to(
                self.torch_device, model.dtype
            )
            with torch.inference_mode():
                ids = model.generate(
                    **inputs,
                    max_new_tokens=self.max_new_tokens,
                    do_sample=False,
                    num_beams=1,
                    **options,
                )[0]
            words += processor.decode(ids, skip_special_tokens=True).split()
        return " ".join(words)


SEARCHED_S, QUIET_S = 5.0, 0.2
"""Length of the region before the latest end of a part in which it is cut, and of the window of
least power, s."""


def cut(audio: np.ndarray, longest: int, rate_hz: int) -> list[np.ndarray]:
    """A sound float32 (S,) in parts of at most `longest` samples, each but the last cut at its
    quietest position."""
    parts = []
    quiet, searched = max(int(QUIET_S * rate_hz), 1), min(int(SEARCHED_S * rate_hz), longest // 2)
    while len(audio) > longest:
        power = np.cumsum(
            np.concatenate(
                [[0.0], np.square(audio[longest - searched : longest].astype(np.float64))]
            )
        )
        width = min(quiet, searched)
        begins = power[width:] - power[:-width]
        end = longest - searched + int(begins.argmin()) + width // 2
        parts.append(audio[:end])
        audio = audio[end:]
    return [*parts, audio]


def _languages() -> set[str]:
    with extra("semcore-video[models]", "Whisper needs transformers"):
        from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

    return set(TO_LANGUAGE_CODE)
