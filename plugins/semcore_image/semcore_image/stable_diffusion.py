"""Pictures from captions by Stable Diffusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from PIL import Image

from semcore.errors import ComponentError
from semcore.interfaces import Generator
from semcore.limits import MAX_DRAWN
from semcore.pretrained import Pretrained
from semcore.rng import Rng
from semcore.steps import each
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics, Stream, Text
from semcore_image.pixels import check_drawn, resized
from semcore_image.received import CAPTION, caption_of, reference_of

Count = Annotated[int, Ge(1)]
Side = Annotated[int, Ge(8)]


@dataclass(frozen=True)
class StableDiffusion(Pretrained, Generator):
    """Draws the received caption by a latent diffusion model of diffusers.

    A lost caption is an empty prompt. Noise scheduler and safety checker are those saved with the model; a
    checker that objects blackens the picture. With `start: reference`, the newest picture of the user in the
    knowledge base is brought to `size`, noised up to `strength` and denoised from there (image to image);
    without one, from noise.

    Errors: RunError if the model is not on this machine and may not be downloaded; ComponentError if
    `strength` leaves no step.

    Fields:
        model: name on the Hugging Face hub, or folder; any text-to-image model of diffusers' AutoPipeline
        candidates: pictures for each caption
        steps: denoising steps
        guidance: scale of classifier-free guidance; 1 or less: none
        negative_prompt: what to steer away from; null: nothing
        size: (height, width) of the pictures, multiples of 8; null: the model's own
        start: what to denoise from
        strength: share of the steps that a reference is noised by, in 0..1; 1: nothing of it stays
        chunk: pictures of one caption that are denoised together; bounds the memory
    """

    reference: ClassVar[str] = "Ribouh & Saleem, LLM-based semantic communication for image transmission, §II-B, Algorithm 2"
    cites: ClassVar[tuple[str, ...]] = ("ribouh2025large", "rombach2022high", "ho2022classifier", "vonplaten2022diffusers")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {CAPTION: (Text,)}

    model: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    candidates: Annotated[int, Ge(1), Le(MAX_DRAWN)] = 1
    steps: Count = 50
    guidance: Annotated[float, Ge(0)] = 7.5
    negative_prompt: str | None = None
    size: tuple[Side, Side] | None = None
    start: Literal["noise", "reference"] = "noise"
    strength: Annotated[float, Gt(0), Le(1)] = 0.7
    chunk: Count = 4

    def check(self) -> None:
        check_drawn("StableDiffusion.candidates", self.candidates, self.size or (512, 512))
        if self.size and (self.size[0] % 8 or self.size[1] % 8):
            raise ComponentError(f"StableDiffusion.size must be multiples of 8, not {list(self.size)}")
        if self.start == "reference" and int(self.steps * self.strength) < 1:
            raise ComponentError(
                f"StableDiffusion: strength {self.strength} of {self.steps} steps leaves no step; raise one of them"
            )

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [self._draw(one, reference_of(kb, one.user), rng.at(one.key)) for one in each(batch)]

    @cached_property
    def _from_noise(self) -> Any:
        from diffusers import AutoPipelineForText2Image

        with self.loading(self.place):
            pipe = AutoPipelineForText2Image.from_pretrained(
                self.place, dtype=self.torch_dtype, use_safetensors=True, trust_remote_code=False, **self.hub
            )
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(self.device)

    @cached_property
    def _from_reference(self) -> Any:
        from diffusers import AutoPipelineForImage2Image

        pipe = AutoPipelineForImage2Image.from_pipe(self._from_noise)  # shares the networks
        pipe.set_progress_bar_config(disable=True)
        return pipe

    @property
    def _size(self) -> tuple[int, int]:
        pipe = self._from_noise
        side = pipe.unet.config.sample_size * pipe.vae_scale_factor
        return self.size or (side, side)

    def _draw(self, one: Semantics, reference: np.ndarray | None, rng: Rng) -> Candidates:
        height, width = self._size
        if self.start == "reference" and reference is not None:
            pipe = self._from_reference
            start: dict[str, Any] = {
                "image": Image.fromarray(resized(reference, self._size)),
                "strength": self.strength,
            }
        else:
            pipe, start = self._from_noise, {"height": height, "width": width}
        pictures: list[Sample] = []
        for first in range(0, self.candidates, self.chunk):
            numbers = range(first, min(first + self.chunk, self.candidates))
            drawn = pipe(
                prompt=[caption_of(one)] * len(numbers),
                negative_prompt=[self.negative_prompt] * len(numbers) if self.negative_prompt else None,
                num_inference_steps=self.steps,
                guidance_scale=self.guidance,
                generator=[rng.at(number).torch() for number in numbers],
                output_type="np",
                **start,
            ).images
            pictures += [Sample(one.key, one.user, image=pixels) for pixels in (drawn * 255).round().astype(np.uint8)]
        return Candidates(tuple(pictures))
