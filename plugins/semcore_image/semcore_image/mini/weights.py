"""Load a mini model from the files that come with this package: JSON and safetensors, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import nn

from semcore.errors import RunError

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


@cache
def load_mini(name: str) -> Any:
    """The mini model `name` with its shipped weights in float32, ready for inference; loaded once a process.

    name: "mini-clip", "mini-caption", "mini-diffusion" or "mini-classifier"
    """
    if name not in ASSEMBLE:
        raise ValueError(f"no mini model {name!r}; there are {', '.join(ASSEMBLE)}")
    model = ASSEMBLE[name]()
    return model.eval().requires_grad_(False)


def load_config(folder: str) -> dict[str, Any]:
    """config.json of the model in `weights/<folder>`, or in another folder by its path."""
    path = WEIGHTS / folder / "config.json"
    if not path.exists():
        raise RunError(f"{path} is missing: the recipe of {path.parent.name} writes it (`semcore list recipe`)")
    return json.loads(path.read_text())


def fill(build: Callable[..., nn.Module], folder: str, **fixed: Any) -> Any:
    """`build(**config)` with the weights of `weights/<folder>`, or of another folder by its path."""
    module = build(**load_config(folder), **fixed)
    module.load_state_dict(load_file(WEIGHTS / folder / "model.safetensors"))
    return module.float()


def _clip() -> nn.Module:
    from semcore_image.mini.clip import MiniClip

    return fill(MiniClip, "mini-clip")


def _classifier() -> nn.Module:
    from semcore_image.mini.classifier import MiniClassifier

    return fill(MiniClassifier, "mini-classifier")


def _caption() -> nn.Module:
    from semcore_image.mini.caption import CaptionDecoder, MiniCaption

    return MiniCaption(load_mini("mini-clip"), fill(CaptionDecoder, "mini-caption"))


def _diffusion() -> nn.Module:
    from semcore_image.mini.diffusion import MiniDiffusion, MiniVae, build_unet

    config = load_config("mini-diffusion")
    unet = build_unet(config["unet"])
    unet.load_state_dict(load_file(WEIGHTS / "mini-diffusion" / "model.safetensors"))
    vae = fill(MiniVae, "mini-diffusion/vae")
    return MiniDiffusion(load_mini("mini-clip"), vae, unet.float(), config["guidance"])


ASSEMBLE: dict[str, Callable[[], nn.Module]] = {
    "mini-clip": _clip,
    "mini-caption": _caption,
    "mini-diffusion": _diffusion,
    "mini-classifier": _classifier,
}
