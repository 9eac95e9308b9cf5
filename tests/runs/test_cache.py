"""What a stage computed is kept by the digest of its inputs, and by the device."""

from __future__ import annotations

from pathlib import Path

from semcore.runs.cache import Cache
from semcore.tensors import using
from semcore.types import Semantics, Text


def test_values_of_one_device_are_not_those_of_another(tmp_path: Path) -> None:
    cache, key = Cache(tmp_path), "0123456789abcdef"
    here, there = (Semantics("a", {"caption": Text(text)}) for text in ("cpu", "other"))
    cache.put(key, here)
    with using("meta"):
        assert cache.get(key) is None
        cache.put(key, there)
        assert cache.get(key).text("caption") == "other"
    assert cache.get(key).text("caption") == "cpu"
