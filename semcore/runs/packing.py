"""The types of semcore as bytes, and back, without pickle."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Mapping
from typing import Any

from semcore import types


def pack(value: Any) -> bytes:
    """Any of the types of `semcore.types`, or a list of them, as bytes (JSON and arrays in one
    `.npz`)."""
    import numpy as np

    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_encode(value, arrays))
    buffer = io.BytesIO()
    np.savez(buffer, json=np.frombuffer(text.encode(), np.uint8), **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(data: bytes) -> Any:
    """What `pack` made.

    Raises:
        ValueError: the bytes are not what `pack` makes
    """
    import numpy as np

    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return _decode(json.loads(stored["json"].tobytes()), stored)
    except (
        Exception
    ) as error:  # zipfile and zlib define exception trees, and so may the types of semcore
        raise ValueError(f"not a stored value: {type(error).__name__}: {error}") from error


def _encode(value: Any, arrays: dict[str, Any]) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [_encode(item, arrays) for item in value]
    if isinstance(value, Mapping):
        return {"$map": [[str(key), _encode(item, arrays)] for key, item in value.items()]}
    if dataclasses.is_dataclass(value) and getattr(types, type(value).__name__, None) is type(
        value
    ):
        held = {
            field.name: _encode(getattr(value, field.name), arrays)
            for field in dataclasses.fields(value)
        }
        return {"$type": type(value).__name__, "fields": held}
    if hasattr(value, "dtype"):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"$array": name}
    raise TypeError(f"a {type(value).__name__} cannot be stored")


def _decode(value: Any, stored: Any) -> Any:
    if isinstance(value, list):
        return tuple(_decode(item, stored) for item in value)
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    if "$array" in value:
        return stored[value["$array"]]
    if "$map" in value:
        return {key: _decode(item, stored) for key, item in value["$map"]}
    cls = vars(types)[value["$type"]]
    if not isinstance(cls, type):
        raise ValueError(f"{value['$type']} is not a type of semcore")
    return cls(**{name: _decode(item, stored) for name, item in value["fields"].items()})
