"""Files are whole or not there, and what is stored comes back as it was."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from semcore.component.digest import digest
from semcore.runs.packing import pack, unpack
from semcore.storage import write, write_json
from semcore.testing.model_files import Trap
from semcore.types import (
    Bitstream,
    Candidates,
    Features,
    KnowledgeBase,
    Picture,
    Sample,
    Semantics,
    Text,
    Tokens,
)

PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 4), st.just(3)))
FLOATS = arrays.arrays(
    np.float32, arrays.array_shapes(max_dims=3, max_side=3), elements=st.floats(width=32)
)
STREAMS = st.one_of(
    st.builds(Text, st.text()),
    st.builds(Bitstream, st.binary()),
    st.builds(Picture, PICTURES),
    st.builds(Features, FLOATS),
    st.builds(
        lambda values: Tokens(values, 9),
        arrays.arrays(np.int64, st.integers(0, 5), elements=st.integers(0, 8)),
    ),
)
SEMANTICS = st.builds(
    Semantics, st.text(), st.dictionaries(st.text(max_size=3), STREAMS, max_size=3), st.text(),
    st.dictionaries(st.text(max_size=3), st.booleans(), max_size=2),
)  # fmt: skip
SAMPLES = st.builds(Sample, st.text(), image=st.none() | PICTURES, text=st.none() | st.text())
VALUES = st.one_of(
    SEMANTICS,
    SAMPLES,
    st.builds(lambda some: Candidates(tuple(some)), st.lists(SAMPLES, min_size=1, max_size=3)),
    st.builds(
        KnowledgeBase,
        st.dictionaries(st.text(max_size=3), st.lists(STREAMS, max_size=2).map(tuple), max_size=2),
    ),
    st.lists(st.none() | st.integers() | st.booleans() | st.text() | st.binary(), max_size=3).map(
        tuple
    ),
)


@settings(max_examples=60)
@given(VALUES)
def test_what_is_packed_comes_back(value: Any) -> None:
    back = unpack(pack(value))
    assert type(back) is type(value) and digest(back) == digest(value)
    assert pack(back) == pack(value)


def test_text_that_is_not_unicode_comes_back() -> None:
    assert unpack(pack(Text("\udcff"))).value == "\udcff"


@settings(max_examples=60)
@given(SEMANTICS, st.data())
def test_damaged_bytes_are_refused(value: Semantics, data: st.DataObject) -> None:
    """Cut anywhere: refused. A flipped byte: refused, or harmless."""
    stored = pack(value)
    with pytest.raises(ValueError, match="not a stored value"):
        unpack(stored[: data.draw(st.integers(0, len(stored) - 1))])
    at = data.draw(st.integers(0, len(stored) - 1))
    flipped = stored[:at] + bytes([stored[at] ^ data.draw(st.integers(1, 255))]) + stored[at + 1 :]
    try:
        assert digest(unpack(flipped)) == digest(value)
    except ValueError:
        pass


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a stored value"):
        unpack(data)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "trap.npz", json=np.array([Trap(tmp_path / "sprung")], dtype=object))
    with pytest.raises(ValueError, match="not a stored value"):
        unpack((tmp_path / "trap.npz").read_bytes())
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "name", ["split", "STREAM_TYPES", "samples", "__loader__", "__builtins__", "Trap", ""]
)
def test_no_type_but_ours_is_made(name: str) -> None:
    text = json.dumps({"$type": name, "fields": {"total": 3, "weights": [1]}})
    buffer = io.BytesIO()
    np.savez(buffer, json=np.frombuffer(text.encode(), np.uint8))
    with pytest.raises(ValueError, match="not a stored value"):
        unpack(buffer.getvalue())


def test_what_has_no_form_is_not_stored() -> None:
    with pytest.raises(TypeError, match="a object cannot be stored|object"):
        pack(object())


@pytest.mark.parametrize("durable", [True, False])
def test_a_failed_write_leaves_what_was_there(
    durable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a" / "file"
    write(path, b"old", durable)

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space") as caught:
        write(path, b"new", durable)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old" and [p.name for p in path.parent.iterdir()] == ["file"]
    monkeypatch.undo()
    write(path, b"new", durable)
    assert path.read_bytes() == b"new" and [p.name for p in path.parent.iterdir()] == ["file"]


def test_json_is_strict_and_keeps_its_order(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == json.dumps(
        {"b": 1, "a": "é"}, indent=1, ensure_ascii=False
    ) + "\n"
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", float("nan"))
    assert not (tmp_path / "b.json").exists()
