"""What all adapters of public models have in common."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semcore.component.base import Component
from semcore.errors import RunError
from semcore.models.files import files_in, no_code_from, parsed, vet
from semcore.models.repository import HubFiles, Read, commit_of, model_files, offline
from semcore.models.weights import complete
from semcore.tensors import device, resolved

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Pretrained(Component):
    """A model by name or folder, with the conventions of transformers and diffusers.

    Weights are safetensors; a model that is stored as pickle alone is refused, and no code that
    comes with a model is run. Nothing is downloaded unless `local_files_only` is false.

    Fields:
        model: name on the Hugging Face hub, or folder
        revision: branch, tag or commit on the hub; null: main
        cache_dir: folder of downloaded models; null: the hub's default
        local_files_only: whether to refuse to download
        device: torch device, for example cuda:0; `auto`: a GPU if there is one; cpu: that of the
            pipeline, `device:` at its top, which is the CPU unless it says otherwise
        dtype: of weights and activations; `auto`: as the weights are stored, but on a CPU float32
            in place of float16
    """

    model: str = ""
    revision: str | None = None
    cache_dir: str | None = None
    local_files_only: bool = True
    device: str = "cpu"
    dtype: Literal["float32", "float16", "bfloat16", "auto"] = "float32"

    def identity(self) -> Any:
        """Of a model on the hub, the commit that is loaded; the files of a folder count as those of
        any setting do."""
        chosen = {"device": self.torch_device} if self.device == "auto" else {}
        return {**chosen, **({"commit": self.commit} if self.commit else {})} or None

    @cached_property
    def commit(self) -> str:
        """The commit of the snapshot on the hub that is loaded; "" of a folder, or if it is not
        known."""
        name = self.hub_name()
        return commit_of(name, self.revision, self.cache_dir, self.local_files_only) if name else ""

    def hub_name(self) -> str:
        """The name of the model on the hub; "" if it is a folder."""
        return "" if Path(self.model).expanduser().exists() else self.model

    @property
    def torch_device(self) -> str:
        """The PyTorch device: that of the pipeline where `device` is `cpu`; of `auto`, the one that
        is there."""
        return str(device()) if self.device == "cpu" else resolved(self.device)

    def stored_dtype(self, folder: Path) -> torch.dtype:
        """`dtype` as PyTorch's: of `auto` that of the first floating-point tensor of the largest
        file of weights."""
        import torch
        from safetensors import safe_open

        if self.dtype != "auto":
            return getattr(torch, self.dtype)
        files = sorted(
            files_in(folder, "safetensors"), key=lambda file: (-file.stat().st_size, str(file))
        )
        for file in files[:1]:
            with safe_open(file, "pt") as tensors:
                kinds = {"F16": torch.float16, "BF16": torch.bfloat16}
                found = (tensors.get_slice(key).get_dtype() for key in tensors.keys())
                kind = next((one for one in found if one in (*kinds, "F32")), "")
            stored = kinds.get(kind, torch.float32)
            return (
                torch.float32 if stored == torch.float16 and self.torch_device == "cpu" else stored
            )
        return torch.float32

    @property
    def hub(self) -> dict[str, Any]:
        """Where to look for the files, as arguments of `from_pretrained` and of huggingface_hub."""
        return {
            "revision": self.commit or self.revision,
            "cache_dir": self.cache_dir,
            "local_files_only": self.local_files_only,
        }

    @property
    def place(self) -> str:
        """`model` as the libraries take it: a folder with `~` resolved, or the name on the hub."""
        folder = Path(self.model).expanduser()
        return str(folder) if folder.is_dir() else self.model

    def missing(self) -> str:
        folder, name = Path(self.model).expanduser(), self.model
        if folder.is_dir():
            held = next(files_in(folder, "safetensors", "gguf"), None)
            return (
                ""
                if held
                else f"the model {name} cannot be loaded: the folder holds no weights as "
                "safetensors"
            )
        if not name or _is_path(name):
            return f"the model {name} cannot be loaded: there is no folder {folder}" if name else ""
        return self.not_fetched(self.hub_name())

    def not_fetched(self, name: str) -> str:
        """Why a model on the hub cannot be loaded; "" if it is here, or may be downloaded."""
        if not self.local_files_only:
            return ""
        wanted = HubFiles(name, "model", self.revision, self.cache_dir)
        snapshot = wanted.snapshot()
        fetch = (
            f"fetch it with `{wanted.command()}`, or set local_files_only: false, "
            "or set `model` to its folder"
        )
        if snapshot is None or next(files_in(snapshot, "json"), None) is None:
            return (
                f"the model {name} cannot be loaded: it is not on this machine, and the "
                f"network was not asked: {fetch}"
            )
        if next(files_in(snapshot, "safetensors", "gguf"), None) is None:
            return (
                f"the model {name} cannot be loaded: what is here of it holds no weights "
                "as safetensors, and pickles are not "
                "opened: name a `revision` that has them (converters of the hub leave "
                f"them in refs/pr/NUMBER), or {fetch}"
            )
        if absent := _absent_parts(snapshot):
            return (
                f"the model {name} cannot be loaded: {absent} is not on this machine, and the "
                f"network was not asked: {fetch}"
            )
        return ""

    def downloads(self) -> Sequence[HubFiles]:
        """What `semcore fetch` downloads for it: repositories on the hub, with the files used."""
        name = self.hub_name()
        if not name or _is_path(name):
            return []
        return [HubFiles(name, "model", self.revision, self.cache_dir, self.files_used)]

    def files_used(self, names: Sequence[str], read: Read) -> Sequence[str]:
        """Of the files of the repository, those that are loaded.

        Args:
            read: gives the text of one of them
        """
        return model_files(names, read)

    @contextlib.contextmanager
    def loading(self, name: str) -> Iterator[Path]:
        """Around the loading of `name`: its configuration is vetted first, and no code of it is
        run; one clear error if it is not there, and the global random state as it was.

        Returns:
            the folder of its files; of a model that may be downloaded, at first that of its
            configuration alone

        Raises:
            RunError: the files are missing, do not fit together, or ask for code to be run
        """
        import torch

        try:
            # Libraries initialise weights before they overwrite them, and some ask the hub for more
            # than they were asked to.
            with contextlib.ExitStack() as around:
                around.enter_context(torch.random.fork_rng(devices=[]))
                if self.local_files_only:
                    around.enter_context(offline())
                folder = self._configuration(name)
                vet(folder)
                around.enter_context(no_code_from(folder, *dynamic_modules()))
                around.enter_context(unasked())
                around.enter_context(complete())
                yield folder
        except RunError as error:
            raise RunError(
                f"{type(self).__name__}: the model {name} cannot be loaded: {error}"
            ) from error
        except Exception as error:  # a damaged model makes libraries raise anything
            reason = (
                str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            )
            if Path(name).is_dir():
                remedy = "a folder must hold the whole model, its weights as safetensors"
            elif self.local_files_only:
                fetch = f"fetch it with `hf download {name}`, or set local_files_only: false"
                remedy = f"the network was not asked: {fetch}, or set `model` to its folder"
            else:
                remedy = "see the reason, and whether the network can be reached"
            raise RunError(
                f"{type(self).__name__}: the model {name} cannot be loaded: {reason}; {remedy}"
            ) from error

    def _configuration(self, name: str) -> Path:
        """The folder with the configuration files of a model; of one on the hub these alone are
        fetched."""
        from huggingface_hub import snapshot_download

        folder = Path(name).expanduser()
        if folder.is_dir():
            return folder
        if _is_path(name):
            raise RunError(f"there is no folder {name}")
        return Path(snapshot_download(name, allow_patterns=["*.json"], **self.hub))


def _absent_parts(snapshot: Path) -> str:
    """The first part of weights of which only some parts are there, by their index; "" if none."""
    for index in files_in(snapshot, "safetensors.index.json"):
        # of a damaged index, loading says what is wrong
        with contextlib.suppress(RunError, LookupError, TypeError, ValueError):
            parts = sorted(set(parsed(index)["weight_map"].values()))
            absent = [name for name in parts if not (index.parent / name).is_file()]
            if absent and len(absent) < len(parts):
                return (index.parent / absent[0]).relative_to(snapshot).as_posix()
    return ""


def _is_path(name: str) -> bool:
    """Whether a name is meant as a folder, and cannot be one of the hub."""
    return name.startswith((".", "/", "~", "\\")) or name.count("/") > 1


def dynamic_modules() -> list[Path]:
    """Where the libraries put the code of models before they import it."""
    from huggingface_hub import constants

    return [Path(os.environ.get("HF_MODULES_CACHE", os.path.join(constants.HF_HOME, "modules")))]


@contextlib.contextmanager
def unasked() -> Iterator[None]:
    """Keeps transformers from asking at the terminal whether code of a model may be run: it may
    not."""
    try:
        from transformers import dynamic_module_utils
    except ImportError:  # a model of another library
        yield
        return
    before, dynamic_module_utils.TIME_OUT_REMOTE_CODE = dynamic_module_utils.TIME_OUT_REMOTE_CODE, 0
    try:
        yield
    finally:
        dynamic_module_utils.TIME_OUT_REMOTE_CODE = before
