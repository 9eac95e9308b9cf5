"""Loading networks from config.json and model.safetensors; never from pickles."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from torch import nn

from semcore import RunError, path_digest
from semcore.models import fill_weights, weights_place
from semcore_image.models import digests
from semcore_image.models.digests import WEIGHTS


def load_mini(name: str, weights: str | None = None) -> Any:
    """The mini model `name` in float32, in inference mode; loaded once per process and content.

    Args:
        name: a key of ASSEMBLE, such as "mini-clip"
        weights: folder written by its recipe; None: the shipped weights
    """
    if name not in ASSEMBLE:
        raise ValueError(f"no mini model {name!r}; there are {', '.join(ASSEMBLE)}")
    place = folder_of(weights) if weights else name
    return _load_mini(name, place, path_digest(WEIGHTS, digests.WRITTEN) + digests.written(place))


@lru_cache(8)
def _load_mini(name: str, folder: str, content: str) -> Any:
    model = ASSEMBLE[name](folder)
    return model.eval().requires_grad_(False)


def folder_of(weights: str) -> str:
    """The absolute path of a folder, or of a model on the hub that was fetched; the name of shipped
    weights is returned as it is.

    Raises:
        RunError: it is not on this machine
    """
    shipped = (WEIGHTS / weights).is_dir() and not Path(weights).expanduser().is_dir()
    return weights if shipped else str(weights_place(weights))


def load_config(folder: str) -> dict[str, Any]:
    """config.json of shipped weights by name, or of a folder by path."""
    path = WEIGHTS / folder / "config.json"
    if not path.exists():
        raise RunError(
            f"{path} is missing: the recipe of {path.parent.name} writes it (`semcore list recipe`)"
        )
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise RunError(
            f"{path} is not JSON: {error}; the recipe of {path.parent.name} writes it"
        ) from error
    if not isinstance(config, dict):
        raise RunError(
            f"{path} is not a mapping of settings; the recipe of {path.parent.name} writes it"
        )
    return config


def fill(build: Callable[..., nn.Module], folder: str, **fixed: Any) -> Any:
    """`build(**config)` filled with shipped weights by name, or those of a folder by path."""
    config = load_config(folder)
    try:
        module = build(**config, **fixed)
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        raise RunError(
            f"{WEIGHTS / folder / 'config.json'} does not describe a network of this kind: {error}"
        ) from error
    return fill_weights(module, WEIGHTS / folder / "model.safetensors").float()


def _clip(folder: str) -> nn.Module:
    from semcore_image.models.mini_clip import MiniClip

    return fill(MiniClip, folder)


def _classifier(folder: str) -> nn.Module:
    from semcore_image.models.mini_classifier import MiniClassifier

    return fill(MiniClassifier, folder)


def _caption(folder: str) -> nn.Module:
    from semcore_image.models.mini_caption import CaptionDecoder, MiniCaption

    return MiniCaption(load_mini("mini-clip"), fill(CaptionDecoder, folder))


def _diffusion(folder: str) -> nn.Module:
    from semcore_image.models.mini_diffusion import MiniDiffusion, MiniVae, build_unet

    config = load_config(folder)
    try:
        unet, guidance = build_unet(config["unet"]), float(config["guidance"])
    except (TypeError, ValueError, KeyError, RuntimeError) as error:
        raise RunError(
            f"{WEIGHTS / folder / 'config.json'} does not describe a network of this kind: {error}"
        ) from error
    fill_weights(unet, WEIGHTS / folder / "model.safetensors")
    own = (WEIGHTS / folder / "vae").is_dir()
    vae = fill(MiniVae, f"{folder}/vae" if own else "mini-diffusion/vae")
    return MiniDiffusion(load_mini("mini-clip"), vae, unet.float(), guidance)


def _scene_judge(folder: str) -> nn.Module:
    from semcore_image.models.scene_judge import SceneJudge

    return fill(SceneJudge, folder)


ASSEMBLE: dict[str, Callable[[str], nn.Module]] = {
    "mini-clip": _clip,
    "mini-caption": _caption,
    "mini-diffusion": _diffusion,
    "mini-classifier": _classifier,
    "scene-judge": _scene_judge,
}
