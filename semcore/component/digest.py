"""What makes two things the same: one digest for settings, samples and everything that flows between stages."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import struct
from collections.abc import Callable, Mapping
from typing import Any

from semcore.component.base import Component
from semcore.entrypoints import naming
from semcore.fingerprint import content, origin
from semcore.types.samples import OnDemand


def digest(*parts: Any) -> str:
    """A 32-character digest of plain values, arrays, components and the types of semcore.

    Equal content gives an equal digest whatever the order of keys in a mapping, and on every machine. A component counts
    with its registered name, its package with the version, its source (`semcore.fingerprint.origin`), all its settings, the
    content of the files that these name, and what else it says its results depend on.

    Raises:
        TypeError: a part has no canonical form
    """
    return Digester().digest(*parts)


@dataclasses.dataclass(frozen=True, eq=False)
class Shared:
    """Marks a value, to a `Digester`, that is the same object in many digests. Its digest is that of the value."""

    value: Any


KEPT = 4096
"""Values whose bytes a `Digester` keeps: those of a grid that change most often come again soonest."""


class Digester:
    """Computes many digests; what a component contributes to them is computed once.

    Files and libraries are taken to stay as they are: use one for one purpose, and then another.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, bytes]] = {}  # keeps the value alive: ids of dead ones are reused

    def digest(self, *parts: Any) -> str:
        """As `digest`."""
        state = hashlib.blake2b(digest_size=16)
        for part in parts:
            self._feed(state.update, part)
        return state.hexdigest()

    def _remembered(self, value: Any, feed: Callable[[Any, Any], None]) -> bytes:
        """What a value that several digests share feeds into each of them."""
        if id(value) not in self._known:
            data = bytearray()
            feed(data.extend, value)
            self._known[id(value)] = value, bytes(data)
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return self._known[id(value)][1]

    def _feed_component(self, update: Any, component: Component) -> None:
        name = naming.name_of(type(component))
        whose = (*naming.provider(component.kind, name), origin.of(type(component)).digest)
        _tagged(update, b"c", "\x1f".join((component.kind, name, *whose)).encode())
        self._feed(update, {field.name: getattr(component, field.name) for field in dataclasses.fields(component)})
        self._feed(update, named_files(component))
        self._feed(update, component.identity())

    def _feed_fields(self, update: Any, value: Any) -> None:
        _tagged(update, b"d", type(value).__name__.encode())
        self._feed(update, {field.name: getattr(value, field.name) for field in dataclasses.fields(value)})

    def _feed(self, update: Any, value: Any) -> None:
        if value is None or isinstance(value, (bool, int)):
            _tagged(update, b"v", repr(value).encode())
        elif isinstance(value, float):
            _tagged(update, b"f", struct.pack(">d", value))
        elif isinstance(value, str):
            _tagged(update, b"s", value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, (bytes, bytearray)):
            _tagged(update, b"b", bytes(value))
        elif isinstance(value, Mapping):
            _tagged(update, b"m", str(len(value)).encode())
            for key in sorted(value, key=str):
                self._feed(update, str(key))
                self._feed(update, value[key])
        elif isinstance(value, OnDemand) and value.digests:
            self._feed(update, list(value.digests))
        elif isinstance(value, (list, tuple, OnDemand)):  # of the last, one sample at a time is in memory
            _tagged(update, b"l", str(len(value)).encode())
            for item in value:
                self._feed(update, item)
        elif hasattr(value, "tobytes") and hasattr(value, "dtype"):
            _tagged(update, b"a", f"{value.dtype}{value.shape}".encode())
            whole = getattr(value, "flags", None) is not None and value.flags.c_contiguous and value.size
            update(memoryview(value).cast("B") if whole else value.tobytes())  # a large picture is not copied
        elif isinstance(value, Component):
            update(self._remembered(value, self._feed_component))
        elif isinstance(value, Shared):
            update(self._remembered(value.value, self._feed))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            self._feed_fields(update, value)
        else:
            raise TypeError(f"a {type(value).__name__} has no canonical form")


PLACES = ("weights", "model", "checkpoint", "path", "file", "folder", "directory", "data")
"""Last words of the names of settings that may name a folder whose files a component reads."""


def named_files(component: Component) -> dict[str, str]:
    """The digests of the files and folders that settings of a component name, by setting.

    Any text that is the path of a file counts with what the file holds; that of a folder does where the setting is called
    after a place (`weights`, `model`, `path`, ...). Those of a source do not: its samples count. Nor do places to write to.
    """
    if component.kind in ("source", "executor"):
        return {}
    found: dict[str, str] = {}
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, (str, os.PathLike)) and (digest := _named(field.name, os.fspath(item))):
                found[field.name] = found.get(field.name, "") + digest
    return found


def _named(setting: str, text: Any) -> str:
    """The digest of what a setting names, or "" if it names no place that is read."""
    if not isinstance(text, str) or not text.strip("./~ ") or len(text) > 4096 or "\0" in text or "\n" in text:
        return ""
    place = os.path.expanduser(text)
    if os.path.isfile(place) or setting.rpartition("_")[2].removesuffix("s") in _PLACES and os.path.isdir(place):
        return content.path_digest(place)
    return ""


_PLACES = {name.removesuffix("s") for name in PLACES}


def _tagged(update: Any, tag: bytes, data: bytes) -> None:
    update(tag + struct.pack(">Q", len(data)) + data)
