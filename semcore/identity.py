"""What makes two things the same: one digest for settings, samples and everything that flows between stages."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Mapping
from typing import Any

from semcore import registry
from semcore.component import Component
from semcore.types.samples import OnDemand


def digest(*parts: Any) -> str:
    """A 32-character digest of plain values, arrays, components and the types of semcore.

    Equal content gives an equal digest whatever the order of keys in a mapping, and on every machine. A component counts
    with its registered name, the version of its package, all its settings, and what else it says its results depend on.

    Raises:
        TypeError: a part has no canonical form
    """
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        _feed(state.update, part)
    return state.hexdigest()


def _feed(update: Any, value: Any) -> None:
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
            _feed(update, str(key))
            _feed(update, value[key])
    elif isinstance(value, OnDemand) and value.digests:
        _feed(update, list(value.digests))
    elif isinstance(value, (list, tuple, OnDemand)):  # of the last, one sample at a time is in memory
        _tagged(update, b"l", str(len(value)).encode())
        for item in value:
            _feed(update, item)
    elif hasattr(value, "tobytes") and hasattr(value, "dtype"):
        _tagged(update, b"a", f"{value.dtype}{value.shape}".encode())
        update(value.tobytes())
    elif isinstance(value, Component):
        name = registry.name_of(type(value))
        _tagged(update, b"c", "\x1f".join((value.kind, name, *registry.provider(value.kind, name))).encode())
        _feed(update, {field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
        _feed(update, value.identity())
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _tagged(update, b"d", type(value).__name__.encode())
        _feed(update, {field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    else:
        raise TypeError(f"a {type(value).__name__} has no canonical form")


def _tagged(update: Any, tag: bytes, data: bytes) -> None:
    update(tag + struct.pack(">Q", len(data)) + data)
