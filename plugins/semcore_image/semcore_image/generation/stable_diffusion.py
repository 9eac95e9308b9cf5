"""Pictures from captions by Stable Diffusion."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from PIL import Image

from semcore import (
    Candidates,
    ComponentError,
    Generator,
    KnowledgeBase,
    Rng,
    RunError,
    Sample,
    Semantics,
    Stream,
    Text,
    each,
)
from semcore.media import MAX_DRAWN
from semcore.models import Pretrained, model_files, need_tokenizer, parsed
from semcore_image.pixels import check_drawn, resized
from semcore_image.streams import CAPTION, caption_of, reference_of

Count = Annotated[int, Ge(1)]
Side = Annotated[int, Ge(8)]


@dataclass(frozen=True)
class StableDiffusion(Pretrained, Generator):
    """Generates pictures from the received caption with a text-to-image model of diffusers.

    Any text-to-image pipeline of diffusers that takes a prompt and steps: Stable Diffusion 1 to 3,
    SDXL, Flux, PixArt, Sana. A lost caption is an empty prompt. The noise scheduler and safety
    checker saved with the model are used unless set here. With `start: reference`, the newest
    picture of the user in the knowledge base is resized to `size`, noised up to `strength` and
    denoised from there (image to image); without such a picture, from noise.

    Errors: RunError if the model is not on this machine and may not be downloaded, if a part of it
    is missing, if its safety checker blackened a picture (`blackened: stop`), or if its pipeline
    lacks a setting; ComponentError if `strength` leaves no step.

    Fields:
        model: name on the Hugging Face hub, or folder; any text-to-image model of diffusers'
            AutoPipeline
        variant: variant of the weight files, for example fp16; null: the files without one
        scheduler: class of diffusers that replaces the noise scheduler of the model, for example
            EulerDiscreteScheduler; null: the scheduler of the model
        safety_checker: `model`: the one saved with the model, if any; null: none
        blackened: what to do with a picture that the safety checker blackened: `stop`: fail, naming
            the sample; `keep`: use it as a candidate
        candidates: pictures per caption
        steps: denoising steps
        guidance: scale of classifier-free guidance; at most 1: none
        negative_prompt: text to steer away from; null: none
        size: (height, width) of the pictures, multiples of 8; null: that of the model
        start: what denoising starts from
        strength: share of the steps by which a reference is noised, 0..1; 1: none of it remains
        chunk: pictures of one caption per batch of the model; bounds the memory
    """

    reference: ClassVar[str] = (
        "Ribouh & Saleem, LLM-based semantic communication for image transmission, §II-B, "
        "Algorithm 2"
    )
    cites: ClassVar[tuple[str, ...]] = (
        "ribouh2025large",
        "rombach2022high",
        "ho2022classifier",
        "vonplaten2022diffusers",
    )
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

    def libraries(self) -> Mapping[str, str]:
        return {"transformers": "semcore-image[models]"}

    def check(self) -> None:
        check_drawn("StableDiffusion.candidates", self.candidates, self.size or (512, 512))
        if self.scheduler and not (
            self.scheduler.isidentifier() and self.scheduler.endswith("Scheduler")
        ):
            raise ComponentError(
                "StableDiffusion.scheduler must be a scheduler of diffusers such as "
                f"EulerDiscreteScheduler, not {self.scheduler!r}"
            )
        if self.size and (self.size[0] % 8 or self.size[1] % 8):
            raise ComponentError(
                f"StableDiffusion.size must be multiples of 8, not {list(self.size)}"
            )
        if self.start == "reference" and int(self.steps * self.strength) < 1:
            raise ComponentError(
                f"StableDiffusion: strength {self.strength} of {self.steps} steps leaves no step; "
                "raise one of them"
            )

    def files_used(self, names: Sequence[str], read: Callable[[str], str]) -> list[str]:
        used = model_files(names, read, self.variant)
        if self.safety_checker is None:
            used = [name for name in used if not name.startswith("safety_checker/")]
        return used

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [self._draw(one, reference_of(kb, one.user), rng.at(one.key)) for one in each(batch)]

    @cached_property
    def _from_noise(self) -> Any:
        from diffusers import AutoPipelineForText2Image

        with self.loading(self.place) as folder:
            index = parsed(folder / "model_index.json")
            without: dict[str, Any] = {
                name: None for name, value in index.items() if value == [None, None]
            }
            if self.safety_checker is None and "safety_checker" in index:
                without |= {"safety_checker": None, "requires_safety_checker": False}
            check_parts(
                folder,
                {name: value for name, value in index.items() if name not in without},
                self.local_files_only,
            )
            pipe = AutoPipelineForText2Image.from_pretrained(
                self.place,
                dtype=self.stored_dtype(folder),
                variant=self.variant,
                use_safetensors=True,
                trust_remote_code=False,
                **without,
                **self.hub,
            )
            if self.scheduler:
                pipe.scheduler = self._scheduled(pipe.scheduler)
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(self.torch_device)

    def _scheduled(self, own: Any) -> Any:
        """The scheduler that was set, with the configuration of the model's scheduler."""
        compatible = sorted(kind.__name__ for kind in own.compatibles)
        if self.scheduler not in compatible:
            raise RunError(
                f"the scheduler {self.scheduler} is not compatible with the model; these are: "
                f"{', '.join(compatible)}"
            )
        kind = next(kind for kind in own.compatibles if kind.__name__ == self.scheduler)
        return kind.from_config(own.config)

    @cached_property
    def _from_reference(self) -> Any:
        from diffusers import AutoPipelineForImage2Image

        try:
            pipe = AutoPipelineForImage2Image.from_pipe(self._from_noise)  # shares the networks
        except ValueError as error:
            kind = type(self._from_noise).__name__
            raise RunError(
                f"StableDiffusion.start: {kind} can only start from noise; set start: noise "
                f"({error})"
            ) from error
        pipe.set_progress_bar_config(disable=True)
        return pipe

    @cached_property
    def _size(self) -> tuple[int, int] | None:
        """(height, width) of the pictures; None: the default of the pipeline."""
        pipe = self._from_noise
        denoiser = getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)
        side = getattr(pipe, "default_sample_size", None) or getattr(
            getattr(denoiser, "config", None), "sample_size", None
        )
        scale = getattr(pipe, "vae_scale_factor", None)
        if self.size or not side or not scale:
            return self.size
        height, width = side if isinstance(side, (list, tuple)) else (side, side)
        return int(height * scale), int(width * scale)

    def _settings(self, pipe: Any, count: int, size: tuple[int, int] | None) -> dict[str, Any]:
        """Arguments of the pipeline that it accepts.

        Raises:
            RunError: the pipeline does not accept a setting of this component
        """
        accepted = inspect.signature(pipe.__call__).parameters
        arguments: dict[str, Any] = {
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
        }
        if self.negative_prompt:
            arguments["negative_prompt"] = [self.negative_prompt] * count
        if size and {"height", "width"} <= accepted.keys():
            arguments |= {"height": size[0], "width": size[1]}
        elif self.size and "image" not in accepted:
            raise RunError(
                f"StableDiffusion.size: {type(pipe).__name__} only supports its own size; set "
                "size: null"
            )
        if unknown := [name for name in arguments if name not in accepted]:
            raise RunError(
                f"StableDiffusion: {type(pipe).__name__} does not accept {', '.join(unknown)}; "
                "use another model"
            )
        if self.negative_prompt and "true_cfg_scale" in accepted:
            raise RunError(
                f"StableDiffusion.negative_prompt: {type(pipe).__name__} ignores it; set it to null"
            )
        # Use the size and the captions exactly as given.
        return arguments | {
            name: False for name in ("use_resolution_binning", "clean_caption") if name in accepted
        }

    def _draw(self, one: Semantics, reference: np.ndarray | None, rng: Rng) -> Candidates:
        size, start = self._size, dict[str, Any]()
        pipe = self._from_noise
        if self.start == "reference" and reference is not None:
            pipe = self._from_reference
            size = size or (
                reference.shape[0] // 16 * 16 or 16,
                reference.shape[1] // 16 * 16 or 16,
            )
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
            except ValueError as error:  # for example a size that is not a multiple of 32
                raise RunError(
                    f"StableDiffusion: {type(pipe).__name__} refuses the settings: {error}"
                ) from error
            flags = getattr(drawn, "nsfw_content_detected", None) or ()
            black = [number for number, flag in zip(numbers, flags, strict=False) if flag]
            if black and self.blackened == "stop":
                which = f"candidate {black[0] + 1} of sample {one.key!r}"
                raise RunError(
                    f"StableDiffusion: the safety checker of the model blackened {which}; set "
                    "safety_checker: null to turn the checker off, or blackened: keep to use black "
                    "pictures as candidates"
                )
            pictures += [
                Sample(one.key, one.user, image=pixels)
                for pixels in (drawn.images * 255).round().astype(np.uint8)
            ]
        return Candidates(tuple(pictures))


def check_parts(folder: Path, index: Mapping[str, Any], local: bool) -> None:
    """Refuse a pipeline with a missing part.

    Args:
        index: content of model_index.json: name -> (library, class) of each part
        local: whether all files must exist locally

    Raises:
        RunError: naming the part
    """
    if not local:
        return
    for name, value in index.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            continue
        if not (folder / name).is_dir():
            wanted = f"where model_index.json expects its {value[-1]}"
            raise RunError(f"{folder} has no folder {name}, {wanted}; fetch the whole model")
        if "Tokenizer" in value[-1]:
            need_tokenizer(folder / name)
