"""Files of a run, whose folder a stranger may have made: the one place that turns a name in a run
into a file.

A name is a plain relative path. What it leads to is a regular file of bounded size inside the run's
folder: links are not followed out of it, and neither pipes nor devices are opened.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from semcore.errors import RunError, shown
from semcore.limits import MAX_KEPT_BYTES

MAX_NAME = 200
"""Longest name of a file that is derived from content of a run, characters."""
_KINDS = {
    stat.S_IFREG: "",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFLNK: "a link",
}


class RefusedFile(RunError):
    """A file of a run that is not read.

    Attributes:
        reason: what is wrong with it, as a predicate
    """

    def __init__(self, path: Path, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{path} {reason}")


def kind(mode: int) -> str:
    """What a path leads to, by its `st_mode`; "" for a regular file."""
    return _KINDS.get(stat.S_IFMT(mode), "a device")


def is_plain(name: object) -> bool:
    """Whether a name is a plain relative path: printable parts between single slashes, none of them
    `.` or `..`."""
    return (
        isinstance(name, str) and name.isprintable() and not {"", ".", ".."} & set(name.split("/"))
    )


def inside(folder: Path, name: str) -> Path:
    """The path of a file or folder in a run.

    Args:
        folder: of the run
        name: below it, as it stands in the run

    Raises:
        RefusedFile: the name is not a plain relative path, or a link leads out of the folder
    """
    path = folder / name
    if not is_plain(name):
        raise RefusedFile(
            folder,
            f"names the file {shown(name)}, which is not a plain relative path below its folder",
        )
    try:
        real, root = os.path.realpath(path), os.path.realpath(folder)
    except (OSError, ValueError) as error:
        raise RefusedFile(
            path, f"cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not real.startswith(root.rstrip(os.sep) + os.sep):
        raise RefusedFile(path, "leads out of the run's folder by a link")
    return path


def beneath(folder: Path, name: str) -> Path:
    """The path of a file in a run that is to be written: what stands there is replaced, and its
    folder is inside the run.

    Raises:
        RefusedFile: the name is not a plain relative path, or a link leads out of the folder
    """
    parent = name.rpartition("/")[0]
    if not is_plain(name):
        return inside(folder, name)
    return (inside(folder, parent) if parent else folder) / name.rpartition("/")[2]


@contextmanager
def opened(folder: Path, name: str, most: int = MAX_KEPT_BYTES) -> Iterator[IO[bytes]]:
    """Open a file of a run to read it.

    Args:
        folder: of the run
        name: below it
        most: largest size, bytes

    Raises:
        RefusedFile: it is not inside the folder, no regular file, too large, or cannot be read
        FileNotFoundError: the file does not exist
    """
    path = inside(folder, name)
    try:
        _regular(path, os.stat(path), most)  # nothing else is opened: a pipe could block for ever
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            _regular(path, os.fstat(file.fileno()), most)
            yield file
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(error.errno, "there is no such file", str(path)) from error
    except OSError as error:
        raise RefusedFile(path, f"cannot be read: {error.strerror or error}") from error


def read(folder: Path, name: str, most: int = MAX_KEPT_BYTES) -> bytes:
    """The content of a file of a run; see `opened`."""
    with opened(folder, name, most) as file:
        # `read` reserves as much memory as it may need; and some files of the system hold more than
        # they say.
        wanted = min(os.fstat(file.fileno()).st_size, most) + 1
        data = file.read(wanted)
        while len(data) == wanted <= most:
            wanted += min(2**20, most + 1 - wanted)
            data += file.read(wanted - len(data))
    if len(data) > most:
        raise RefusedFile(folder / name, f"has more than the {most:,} bytes that are read")
    return data


def digest(folder: Path, name: str) -> str:
    """The digest of a file of a run, as `storage.content_digest` has it, in little memory; see
    `opened`."""
    found, left = hashlib.blake2b(digest_size=16), MAX_KEPT_BYTES
    with opened(folder, name) as file:
        while block := file.read(2**20):
            found.update(block)
            left -= len(block)
            if left < 0:
                raise RefusedFile(
                    folder / name, f"has more than the {MAX_KEPT_BYTES:,} bytes that are read"
                )
    return found.hexdigest()


def file_name(text: str) -> str:
    """A text as a part of a file's name: without what has a meaning in paths or cannot be printed,
    and not too long."""
    return re.sub(r"[^\w.+,=()-]+", "-", text)[:MAX_NAME]


def _regular(path: Path, status: os.stat_result, most: int) -> None:
    if what := kind(status.st_mode):
        raise RefusedFile(path, f"is {what}, not a file")
    if status.st_size > most:
        raise RefusedFile(path, f"has {status.st_size:,} bytes, and at most {most:,} are read")
