"""Captions by large vision-language models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge
from PIL import Image

from semcore import (
    KnowledgeBase,
    RunError,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
    Text,
    each,
    extra,
)
from semcore.models import Pretrained, need_tokenizer, parsed
from semcore_image.pixels import image_of
from semcore_image.streams import CAPTION

PAIR = "vision-encoder-decoder"
"""`model_type` of a captioner made of two models, in transformers."""
INSTRUCTED = ("instructblip", "instructblipvideo")
"""Types of models whose image features depend on an instruction."""


@dataclass(frozen=True)
class LlavaCaption(Pretrained, SemanticEncoder):
    """Captions pictures with LLaVA or another image-to-text model of transformers.

    Models of AutoModelForImageTextToText (LLaVA, Qwen-VL, BLIP, BLIP-2, InstructBLIP, GIT, ...) and
    a VisionEncoderDecoder (vit-gpt2), which takes no prompt. Emits the stream `caption`. Decoding
    is greedy. With `chunk: 1` a caption depends on its picture only; with larger chunks, other
    pictures of the chunk may change the rounding of the scores.

    Errors: RunError if the model is not on this machine and may not be downloaded, or is not an
    image-to-text model.

    Fields:
        model: name on the Hugging Face hub, or folder
        prompt: the optional prompt P of Algorithm 1; null: none. Chat models get it as the user's
            message with the picture, BLIP-2 and InstructBLIP (which needs one) as the question; the
            caption of plain captioners (BLIP, GIT) starts with it
        max_new_tokens: maximum length of a caption, tokens
        chunk: pictures per batch of the model; bounds the memory
    """

    reference: ClassVar[str] = (
        "Ribouh & Saleem, LLM-based semantic communication for image transmission, §II-B, "
        "Algorithm 1"
    )
    cites: ClassVar[tuple[str, ...]] = (
        "ribouh2025large",
        "liu2023visual",
        "liu2024improved",
        "wolf2020transformers",
    )

    model: str = "llava-hf/llava-1.5-7b-hf"
    prompt: str | None = "Describe the picture in one short sentence."
    max_new_tokens: Annotated[int, Ge(1)] = 48
    chunk: Annotated[int, Ge(1)] = 1

    def libraries(self) -> Mapping[str, str]:
        return {"transformers": "semcore-image[models]"}

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {CAPTION: Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        results: list[Semantics] = []
        for first in each(range(0, len(samples), self.chunk)):
            part = samples[first : first + self.chunk]
            captions = self.describe_all([image_of(sample, self) for sample in part])
            results += [
                Semantics(sample.id, {CAPTION: Text(text)}, sample.user)
                for sample, text in zip(part, captions, strict=True)
            ]
        return results

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        """The processor and the model."""
        with extra("semcore-image[models]", "LLaVA needs transformers"):
            import transformers
            from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer
            from transformers.models.auto.modeling_auto import (
                MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as KNOWN,
            )

        with self.loading(self.place) as folder:
            if self.local_files_only:
                need_tokenizer(folder)
            kind = parsed(folder / "config.json").get("model_type")
            if kind == PAIR:
                if self.prompt:
                    raise RunError(
                        f"a model of type {PAIR!r} (vit-gpt2) takes no prompt; set prompt: null"
                    )
                processor: Any = _Pair(
                    AutoImageProcessor.from_pretrained(
                        self.place, trust_remote_code=False, **self.hub
                    ),
                    AutoTokenizer.from_pretrained(self.place, trust_remote_code=False, **self.hub),
                )
                loader: Any = transformers.VisionEncoderDecoderModel
            elif kind in INSTRUCTED and not self.prompt:
                raise RunError(
                    f"a model of type {kind!r} needs an instruction with the picture; set prompt"
                )
            elif kind in KNOWN:
                processor = AutoProcessor.from_pretrained(
                    self.place, trust_remote_code=False, **self.hub
                )
                # All prompts of a batch end at the same position.
                processor.tokenizer.padding_side = "left"
                loader = transformers.AutoModelForImageTextToText
            else:
                raise RunError(
                    f"a model of type {kind!r} is not an image-to-text model such as LLaVA, BLIP "
                    "or vit-gpt2"
                )
            model = loader.from_pretrained(
                self.place,
                dtype=self.stored_dtype(folder),
                use_safetensors=True,
                trust_remote_code=False,
                **self.hub,
            )
        model.to(self.torch_device)
        return processor, model.eval()

    def describe(self, pixels: np.ndarray) -> str:
        """The caption of one picture, uint8 (H, W, 3)."""
        return self.describe_all([pixels])[0]

    def describe_all(self, pictures: Sequence[np.ndarray]) -> list[str]:
        """The captions of pictures uint8 (H, W, 3)."""
        import torch

        processor, model = self._parts
        question = self._question(processor)
        images = [Image.fromarray(pixels) for pixels in pictures]
        texts = {} if question is None else {"text": [question] * len(images), "padding": True}
        inputs = processor(images=images, **texts, return_tensors="pt").to(
            self.torch_device, model.dtype
        )
        with torch.inference_mode():
            rows = model.generate(
                **inputs, max_new_tokens=self.max_new_tokens, do_sample=False, num_beams=1
            )
        prompt = inputs.get("input_ids")
        if prompt is not None and question is not None and _repeats_prompt(processor):
            length = prompt.shape[1]
            if rows.shape[1] >= length and torch.equal(rows[:, :length], prompt):
                rows = rows[:, length:]
        return [" ".join(processor.decode(row, skip_special_tokens=True).split()) for row in rows]

    def _question(self, processor: Any) -> str | None:
        """The prompt in the model's chat template, after its image token, or as it is."""
        text = [{"type": "text", "text": self.prompt}] if self.prompt else []
        if isinstance(processor, _Pair):
            return None
        if getattr(processor, "chat_template", None):
            message = {"role": "user", "content": [{"type": "image"}, *text]}
            return processor.apply_chat_template([message], add_generation_prompt=True)
        if getattr(processor, "num_query_tokens", None) is not None:
            return self.prompt or ""  # the processor inserts the image tokens
        token = getattr(processor, "image_token", None)
        if not isinstance(token, str):
            return self.prompt
        return f"{token}\n{self.prompt}" if self.prompt else token


class _Pair:
    """An image processor and a tokenizer with the interface of one processor."""

    def __init__(self, image_processor: Any, tokenizer: Any) -> None:
        self._image_processor, self._tokenizer = image_processor, tokenizer

    def __call__(self, images: Sequence[Image.Image], return_tensors: str) -> Any:
        return self._image_processor(images=images, return_tensors=return_tensors)

    def decode(self, row: Any, skip_special_tokens: bool) -> str:
        return str(self._tokenizer.decode(row, skip_special_tokens=skip_special_tokens))


def _repeats_prompt(processor: Any) -> bool:
    """Whether the outputs of its model start with the prompt, image tokens included."""
    return bool(
        getattr(processor, "chat_template", None)
        or getattr(processor, "num_query_tokens", None) is not None
        or getattr(processor, "image_token", None)
    )
