"""Pipelines of diffusers without a U-Net."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semcore import KnowledgeBase, Picture, Rng, RunError
from semcore_image.generation.stable_diffusion import StableDiffusion

from ..support.drawn import BIRD, drawn
from ..support.pipelines import KINDS, made

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Saves each kind once."""
    saved: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in saved:
            saved[kind] = tmp_path_factory.mktemp(kind)
            made(kind).save_pretrained(saved[kind])
        return saved[kind]

    return folder


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.default_cases(2)
def test_pipelines_without_a_u_net_draw(pipeline: Callable[[str], Path], kind: str) -> None:
    """At their own size, at one that is asked for, height first, and as many as are asked for."""
    (own,) = (
        drawn(pipeline(kind)) if kind != "flux" else drawn(pipeline(kind), size=(32, 32))
    )  # its own is a megapixel
    assert own.shape == (32, 32, 3) and own.dtype == np.uint8
    wide = (32, 64) if kind == "sana" else (32, 48)
    both = drawn(pipeline(kind), size=wide, candidates=2, chunk=2)
    assert [one.shape for one in both] == [(*wide, 3)] * 2 and not np.array_equal(*both)
    assert np.array_equal(drawn(pipeline(kind), size=wide)[0], both[0])


def test_a_size_that_a_pipeline_cannot_draw_is_refused_in_its_words(
    pipeline: Callable[[str], Path],
) -> None:
    with pytest.raises(RunError, match="SanaPipeline refuses the settings: .*divisible by 32"):
        drawn(pipeline("sana"), size=(32, 40))


@pytest.mark.parametrize("kind", KINDS)
def test_a_reference_is_used_or_refused(pipeline: Callable[[str], Path], kind: str) -> None:
    kb = KnowledgeBase().add("", Picture(np.full((40, 30, 3), 200, np.uint8)))
    made = StableDiffusion(
        model=str(pipeline(kind)), steps=4, start="reference", strength=0.5, size=(32, 48)
    )
    if kind in ("pixart", "sana"):
        with pytest.raises(RunError, match="can only start from noise; set start: noise"):
            made.generate(BIRD, kb, Rng(1))
        return
    image = made.generate(BIRD, kb, Rng(1))[0].samples[0].image
    assert image is not None and image.shape == (32, 48, 3)
    assert not np.array_equal(image, drawn(pipeline(kind), size=(32, 48))[0])


def test_a_negative_prompt_that_would_be_ignored_is_refused(
    pipeline: Callable[[str], Path],
) -> None:
    with pytest.raises(RunError, match="negative_prompt: FluxPipeline ignores it"):
        drawn(pipeline("flux"), negative_prompt="red", size=(32, 32))
    assert not np.array_equal(
        drawn(pipeline("sd3"), negative_prompt="red")[0], drawn(pipeline("sd3"))[0]
    )
