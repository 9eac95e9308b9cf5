"""What a hub says of the files that components read, and their download."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcore.errors import RunError
from semcore.fingerprint.content import user_cache_folder
from semcore.models.repository import HubFiles
from semcore.storage import write_json

UNKNOWN = "not stated"
"""Licence of a repository that states none."""


@dataclass(frozen=True, eq=False)
class Listing:
    """The files of a repository at a revision that a component reads, as the hub lists them.

    Fields:
        wanted: what was asked for
        commit: that the revision stands for
        licence: as the card states it
        gated: whether the owner grants access to each user
        files: name -> size, bytes; -1: unknown
        sha256: name -> SHA-256 of the file, where the hub states it
    """

    wanted: HubFiles
    commit: str
    licence: str
    gated: bool
    files: Mapping[str, int]
    sha256: Mapping[str, str] = field(default_factory=dict)

    def place(self, name: str) -> Path:
        """Where a file lies once it is downloaded."""
        return self.wanted.folder / "snapshots" / self.commit / name

    @property
    def missing(self) -> list[str]:
        """The files that are not on this machine, or not whole."""
        return [name for name, size in self.files.items() if not _whole(self.place(name), size)]

    @property
    def bytes_missing(self) -> int:
        """Their size, where it is known."""
        return sum(max(self.files[name], 0) for name in self.missing)


def _whole(place: Path, size: int) -> bool:
    try:
        return size < 0 or place.stat().st_size == size
    except OSError:
        return False


def listing(wanted: HubFiles) -> Listing:
    """Ask the hub for the files of a repository that a component reads.

    Raises:
        RunError: the hub cannot be asked, or has no such repository, revision or files
    """
    from huggingface_hub import HfApi, hf_hub_download

    with _explained(wanted):
        info: Any = HfApi().repo_info(
            wanted.repository,
            revision=wanted.revision,
            repo_type=wanted.kind,
            files_metadata=True,
            timeout=30,
        )
        siblings = {one.rfilename: one for one in info.siblings or ()}
        commit = str(info.sha)

        def read(name: str) -> str:
            place = hf_hub_download(
                wanted.repository,
                name,
                revision=commit,
                repo_type=wanted.kind,
                cache_dir=wanted.cache_dir,
            )
            return Path(place).read_text(encoding="utf-8")

        used = sorted(set(wanted.used(sorted(siblings), read)))
    weights = [name for name in used if name.endswith((".safetensors", ".gguf"))]
    if wanted.kind == "model" and not weights:
        raise RunError(
            f"the model {wanted.repository} holds no weights as safetensors, and pickles are not "
            "opened: name a `revision` that has them (converters of the hub leave them in "
            "refs/pr/NUMBER), or another model"
        )
    note_names(wanted, commit, list(siblings))
    card = dict(info.card_data.to_dict()) if info.card_data else {}
    return Listing(
        wanted,
        commit,
        _licence(card),
        bool(getattr(info, "gated", False)),
        {name: -1 if siblings[name].size is None else int(siblings[name].size) for name in used},
        {name: lfs.sha256 for name in used if (lfs := getattr(siblings[name], "lfs", None))},
    )


def _licence(card: Mapping[str, Any]) -> str:
    """The licence of a repository by the front matter of its card."""
    found = card.get("license")
    if found == "other":
        found = card.get("license_name") or card.get("license_link") or found
    names = found if isinstance(found, list) else [found]
    return ", ".join(str(name) for name in names if name) or UNKNOWN


def download(listed: Listing, done: Callable[[str], None] = lambda name: None) -> None:
    """Download the files of a listing that are missing, and check them.

    What broke off goes on where it stopped when it is downloaded again.

    Args:
        done: called with the name of each file that is complete

    Raises:
        RunError: with the file and what to do
    """
    from huggingface_hub import hf_hub_download

    wanted = listed.wanted
    # One file by the name of the revision, by which the commit is found offline afterwards.
    first = min(listed.files, key=lambda name: listed.files[name])
    for name in dict.fromkeys([first, *listed.missing]):
        with _explained(wanted, name):
            place = hf_hub_download(
                wanted.repository,
                name,
                revision=wanted.revision if name == first else listed.commit,
                repo_type=wanted.kind,
                cache_dir=wanted.cache_dir,
            )
        if wanted.commit() != listed.commit:
            raise RunError(
                f"{wanted.repository} was changed on the hub meanwhile: run the command again"
            )
        if listed.sha256.get(name, "") not in ("", digest := _sha256(Path(place))):
            Path(place).resolve().unlink()
            raise RunError(
                f"{wanted.repository}: {name} is damaged (SHA-256 {digest[:12]}..., and the hub "
                f"states {listed.sha256[name][:12]}...); it was removed: run the command again"
            )
        done(name)


def _sha256(place: Path) -> str:
    with open(place, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_space(listings: Iterable[Listing]) -> None:
    """Refuse downloads that do not fit on the disk.

    Raises:
        RunError: with the sizes
    """
    needed: dict[Path, int] = {}
    for listed in listings:
        folder = listed.wanted.folder.parent
        needed[folder] = needed.get(folder, 0) + listed.bytes_missing
    for folder, size in needed.items():
        above = next(one for one in (folder, *folder.parents) if one.exists())
        free = shutil.disk_usage(above).free
        if size > free:
            raise RunError(
                f"{size / 1e9:.1f} GB are to be downloaded to {folder}, and {free / 1e9:.1f} GB "
                "are free there: make room, or name another folder by `cache_dir` or the "
                "environment variable HF_HOME"
            )


class _explained:  # noqa: N801 - used like a function
    """Around calls of the hub's client: its errors as one line that says what to do."""

    def __init__(self, wanted: HubFiles, file: str = "") -> None:
        self.wanted, self.file = wanted, file

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, RunError):
            raise RunError(self._reason(error)) from error

    def _reason(self, error: Exception) -> str:
        from huggingface_hub import constants, errors

        wanted, host = self.wanted, constants.ENDPOINT
        name = f"the {'data set' if wanted.kind == 'dataset' else 'model'} {wanted.repository}"
        path = f"{'datasets/' if wanted.kind == 'dataset' else ''}{wanted.repository}"
        kinds = {type(one) for one in _chain(error)}
        if any(issubclass(one, errors.GatedRepoError) for one in kinds):
            return (
                f"{name} is gated: accept its terms at {host}/{path}, then log in with "
                "`hf auth login`"
            )
        if any(issubclass(one, errors.RevisionNotFoundError) for one in kinds):
            return f"{name} has no revision {wanted.revision or 'main'!r}: see {host}/{path}"
        if any(issubclass(one, errors.RepositoryNotFoundError) for one in kinds):
            return (
                f"{name} is not on {host}, or it is private: check the name, or log in with "
                "`hf auth login`"
            )
        if constants.HF_HUB_OFFLINE:
            return f"{name} cannot be looked up: the environment variable HF_HUB_OFFLINE is set"
        for one in _chain(error):
            if isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT):
                return (
                    f"{name} cannot be written to {wanted.folder}: {one.strerror}: make room, and "
                    "run the command again, which goes on where it stopped"
                )
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        if self.file:
            return (
                f"{name}: the download of {self.file} broke off: {reason}; run the command again, "
                "which goes on where it stopped"
            )
        return f"{name} cannot be looked up on {host}: {reason}; see whether it can be reached"


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and what caused it."""
    found: list[BaseException] = []
    while error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__ or error
    return found


# ------------------------------------------------------------------------------- names of all files


def _record(wanted: HubFiles, commit: str) -> Path:
    folder = wanted.repository.replace("/", "--")
    return user_cache_folder() / "hub" / f"{wanted.kind}s--{folder}" / f"{commit}.json"


def note_names(wanted: HubFiles, commit: str, names: Sequence[str]) -> None:
    """Remember the names of all files of a commit, by which a part that is missing is noticed
    without the hub."""
    record = _record(wanted, commit)
    try:
        record.parent.mkdir(parents=True, exist_ok=True)
        write_json(record, sorted(names))
    except OSError:
        return


def names_of(wanted: HubFiles) -> list[str]:
    """The names of all files of the commit that is on this machine: as the hub listed them, or else
    those that are here."""
    snapshot = wanted.snapshot()
    if snapshot is None:
        return []
    try:
        found = json.loads(_record(wanted, wanted.commit()).read_text(encoding="utf-8"))
        return [str(name) for name in found]
    except (OSError, ValueError, TypeError):
        pass
    try:  # the hub's client remembers them, too
        from huggingface_hub import get_cached_repo_tree

        tree: Any = get_cached_repo_tree(
            wanted.repository,
            repo_type=wanted.kind,
            revision=wanted.commit(),
            cache_dir=wanted.cache_dir,
        )
        return [one.path for one in tree]
    except Exception:  # an older client, or downloaded by one
        return [
            place.relative_to(snapshot).as_posix()
            for place in sorted(snapshot.rglob("*"))
            if place.is_file()
        ]
