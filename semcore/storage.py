"""Files that are whole or not there: atomic writes, JSON and seals."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from semcore.wording.redaction import redact

TEMPORARY = ".tmp-"
"""Prefix of files that are being written; a reader never looks at them."""


def write(path: Path, data: bytes, durable: bool = True) -> None:
    """Write a file so that `path` holds all of `data` or what it held before: temp, fsync, rename,
    fsync folder.

    Where the system can, the temporary file has no name, and a kill leaves nothing behind.
    Elsewhere it is locked as long as its writer lives, so that `sweep` knows which ones are left
    over. What holds a secret is written without it.

    Args:
        durable: whether it must outlive a power failure; what can be made again (a cache) is not
            worth the wait
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = redact(data)
    try:
        if not _write_unnamed(path, data, durable):
            _write_locked(path, data, durable)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say for which file
        raise
    if not durable:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_output(path: Path, data: bytes) -> None:
    """Write a file that a user named: as `write` does, but a link stays one, and a device or pipe
    takes the data itself."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        mode = stat.S_IFREG
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        write(Path(os.path.realpath(path)), data)
        return
    try:
        with open(path, "wb") as file:
            file.write(redact(data))
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def _write_unnamed(path: Path, data: bytes, durable: bool) -> bool:
    """Write a file that has no name before it is whole; False: this system or file system has no
    such files."""
    if (file := _unnamed(path)) is None:
        return False
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with file:
            _fill(file, data, durable)
            return _link(file, folder, path)
    finally:
        os.close(folder)


def _unnamed(path: Path) -> IO[bytes] | None:
    """A new file without a name in the folder of a path; None if the system lacks them."""
    try:
        kind = os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC
        return open(os.open(path.parent, kind, 0o666), "wb")
    except AttributeError:  # not on Linux
        return None
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
            return None
        raise


def _link(file: IO[bytes], folder: int, path: Path) -> bool:
    """Give a file its name, in the place of another of that name; False: the system shows no way to
    it."""
    source = f"/proc/self/fd/{file.fileno()}"
    try:
        os.link(source, path.name, dst_dir_fd=folder, follow_symlinks=True)
    except FileExistsError:
        temporary = _temporary(path)
        os.link(source, temporary.name, dst_dir_fd=folder, follow_symlinks=True)
        _rename(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP):
            return False
        raise
    return True


def _write_locked(path: Path, data: bytes, durable: bool) -> None:
    temporary = _temporary(path)
    try:
        with _locked(temporary) as file:
            _fill(file, data, durable)
            _rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _temporary(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{os.urandom(4).hex()}-{path.name[-40:]}")


def _fill(file: IO[bytes], data: bytes, durable: bool) -> None:
    file.write(data)
    file.flush()
    if durable:
        os.fsync(file.fileno())


def _rename(temporary: Path, path: Path) -> None:
    try:
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _locked(path: Path) -> IO[bytes]:
    """A new file that is locked as long as it is open. One that was swept away before it was locked
    is made again."""
    while True:
        file = open(path, "xb")  # noqa: SIM115 - the caller closes it
        fcntl.flock(file, fcntl.LOCK_SH)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def sweep(folder: Path) -> None:
    """Remove the temporary files below `folder` whose writers were killed; those of living ones are
    locked."""
    for path in folder.rglob(f"{TEMPORARY}*"):
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        except OSError:  # locked, renamed in the meantime, or not ours to remove
            continue


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, keys in their order, so that equal results are equal bytes."""
    write(path, _json(value))


def _json(value: Any) -> bytes:
    return redact(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


MAX_DEPTH = 50
"""Levels of JSON that is read: settings have at most 40."""
DIGITS = 300
"""Digits of a whole number in JSON that is read: one of more is beyond what a float can hold."""


def from_json(data: bytes | str) -> Any:
    """JSON as `write_json` writes it.

    Raises:
        ValueError: it is not JSON, or holds a number that is infinite or none, a text that is not
            Unicode, or too many levels
    """
    try:
        value = json.loads(data, parse_float=_number, parse_int=_whole, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner = (
            one.values() if isinstance(one, dict) else one
            for one in level
            if isinstance(one, (dict, list))
        )
        level = [item for items in inner for item in items]
    if level:
        raise ValueError(_TOO_DEEP)
    if _SURROGATE.search(data if isinstance(data, str) else data.decode()):
        json.dumps(value, ensure_ascii=False).encode()
    return value


_TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


def _whole(text: str) -> int:
    if len(text) > DIGITS:
        raise ValueError(f"the number {text[:20]}... is too large")
    return int(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


# -------------------------------------------------------------------------------------------- seals

_EMPTY = "0" * 32
_END = b'"digest": "%s"\n}\n'


def content_digest(data: bytes) -> str:
    """The 32-character digest of a file's content."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def sealed(value: Mapping[str, Any]) -> bytes:
    """A mapping as JSON whose last key, `digest`, is the digest of the file with zeros in its
    place."""
    data = _json({**value, "digest": _EMPTY})
    return data.removesuffix(_END % _EMPTY.encode()) + _END % content_digest(data).encode()


def unsealed(data: bytes) -> dict[str, Any]:
    """What `sealed` made.

    Raises:
        ValueError: any byte is not as it was written
    """
    tail = len(_END % _EMPTY.encode())
    body, end = data[:-tail], data[-tail:]
    if end != _END % content_digest(body + _END % _EMPTY.encode()).encode():
        raise ValueError("its content does not match its digest")
    value = from_json(data)
    del value["digest"]
    return value


def stamped(data: bytes) -> bytes:
    """Bytes with their digest behind them."""
    return data + bytes.fromhex(content_digest(data))


def unstamped(data: bytes) -> bytes:
    """What `stamped` made, without the digest.

    Raises:
        ValueError: any byte is not as it was written
    """
    body, end = data[:-16], data[-16:]
    if bytes.fromhex(content_digest(body)) != end:
        raise ValueError("its content does not match its digest")
    return body


def signed(page: bytes) -> bytes:
    """An HTML page with its digest in a comment behind it."""
    return page + f"<!-- {content_digest(page)} -->\n".encode()


def is_signed(page: bytes) -> bool:
    """Whether a page is as `signed` made it."""
    return signed(page[: -len(signed(b""))]) == page
