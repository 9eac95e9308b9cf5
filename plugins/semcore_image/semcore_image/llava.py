"""Captions by large vision-language models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge
from PIL import Image

from semcore.interfaces import SemanticEncoder
from semcore.pretrained import Pretrained
from semcore.steps import each
from semcore.types import KnowledgeBase, Sample, Semantics, Stream, Text
from semcore_image.pixels import image_of
from semcore_image.received import CAPTION


@dataclass(frozen=True)
class LlavaCaption(Pretrained, SemanticEncoder):
    """Describes each picture by LLaVA, or by any other image-to-text model of transformers (BLIP, GIT, ...).

    Emits the stream `caption`. Decoding is greedy, one picture at a time, so a caption depends on its picture
    alone.

    Errors: RunError if the model is not on this machine and may not be downloaded.

    Fields:
        model: name on the Hugging Face hub, or folder; a model of transformers' AutoModelForImageTextToText
        prompt: the optional prompt P of Algorithm 1; null: none. A chat model gets it as the user's words
            beside the picture; a plain captioner (BLIP, GIT) begins its caption with it
        max_new_tokens: longest caption, in tokens
    """

    reference: ClassVar[str] = "Ribouh & Saleem, LLM-based semantic communication for image transmission, §II-B, Algorithm 1"
    cites: ClassVar[tuple[str, ...]] = ("ribouh2025large", "liu2023visual", "liu2024improved", "wolf2020transformers")

    model: str = "llava-hf/llava-1.5-7b-hf"
    prompt: str | None = "Describe the picture in one short sentence."
    max_new_tokens: Annotated[int, Ge(1)] = 48

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {CAPTION: Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {CAPTION: Text(self.describe(image_of(sample, self)))}, sample.user)
            for sample in each(samples)
        ]

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        with self.loading(self.place):
            processor = AutoProcessor.from_pretrained(self.place, trust_remote_code=False, **self.hub)
            model: Any = AutoModelForImageTextToText.from_pretrained(
                self.place, dtype=self.torch_dtype, use_safetensors=True, trust_remote_code=False, **self.hub
            )
        model.to(self.device)
        return processor, model.eval()

    def describe(self, pixels: np.ndarray) -> str:
        """The caption of one picture, uint8 (H, W, 3)."""
        import torch

        processor, model = self._parts
        inputs = processor(images=Image.fromarray(pixels), text=self._question(processor), return_tensors="pt")
        inputs = inputs.to(self.device, self.torch_dtype)
        with torch.inference_mode():
            ids = model.generate(**inputs, max_new_tokens=self.max_new_tokens, do_sample=False)[0]
        asked = inputs.get("input_ids")
        if asked is not None and torch.equal(ids[: asked.shape[1]], asked[0]):  # a chat model repeats the question
            ids = ids[asked.shape[1] :]
        return " ".join(processor.decode(ids, skip_special_tokens=True).split())

    def _question(self, processor: Any) -> str | None:
        """The prompt in the model's chat template, or behind its image token, or bare if it has neither."""
        words = [{"type": "text", "text": self.prompt}] if self.prompt else []
        if getattr(processor, "chat_template", None):
            turn = {"role": "user", "content": [{"type": "image"}, *words]}
            return processor.apply_chat_template([turn], add_generation_prompt=True)
        token = getattr(processor, "image_token", None)
        return "\n".join([token, *([self.prompt] if self.prompt else [])]) if token else self.prompt
