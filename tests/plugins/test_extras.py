"""A library that an extra brings is named with the line that installs it."""

from __future__ import annotations

import sys

import pytest

import semcore
from semcore.entrypoints.discovery import Distribution
from semcore.plugins.extras import incomplete


def test_a_missing_library_is_named_with_its_extra() -> None:
    with pytest.raises(semcore.RunError) as error, semcore.extra("a[b]", "STOI needs no_such"):
        import no_such_library  # noqa: F401
    assert str(error.value) == "STOI needs no_such: pip install 'a[b]'"


def test_a_library_that_lacks_one_of_its_own_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "json.tool", None)
    with pytest.raises(semcore.RunError, match=r"tool: pip install 'a\[b\]'"):
        with semcore.extra("a[b]", "needs json.tool"):
            import json.tool  # noqa: F401
    with pytest.raises(semcore.RunError) as error, semcore.extra("a[b]", "faces need json"):
        raise ImportError("libGL.so.1: cannot open shared object file")
    assert str(error.value) == (
        "faces need json, which cannot be imported (libGL.so.1: cannot open shared object file): "
        "pip install --upgrade 'a[b]'"
    )


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="mine"), semcore.extra("a[b]", "x"):
        raise ValueError("mine")


def test_an_extra_that_is_there_in_part_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"av": "16", "numpy": "2"}
    monkeypatch.setattr("semcore.plugins.extras.version_of", lambda name: installed.get(name, ""))
    requires = (
        "numpy>=1",
        "av>=16; extra == 'face'",
        "dlib-bin; extra == 'face'",
        "mediapipe<0.11; python_version < '3' and extra == 'face'",
        "toy[av]; extra == 'face'",
        "jiwer; extra == 'metrics'",  # none of it is there: nobody asked for it
        "av>=16; extra == 'av'",
        "pytest; extra == 'test'",
        "numpy; extra == 'test'",
    )
    assert incomplete(Distribution("toy", "1", requires)) == [
        "the extra face lacks dlib-bin, mediapipe (not for this Python): pip install 'toy[face]'"
    ]
