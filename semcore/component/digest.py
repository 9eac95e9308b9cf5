"""One digest for settings, samples and everything that flows between stages."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable, Mapping
from typing import Any

from semcore.component.base import Component
from semcore.entrypoints import naming
from semcore.fingerprint import origin
from semcore.fingerprint.named import named_files
from semcore.memo import LRU
from semcore.types.samples import OnDemand


def digest(*parts: Any) -> str:
    """A 32-character digest of plain values, arrays, components and the types of semcore.

    Equal content has an equal digest, on every machine and in any order of keys. That of a
    component covers its registered name, its package and version, its source
    (`semcore.fingerprint.origin`), its settings, the content of files that these name, and
    `identity()`.

    Raises:
        TypeError: a part has no canonical form
    """
    return Digester().digest(*parts)


@dataclasses.dataclass(frozen=True, eq=False)
class Shared:
    """A value that is the same object in many digests; its digest is that of the value."""

    value: Any


KEPT = 4096
"""Number of values whose bytes a `Digester` keeps."""


class Digester:
    """Computes many digests, with each component fed once; files must not change meanwhile."""

    def __init__(self) -> None:
        # Holds the values too, because Python reuses the ids of deleted ones.
        self._known = LRU[tuple[Any, bytes]](KEPT)

    def digest(self, *parts: Any) -> str:
        """As the function `digest`."""
        state = hashlib.blake2b(digest_size=16)
        for part in parts:
            self._feed(state.update, part)
        return state.hexdigest()

    def _bytes(self, value: Any, feed: Callable[[Any, Any], None]) -> bytes:
        """What a value that several digests share feeds into each of them."""

        def fed() -> tuple[Any, bytes]:
            data = bytearray()
            feed(data.extend, value)
            return value, bytes(data)

        return self._known.of(id(value), fed)[1]

    def _feed_component(self, update: Any, component: Component) -> None:
        name = naming.name_of(type(component))
        provider = (*naming.provider(component.kind, name), origin.of(type(component)).digest)
        _tagged(update, b"c", "\x1f".join((component.kind, name, *provider)).encode())
        self._feed(update, _fields(component))
        self._feed(update, named_files(component))
        self._feed(update, component.identity())

    def _feed_fields(self, update: Any, value: Any) -> None:
        _tagged(update, b"d", type(value).__name__.encode())
        self._feed(update, _fields(value))

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
        elif isinstance(value, (list, tuple, OnDemand)):
            _tagged(update, b"l", str(len(value)).encode())
            for item in value:
                self._feed(update, item)
        elif hasattr(value, "tobytes") and hasattr(value, "dtype"):
            _tagged(update, b"a", f"{value.dtype}{value.shape}".encode())
            flags = getattr(value, "flags", None)
            in_place = flags is not None and flags.c_contiguous and value.size  # without a copy
            update(memoryview(value).cast("B") if in_place else value.tobytes())
        elif isinstance(value, Component):
            update(self._bytes(value, self._feed_component))
        elif isinstance(value, Shared):
            update(self._bytes(value.value, self._feed))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            self._feed_fields(update, value)
        else:
            raise TypeError(f"a {type(value).__name__} has no canonical form")


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _tagged(update: Any, tag: bytes, data: bytes) -> None:
    update(tag + struct.pack(">Q", len(data)) + data)
