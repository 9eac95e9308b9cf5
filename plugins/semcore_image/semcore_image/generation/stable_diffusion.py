"""Pictures from captions by Stable Diffusion."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from PIL import Image

from semcore import Candidates, ComponentError, Generator, KnowledgeBase, Rng, RunError, Sample, Semantics, Stream, Text
from semcore.limits import MAX_DRAWN
from semcore.models.files import need_tokenizer, parsed
from semcore.models.pretrained import Pretrained
from semcore.steps import each
from semcore_image.pixels import check_drawn, resized
from semcore_image.streams import CAPTION, caption_of, reference_of

Count = Annotated[int, Ge(1)]
Side = Annotated[int, Ge(8)]


@dataclass(frozen=True)
class StableDiffusion(Pretrained, Generator):
    """Draws the received caption by a latent diffusion model of diffusers.

    Any text-to-image pipeline of diffusers that takes a prompt and steps: Stable Diffusion 1 to 3, SDXL, Flux, PixArt, Sana.
    A lost caption is an empty prompt. Noise scheduler and safety checker are those saved with the model unless they are set.
    With `start: reference`, the newest picture of the user in the knowledge base is brought to `size`, noised up to
    `strength` and denoised from there (image to image); without one, from noise.

    Errors: RunError if the model is not on this machine and may not be downloaded, if a part of it is missing, if its safety
    checker blackened a picture (`blackened: stop`), or if its pipeline does not take a setting; ComponentError if
    `strength` leaves no step.

    Fields:
        model: name on the Hugging Face hub, or folder; any text-to-image model of diffusers' AutoPipeline
        variant: of the weights' files, for example fp16; null: those without one
        scheduler: class of diffusers that takes the place of the model's noise scheduler, for example
            EulerDiscreteScheduler; null: the model's own
        safety_checker: `model`, the one saved with the model, if there is one; null: none
        blackened: what becomes of a picture that the safety checker blackened: `stop`, the cell fails and says for which
            sample; `keep`, it is a candidate as any other
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
    variant: str | None = None
    scheduler: str | None = None
    safety_checker: Literal["model"] | None = "model"
    blackened: Literal["stop", "keep"] = "stop"
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
        if self.scheduler and not (self.scheduler.isidentifier() and self.scheduler.endswith("Scheduler")):
            raise ComponentError(
                "StableDiffusion.scheduler must be a scheduler of diffusers such as EulerDiscreteScheduler, not "
                f"{self.scheduler!r}"
            )
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

        with self.loading(self.place) as folder:
            index = parsed(folder / "model_index.json")
            without: dict[str, Any] = {name: None for name, value in index.items() if value == [None, None]}
            if self.safety_checker is None and "safety_checker" in index:
                without |= {"safety_checker": None, "requires_safety_checker": False}
            check_parts(folder, {name: value for name, value in index.items() if name not in without}, self.local_files_only)
            pipe = AutoPipelineForText2Image.from_pretrained(
                self.place, dtype=self.stored_dtype(folder), variant=self.variant, use_safetensors=True,
                trust_remote_code=False, **without, **self.hub,
            )  # fmt: skip
            if self.scheduler:
                pipe.scheduler = self._scheduled(pipe.scheduler)
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(self.torch_device)

    def _scheduled(self, own: Any) -> Any:
        """The scheduler that is asked for, set up as the model's own."""
        fitting = sorted(kind.__name__ for kind in own.compatibles)
        if self.scheduler not in fitting:
            raise RunError(f"the scheduler {self.scheduler} is not one of those that fit: {', '.join(fitting)}")
        kind = next(kind for kind in own.compatibles if kind.__name__ == self.scheduler)
        return kind.from_config(own.config)

    @cached_property
    def _from_reference(self) -> Any:
        from diffusers import AutoPipelineForImage2Image

        try:
            pipe = AutoPipelineForImage2Image.from_pipe(self._from_noise)  # shares the networks
        except ValueError as error:
            kind = type(self._from_noise).__name__
            raise RunError(f"StableDiffusion.start: {kind} draws from noise alone, set start: noise ({error})") from error
        pipe.set_progress_bar_config(disable=True)
        return pipe

    @cached_property
    def _size(self) -> tuple[int, int] | None:
        """(height, width) of the pictures; None: whatever the pipeline does by itself."""
        pipe = self._from_noise
        denoiser = getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)
        side = getattr(pipe, "default_sample_size", None) or getattr(getattr(denoiser, "config", None), "sample_size", None)
        scale = getattr(pipe, "vae_scale_factor", None)
        if self.size or not side or not scale:
            return self.size
        height, width = side if isinstance(side, (list, tuple)) else (side, side)
        return int(height * scale), int(width * scale)

    def _settings(self, pipe: Any, count: int, size: tuple[int, int] | None) -> dict[str, Any]:
        """What the pipeline is asked for, as far as it can be asked.

        Raises:
            RunError: it cannot be asked for something that was set
        """
        takes = inspect.signature(pipe.__call__).parameters
        asked: dict[str, Any] = {"num_inference_steps": self.steps, "guidance_scale": self.guidance}
        if self.negative_prompt:
            asked["negative_prompt"] = [self.negative_prompt] * count
        if size and {"height", "width"} <= takes.keys():
            asked |= {"height": size[0], "width": size[1]}
        elif self.size and "image" not in takes:
            raise RunError(f"StableDiffusion.size: {type(pipe).__name__} draws pictures of its own size alone; set size: null")
        if refused := [name for name in asked if name not in takes]:
            raise RunError(f"StableDiffusion: {type(pipe).__name__} has no {', '.join(refused)}; another model is needed")
        if self.negative_prompt and "true_cfg_scale" in takes:
            raise RunError(f"StableDiffusion.negative_prompt: {type(pipe).__name__} does not heed it; set it to null")
        # Pictures of exactly the size, and captions as they arrived.
        return asked | {name: False for name in ("use_resolution_binning", "clean_caption") if name in takes}

    def _draw(self, one: Semantics, reference: np.ndarray | None, rng: Rng) -> Candidates:
        size, start = self._size, dict[str, Any]()
        pipe = self._from_noise
        if self.start == "reference" and reference is not None:
            pipe = self._from_reference
            size = size or (reference.shape[0] // 16 * 16 or 16, reference.shape[1] // 16 * 16 or 16)
            start = {"image": Image.fromarray(resized(reference, size)), "strength": self.strength}
        pictures: list[Sample] = []
        for first in range(0, self.candidates, self.chunk):
            numbers = range(first, min(first + self.chunk, self.candidates))
            try:
                drawn = pipe(
                    prompt=[caption_of(one)] * len(numbers),
                    generator=[rng.at(number).torch() for number in numbers],
                    output_type="np",
                    **self._settings(pipe, len(numbers), size),
                    **start,
                )
            except ValueError as error:  # a pipeline refuses what it was asked for, a size of no multiple of 32, say
                raise RunError(f"StableDiffusion: {type(pipe).__name__} refuses: {error}") from error
            flags = getattr(drawn, "nsfw_content_detected", None) or ()
            black = [number for number, seen in zip(numbers, flags, strict=False) if seen]
            if black and self.blackened == "stop":
                which = f"candidate {black[0] + 1} of sample {one.key!r}"
                raise RunError(
                    f"StableDiffusion: the safety checker of the model blackened {which}; set safety_checker: null to show "
                    "what was drawn, or blackened: keep to count black pictures as drawn"
                )
            pictures += [Sample(one.key, one.user, image=pixels) for pixels in (drawn.images * 255).round().astype(np.uint8)]
        return Candidates(tuple(pictures))


def check_parts(folder: Path, index: Mapping[str, Any], local: bool) -> None:
    """Refuse a pipeline of which a part is missing.

    Args:
        index: what model_index.json holds: name -> (library, class) of each part
        local: whether all files must be there already

    Raises:
        RunError: naming the part
    """
    for name, value in index.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value) or not local:
            continue
        if not (folder / name).is_dir():
            wanted = f"where model_index.json expects its {value[-1]}"
            raise RunError(f"{folder} has no folder {name}, {wanted}; fetch the whole model")
        if "Tokenizer" in value[-1]:
            need_tokenizer(folder / name)
