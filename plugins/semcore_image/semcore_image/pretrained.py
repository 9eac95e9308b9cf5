"""What all adapters of public models have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semcore.component import Component
from semcore.errors import RunError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Pretrained(Component):
    """A model by name or folder, with the conventions of transformers and diffusers.

    Weights are safetensors; a model that is stored as pickle alone is refused. Nothing is downloaded unless
    `local_files_only` is false.

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

        try:
            with torch.random.fork_rng(devices=[]):  # libraries initialise weights before they overwrite them
                yield
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            mend = (
                f"fetch it with `hf download {name}`, or set local_files_only: false, or set `model` to its folder"
                if self.local_files_only
                else "see the reason, and whether the network can be reached"
            )
            raise RunError(f"{type(self).__name__}: the model {name} cannot be loaded: {reason}; {mend}") from error
