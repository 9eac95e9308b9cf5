"""Repositories of models and data sets on a hub, and the part of them that is on this machine."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# The libraries read it when they are imported: no telemetry.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

Read = Callable[[str], str]
"""Gives the text of a file of a repository."""
Kind = Literal["model", "dataset"]
NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
"""Name of a repository on the hub."""
SETTINGS = (".json", ".txt", ".model", ".spm", ".bpe", ".tiktoken", ".jinja")
"""Endings of the files with settings and vocabularies of a model."""
WEIGHTS = ("model", "diffusion_pytorch_model", "open_clip_model")
"""Beginnings of the files of weights that the libraries look for; others are copies for others."""


def model_files(names: Sequence[str], read: Read, variant: str | None = None) -> list[str]:
    """The files of a model that transformers and diffusers load: settings, vocabularies, and the
    weights as safetensors.

    Args:
        names: all files of the repository
        variant: of the weights, such as fp16; None, or in a folder that does not have it: those
            without one
    """
    places = {""}
    if "model_index.json" in names:  # a pipeline of diffusers
        index = json.loads(read("model_index.json"))
        places |= {
            f"{part}/"
            for part, value in index.items()
            if isinstance(value, list) and value != [None, None]
        }
    used = []
    for place in sorted(places):
        files = [name for name in names if name.startswith(place) and "/" not in name[len(place) :]]
        used += [name for name in files if name.endswith(SETTINGS) and not _INDEX.search(name)]
        if place or len(places) == 1:  # else a copy of the whole pipeline in one file
            weights = _weights([name for name in files if name.endswith(".safetensors")], variant)
            used += weights
            if len(weights) > 1:
                special = f".{variant}" in weights[0].rpartition("/")[2]
                used += [
                    name
                    for name in files
                    if (found := _INDEX.search(name))
                    and found["form"] == "safetensors"
                    and bool(special) == bool(found["variant"])
                ]
    return used


_INDEX = re.compile(r"\.(?P<form>bin|safetensors)\.index(\.(?P<variant>\w+))?\.json$")
"""In the name of a file that says which tensor is in which of several files of weights."""


def _weights(files: Sequence[str], variant: str | None) -> list[str]:
    """Of the files of weights in one folder, those that are loaded."""
    own = [name for name in files if name.rpartition("/")[2].startswith(WEIGHTS)] or list(files)
    stems = {name: name.rpartition("/")[2].removesuffix(".safetensors") for name in own}
    plain = [name for name in own if "." not in stems[name]]
    special = [name for name in own if variant and f".{variant}" in stems[name]]
    chosen = special or plain or own
    whole = [name for name in chosen if not re.search(r"-\d+-of-\d+", stems[name])]
    return whole[:1] or chosen


@dataclass(frozen=True)
class HubFiles:
    """The files of a repository on the hub that a component reads.

    Fields:
        repository: its name
        kind: model or dataset
        revision: branch, tag or commit; None: main
        cache_dir: folder of the downloaded repositories; None: the hub's default
        used: (names of all its files, reader of a file) -> the names of those that are read
    """

    repository: str
    kind: Kind = "model"
    revision: str | None = None
    cache_dir: str | None = None
    used: Callable[[Sequence[str], Read], Sequence[str]] = model_files

    @property
    def folder(self) -> Path:
        """Where the hub's client keeps the repository."""
        return cached(self.repository, self.cache_dir, self.kind)

    def commit(self) -> str:
        """The commit of the revision that is on this machine; "" if it is not known."""
        return local_commit(self.repository, self.revision, self.cache_dir, self.kind)

    def snapshot(self) -> Path | None:
        """The folder with the downloaded files of that commit; None if there are none."""
        place = self.folder / "snapshots" / (self.commit() or "none")
        return place if place.is_dir() else None

    def command(self) -> str:
        """The command of the hub's client that downloads the whole repository."""
        kind = " --repo-type dataset" if self.kind == "dataset" else ""
        revision = f" --revision {self.revision}" if self.revision else ""
        return f"hf download{kind} {self.repository}{revision}"


def cached(name: str, cache_dir: str | None, kind: Kind = "model") -> Path:
    """Where the hub's client keeps a repository."""
    from huggingface_hub import constants

    folder = Path(cache_dir).expanduser() if cache_dir else Path(constants.HF_HUB_CACHE)
    return folder / f"{kind}s--{name.replace('/', '--')}"


def local_commit(
    name: str, revision: str | None, cache_dir: str | None, kind: Kind = "model"
) -> str:
    """The commit that a revision stood for when it was downloaded; "" if it was not."""
    if revision and re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    if not NAME.fullmatch(name):
        return ""
    try:
        place = cached(name, cache_dir, kind) / "refs" / (revision or "main")
        return place.read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def commit_of(
    name: str,
    revision: str | None,
    cache_dir: str | None,
    local_files_only: bool,
    kind: Kind = "model",
) -> str:
    """The commit that a revision of a repository on the hub stands for: that of the downloaded
    snapshot, or the newest if the hub may be asked and answers; "" if neither is known."""
    if revision and re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    if not local_files_only and NAME.fullmatch(name) and (found := _newest(name, revision, kind)):
        return found
    return local_commit(name, revision, cache_dir, kind)


@functools.cache
def _newest(name: str, revision: str | None, kind: Kind) -> str:
    """The commit that the hub names, asked once per process; "" if it does not answer."""
    from huggingface_hub import HfApi

    try:
        found = HfApi().repo_info(name, revision=revision, repo_type=kind, timeout=10)
        return found.sha or ""
    except Exception:  # no network, no such model, no permission: loading says so
        return ""


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Keeps the libraries of the hub from the network, as the environment variable HF_HUB_OFFLINE
    would."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
