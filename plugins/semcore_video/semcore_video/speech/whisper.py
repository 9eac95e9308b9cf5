"""What is said, by a large model of speech."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from semcore.errors import ComponentError
from semcore.interfaces import SemanticEncoder
from semcore.pretrained import Pretrained
from semcore.types import KnowledgeBase, Sample, Semantics, Stream, Text
from semcore_video.licences import TRANSFORMERS
from semcore_video.paper import PAPER
from semcore_video.speech.encoder import TEXT


@dataclass(frozen=True)
class Whisper(Pretrained, SemanticEncoder):
    """Hears the words of a sound by Whisper, or by any other speech-to-text model of transformers (Moonshine, ...).

    Emits the stream `text`; as the `recogniser` of the encoder `speech`, its words are aligned, too. Decoding is greedy, one
    sound at a time.

    Errors: RunError if the model is not on this machine and may not be downloaded.

    Fields:
        model: name on the Hugging Face hub, or folder; a model of transformers' AutoModelForSpeechSeq2Seq
        max_new_tokens: longest text, in tokens
    """

    licences: ClassVar[tuple[str, ...]] = (TRANSFORMERS,)
    reference: ClassVar[str] = f"A. Radford et al., Whisper, ICML 2023; {PAPER}, section III-B"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "radford2023robust", "wolf2020transformers")

    model: str = "openai/whisper-small"
    max_new_tokens: Annotated[int, Ge(1)] = 200

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {TEXT: Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [Semantics(sample.id, {TEXT: Text(self.heard(sample))}, sample.user) for sample in samples]

    @functools.cached_property
    def _parts(self) -> tuple[Any, Any]:
        from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor

        with self.loading(self.place):
            processor = AutoProcessor.from_pretrained(self.place, trust_remote_code=False, **self.hub)
            model: Any = AutoModelForSpeechSeq2Seq.from_pretrained(
                self.place, dtype=self.torch_dtype, use_safetensors=True, trust_remote_code=False, **self.hub
            )
        return processor, model.to(self.device).eval()

    def heard(self, sample: Sample) -> str:
        """The words of a sample's sound."""
        import torch

        from semcore_video.speech.stretch import resampled

        if sample.audio is None or not sample.sample_rate_hz:
            raise ComponentError(f"Whisper hears sound, and sample {sample.id!r} has none")
        processor, model = self._parts
        rate_hz = int(processor.feature_extractor.sampling_rate)
        audio = resampled(sample.audio, sample.sample_rate_hz, rate_hz)
        inputs = processor(audio, sampling_rate=rate_hz, return_tensors="pt").to(self.device, self.torch_dtype)
        with torch.inference_mode():
            ids = model.generate(**inputs, max_new_tokens=self.max_new_tokens, do_sample=False)[0]
        return " ".join(processor.decode(ids, skip_special_tokens=True).split())
