"""Digests of files, computed once and cached until the file changes.

What a file holds decides whether a result is still right, not what the file is called, how long it
is or when it was written. A digest is remembered by device, inode, path, size and the times of the
last changes in nanoseconds, in this process and, for large files, in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from semcore.errors import RunError
from semcore.storage import write

LARGE = 1 << 20
"""Size from which a digest is stored in the user's cache, bytes."""
SETTLED_NS = 2_000_000_000
"""A file that was changed more recently may change again without another time stamp: its digest is
not remembered."""
IGNORED = (".*", "__pycache__", "*.pyc", "*.md", "checkpoint.json", "checkpoint-*", "training.json")
"""In a folder of weights: what no model is loaded from (cards, checkpoints, what version control
keeps)."""

Stamp = tuple[str, int, int, int, int, int]

_known: dict[Stamp, str] = {}


def user_cache_folder() -> Path:
    """The folder that outlives runs: `$SEMCORE_SHELF`, or semcore's folder in the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("SEMCORE_SHELF") or f"{home}/semcore").expanduser()


def stamp(path: str | os.PathLike[str]) -> Stamp:
    """Identifies the version of a file: path, device, inode, size, times of its last changes.

    The time of the last change of the inode is among them: no program can set it back.
    """
    found = os.stat(path)
    return (
        os.path.abspath(path),
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


def settled(mark: Stamp) -> bool:
    """Whether any later change of the file must give it another stamp."""
    return time.time_ns() - mark[-1] > SETTLED_NS


def file_digest(path: str | os.PathLike[str]) -> str:
    """The 32-character digest of what a file holds.

    Raises:
        RunError: it cannot be read
    """
    try:
        mark = stamp(path)
        if found := _known.get(mark):
            return found
        large = mark[3] >= LARGE
        found = stored("files", mark) if large else None
        if not isinstance(found, str):
            with open(path, "rb") as file:
                found = hashlib.file_digest(
                    file, lambda: hashlib.blake2b(digest_size=16)
                ).hexdigest()
            if stamp(path) != mark or not settled(mark):
                return found
            if large:
                store("files", mark, found)
        _known[mark] = found
        return found
    except OSError as error:
        raise RunError(f"{os.fspath(path)} cannot be read: {error.strerror or error}") from error


def path_digest(path: str | os.PathLike[str] | None, wanted: Sequence[str] = ("*",)) -> str:
    """The digest of a file, or of the files of a folder by their names in it; "" if nothing is
    there.

    Hidden files, model cards (`*.md`) and checkpoints of a training do not count.

    Args:
        path: `~` is the user's home
        wanted: patterns of the names of files that count, of a folder

    Raises:
        RunError: a file cannot be read
    """
    if not path:
        return ""
    place = os.path.expanduser(path)
    if os.path.isfile(place):
        return file_digest(place)
    if not os.path.isdir(place):
        return ""
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(files_below(place, wanted)):
        state.update(json.dumps([name, file_digest(os.path.join(place, name))]).encode())
    return state.hexdigest()


def files_below(folder: str, wanted: Sequence[str] = ("*",)) -> Iterator[str]:
    """Names, relative to the folder, of the files that count; links are followed, each folder
    once."""
    seen: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _ignored(name)]
        for name in files:
            path = os.path.join(root, name)
            if not _ignored(name) and any(fnmatch(name, one) for one in wanted) and _regular(path):
                yield os.path.relpath(path, folder).replace(os.sep, "/")


def _ignored(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in IGNORED)


def _regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


# --------------------------------------------------------------------------------- the user's cache


def stored(kind: str, mark: Stamp) -> Any:
    """What was stored for a file with this stamp, or None."""
    try:
        held, value = json.loads(_place(kind, mark).read_bytes())
        return value if tuple(held) == mark else None
    except (OSError, ValueError, TypeError):
        return None


def store(kind: str, mark: Stamp, value: Any) -> None:
    """Keep plain values for a file with this stamp; where that is impossible, they are computed
    again."""
    try:
        write(_place(kind, mark), json.dumps([mark, value]).encode(), durable=False)
    except (OSError, ValueError):
        return


def _place(kind: str, mark: Stamp) -> Path:
    key = hashlib.blake2b(
        json.dumps(mark).encode("utf-8", "surrogatepass"), digest_size=16
    ).hexdigest()
    return user_cache_folder() / kind / key[:2] / f"{key[2:]}.json"
