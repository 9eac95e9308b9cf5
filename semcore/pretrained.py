"""What all adapters of public models have in common."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semcore.component import Component
from semcore.errors import RunError

if TYPE_CHECKING:
    import torch


# The libraries of models read it when they are imported: nobody is told that they are used.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


@dataclass(frozen=True)
class Pretrained(Component):
    """A model by name or folder, with the conventions of transformers and diffusers.

    Weights are safetensors; a model that is stored as pickle alone is refused, and no code that comes with a model is
    run. Nothing is downloaded unless `local_files_only` is false.

    Fields:
        model: name on the Hugging Face hub, or folder
        revision: branch, tag or commit on the hub; null: main
        cache_dir: folder of downloaded models; null: the hub's default
        local_files_only: whether to refuse to download
        device: torch device, for example cpu or cuda:0
        dtype: of weights and activations
    """

    model: str = ""
    revision: str | None = None
    cache_dir: str | None = None
    local_files_only: bool = True
    device: str = "cpu"
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"

    def identity(self) -> Any:
        """Of a folder: the names and sizes of its files, for it may come to hold another model."""
        folder = Path(self.model).expanduser()
        files = sorted(folder.rglob("*")) if self.model and folder.is_dir() else []
        return [[str(file.relative_to(folder)), file.stat().st_size] for file in files if file.is_file()] or None

    @property
    def torch_dtype(self) -> torch.dtype:
        """`dtype` as PyTorch's."""
        import torch

        return getattr(torch, self.dtype)

    @property
    def hub(self) -> dict[str, Any]:
        """Where to look for the files, as arguments of `from_pretrained` and of huggingface_hub."""
        return {
            "revision": self.revision,
            "cache_dir": self.cache_dir,
            "local_files_only": self.local_files_only,
        }

    @contextlib.contextmanager
    def loading(self, name: str) -> Iterator[None]:
        """Around the loading of `name`: one clear error if it is not there, and the global random state as it
        was.

        Raises:
            RunError: the files are missing or do not fit together
        """
        import torch
        from safetensors import SafetensorError

        try:
            # Libraries initialise weights before they overwrite them, and some ask the hub for more than they were asked to.
            with torch.random.fork_rng(devices=[]), offline() if self.local_files_only else contextlib.nullcontext():
                yield
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            if Path(name).is_dir():
                mend = "a folder must hold the whole model, its weights as safetensors"
            elif self.local_files_only:
                fetch = f"fetch it with `hf download {name}`, or set local_files_only: false"
                mend = f"the network was not asked: {fetch}, or set `model` to its folder"
            else:
                mend = "see the reason, and whether the network can be reached"
            raise RunError(f"{type(self).__name__}: the model {name} cannot be loaded: {reason}; {mend}") from error


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Keeps the libraries of the hub from the network, as the environment variable HF_HUB_OFFLINE would."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
