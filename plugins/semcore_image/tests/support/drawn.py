"""Pictures that Stable Diffusion draws of a bird."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semcore import KnowledgeBase, Rng, Semantics, Text
from semcore_image.generation.stable_diffusion import StableDiffusion

EMPTY = KnowledgeBase()
BIRD = [Semantics("a", {"caption": Text("a bird")})]


def drawn(model: Path, **settings: Any) -> list[np.ndarray]:
    candidates = (
        StableDiffusion(model=str(model), steps=2, **settings)
        .generate(BIRD, EMPTY, Rng(1))[0]
        .samples
    )
    return [one.image for one in candidates if one.image is not None]
