"""CLIP models: the shipped mini-clip, and models of open_clip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from semcore import ComponentError, RunError, extra
from semcore.commands import Limits, attempt
from semcore.models import Pretrained
from semcore_image.models.digests import check_written, joined, mini_digest, not_here, written
from semcore_image.pixels import to_tensor

OPEN_CLIP = "published CLIP models need open_clip"
CHUNK = 64
"""Pictures per batch; bounds the memory."""
FILES = ["*.json", "*.txt", "*.model", "open_clip_model.safetensors"]
"""Files of a model of open_clip that are loaded."""


class ClipModel(Protocol):
    """A picture encoder and a text encoder with a joint embedding space."""

    @property
    def name(self) -> str:
        """Name for messages and signatures."""

    @property
    def digest(self) -> str:
        """The first 12 hexadecimal digits of a digest of its weights."""

    def images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Embeddings of pictures uint8 (H, W, 3): float32 (n, d) of unit length."""

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings of texts: float32 (n, d) of unit length."""


@dataclass(frozen=True)
class UsesClip(Pretrained):
    """A component that uses CLIP.

    Fields:
        model: `mini`: the shipped mini-clip, which ignores the other settings; or an open_clip name
            such as ViT-B-32; or a folder with open_clip_config.json and safetensors
        pretrained: open_clip's tag of the weights, for a named model
    """

    model: str = "mini"
    pretrained: str = "openai"

    @property
    def mini_weights(self) -> str | None:
        """For `mini`: folder written by the recipe `mini-clip`; None: the shipped weights."""
        return None

    @cached_property
    def clip(self) -> ClipModel:
        """The CLIP model; its weights are loaded on first use."""
        return MiniClipModel(self.mini_weights) if self.model == "mini" else OpenClipModel(self)

    def identity(self) -> Any:
        """The digest of the shipped weights, or the commit of a model on the hub."""
        return self.clip.digest if self.model == "mini" else super().identity()

    def libraries(self) -> Mapping[str, str]:
        return {} if self.model == "mini" else {"open_clip": "semcore-image[models]"}

    def missing(self) -> str:
        if self.model == "mini":
            return ""
        if Path(self.model).expanduser().is_dir() or not self.local_files_only:
            return super().missing()
        # Only open_clip knows the repository of a model, and it is slow to import.
        replies = attempt(
            "semcore_image.models.clip:located", [[self.model, self.pretrained]], Limits(120.0)
        )
        match next((value for _, value in replies), None):
            case {"repository": name}:
                return self.not_fetched(name)
            case {"reason": reason}:
                return reason
        return ""  # the run reports what is wrong with open_clip

    def files_used(self, names: Sequence[str], read: Callable[[str], str]) -> list[str]:
        return [name for name in names if any(fnmatch(name, pattern) for pattern in FILES)]

    def hub_name(self) -> str:
        if self.model == "mini" or Path(self.model).expanduser().exists():
            return ""
        return repository_of(self)


@dataclass(frozen=True)
class ComparesByClip(UsesClip):
    """A component that compares pictures and texts by CLIP.

    Fields:
        weights: for `mini`: folder written by the recipe `mini-clip`; null: the shipped weights
    """

    weights: str | None = None

    def check(self) -> None:
        super().check()
        if self.weights and self.model != "mini":
            raise ComponentError(
                f"{type(self).__name__}.weights only apply to model mini, and the model is "
                f"{self.model!r}"
            )
        check_written(self, "weights", self.weights)

    def missing(self) -> str:
        return not_here("weights", self.weights) or super().missing()

    @property
    def mini_weights(self) -> str | None:
        return self.weights


class MiniClipModel:
    """mini-clip, shipped or from a folder; pictures are resized to 32×32."""

    name = "mini-clip"

    def __init__(self, weights: str | None = None) -> None:
        self._weights = weights

    @cached_property
    def digest(self) -> str:
        return written(self._weights) if self._weights else mini_digest("mini-clip")

    @cached_property
    def _net(self) -> Any:
        from semcore_image.models.weights import load_mini

        return load_mini("mini-clip", self._weights or None)

    def images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        parts = [pictures[first : first + CHUNK] for first in range(0, len(pictures), CHUNK)]
        return np.concatenate(
            [self._net.encode_image(to_tensor(part, (32, 32))).numpy() for part in parts]
        )

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        return self._net.encode_text(list(texts)).numpy()


class OpenClipModel:
    """A model of open_clip, from a folder or the cache of the hub."""

    def __init__(self, settings: UsesClip) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        model = self._settings.model
        return Path(model).name if Path(model).is_dir() else f"{model}/{self._settings.pretrained}"

    @cached_property
    def digest(self) -> str:
        return joined(sorted(self._folder.glob("*.safetensors")))

    @cached_property
    def _folder(self) -> Path:
        """The folder with open_clip_config.json and the safetensors."""
        settings = self._settings
        folder = Path(settings.model).expanduser()
        if not folder.is_dir():
            from huggingface_hub import snapshot_download

            repository = repository_of(settings)
            with settings.loading(repository):
                folder = Path(snapshot_download(repository, allow_patterns=FILES, **settings.hub))
        config = folder / "open_clip_config.json"
        # open_clip looks for these files first.
        if not config.is_file() or not (folder / "open_clip_model.safetensors").is_file():
            raise RunError(
                f"{type(settings).__name__}: {folder} must contain open_clip_config.json and "
                "open_clip_model.safetensors (pickled weights are not loaded)"
            )
        return folder

    @cached_property
    def _parts(self) -> tuple[Any, Any, Any]:
        with extra("semcore-image[models]", OPEN_CLIP):
            import open_clip

        settings, place = self._settings, f"local-dir:{self._folder}"
        with settings.loading(str(self._folder)) as folder:
            dtype = str(settings.stored_dtype(folder)).removeprefix("torch.")
            precision = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}[dtype]
            net, preprocess = open_clip.create_model_from_pretrained(
                place, precision=precision, device=settings.torch_device
            )
            tokenizer = open_clip.get_tokenizer(place)
        return net.eval(), preprocess, tokenizer

    @property
    def _dtype(self) -> Any:
        return self._settings.stored_dtype(self._folder)

    def images(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        import torch

        net, preprocess, _ = self._parts
        rows = []
        for first in range(0, len(pictures), CHUNK):
            part = [
                preprocess(Image.fromarray(pixels)) for pixels in pictures[first : first + CHUNK]
            ]
            batch = torch.stack(part).to(self._settings.torch_device, self._dtype)
            with torch.inference_mode():
                rows.append(net.encode_image(batch, normalize=True).float().cpu().numpy())
        return np.concatenate(rows)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        import torch

        net, _, tokenizer = self._parts
        with torch.inference_mode():
            tokens = tokenizer(list(texts)).to(self._settings.torch_device)
            return net.encode_text(tokens, normalize=True).float().cpu().numpy()


def located(task: list[str]) -> Iterator[dict[str, str]]:
    """The hub `repository` of a named model of open_clip, or the `reason` why it has none; runs in
    a child process."""
    model, tag = task
    repository = _repository(model, tag)
    yield {"repository": repository} if repository else {"reason": _not_on_the_hub(model, tag)}


def repository_of(settings: UsesClip) -> str:
    """The hub repository of a named model of open_clip.

    Raises:
        RunError: open_clip has no such model, or no such weights of it
    """
    model, tag = settings.model, settings.pretrained
    if repository := _repository(model, tag):
        return repository
    raise RunError(f"{type(settings).__name__}: {_not_on_the_hub(model, tag)}")


def _repository(model: str, tag: str) -> str:
    with extra("semcore-image[models]", OPEN_CLIP):
        from open_clip import get_pretrained_cfg

    return (get_pretrained_cfg(model, tag) or {}).get("hf_hub", "").rpartition("/")[0]


def _not_on_the_hub(model: str, tag: str) -> str:
    with extra("semcore-image[models]", OPEN_CLIP):
        from open_clip import list_pretrained_tags_by_model

    tags = ", ".join(list_pretrained_tags_by_model(model)) or "none: open_clip has no such model"
    return (
        f"model {model!r} is neither `mini` nor a folder, and with pretrained {tag!r} not on the "
        f"hub; its tags are {tags}"
    )
