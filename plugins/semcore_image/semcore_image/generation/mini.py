"""Pictures from captions by the shipped mini-diffusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from semcore import Candidates, Generator, KnowledgeBase, Rng, Sample, Semantics, Stream, Text, each
from semcore.media import MAX_DRAWN
from semcore_image.models.digests import check_written, mini_digest, not_here, written
from semcore_image.pixels import check_drawn, from_tensor, resized, to_tensor
from semcore_image.streams import CAPTION, caption_of, reference_of

Count = Annotated[int, Ge(1)]

NATIVE = (32, 32)
"""Picture size of the network."""
CHUNK = 64
"""Pictures per batch of the network; bounds the memory."""


@dataclass(frozen=True)
class MiniDiffusionGenerator(Generator):
    """Generates pictures from the received caption with mini-diffusion: 32×32; no download.

    A latent diffusion model conditioned on the characters of the caption, so that a misspelt
    caption is still useful; a lost caption is an empty one. With `start: reference`, the newest
    picture of the user in the knowledge base is resized to 32×32, noised up to `strength` and
    denoised from there (image to image); without such a picture, from noise.

    Only candidates of the same caption are batched, so a picture depends on its caption and its
    random numbers only.

    Fields:
        candidates: pictures per caption
        steps: denoising steps of the UniPC solver
        guidance: scale of classifier-free guidance; 1: none; null: the optimum in the model's
            config.json
        start: what denoising starts from
        strength: share of the steps by which a reference is noised, 0..1; 1: none of it remains
        size: (height, width) of the pictures; if not 32×32, they are resampled (bicubic, centre
            crop)
        weights: folder written by the recipe `mini-diffusion`; null: the shipped weights
    """

    reference: ClassVar[str] = (
        "Ribouh & Saleem, LLM-based semantic communication for image transmission, §II-B, "
        "Algorithm 2"
    )
    cites: ClassVar[tuple[str, ...]] = (
        "ribouh2025large",
        "rombach2022high",
        "ho2022classifier",
        "zhao2023unipc",
        "vonplaten2022diffusers",
        "krizhevsky2009learning",
    )
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {CAPTION: (Text,)}
    test_settings = ({"candidates": 2, "steps": 2},)

    candidates: Annotated[int, Ge(1), Le(MAX_DRAWN)] = 1
    steps: Count = 20
    guidance: Annotated[float, Ge(0)] | None = None
    start: Literal["noise", "reference"] = "noise"
    strength: Annotated[float, Gt(0), Le(1)] = 0.7
    size: tuple[Count, Count] = NATIVE
    weights: str | None = None

    def identity(self) -> str:
        """The digest of the weights."""
        own = written(self.weights) if self.weights else ""
        return " ".join(filter(None, (own, mini_digest("mini-diffusion", "mini-clip"))))

    @cached_property
    def _net(self) -> Any:
        from semcore_image.models.weights import load_mini

        return load_mini("mini-diffusion", self.weights or None)

    def check(self) -> None:
        check_written(self, "weights", self.weights)
        check_drawn("MiniDiffusionGenerator.candidates", self.candidates, self.size)

    def missing(self) -> str:
        return not_here("weights", self.weights)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [self._draw(one, reference_of(kb, one.user), rng.at(one.key)) for one in each(batch)]

    def _draw(self, one: Semantics, reference: np.ndarray | None, rng: Rng) -> Candidates:
        import torch

        start = None
        if self.start == "reference" and reference is not None:
            start = self._net.encode(to_tensor([reference], NATIVE))
        pictures: list[Sample] = []
        for first in range(0, self.candidates, CHUNK):
            numbers = range(first, min(first + CHUNK, self.candidates))
            noise = torch.stack(
                [
                    torch.randn(self._net.latent_shape, generator=rng.at(number).torch())
                    for number in numbers
                ]
            )
            drawn = self._net.sample(
                [caption_of(one)] * len(numbers),
                noise,
                steps=self.steps,
                guidance=self.guidance,
                start=None if start is None else start.expand(len(numbers), -1, -1, -1),
                strength=self.strength,
            )
            pictures += [
                Sample(one.key, one.user, image=resized(pixels, self.size))
                for pixels in from_tensor(drawn)
            ]
        return Candidates(tuple(pictures))
