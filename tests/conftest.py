"""Fixtures of the core's tests."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from .support import reader
from .support.installed import Site
from .support.pipelines import Bench, strict_json
from .support.places import check_places
from .support.written_runs import write_run


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A pipeline that runs in milliseconds."""
    made = Bench(tmp_path)
    monkeypatch.setenv("BENCH_LOG", str(made.log))
    monkeypatch.delenv("BENCH_CALM", raising=False)
    return made


@pytest.fixture(name="strict_json")
def _strict_json() -> Callable[[str | bytes], Any]:
    return strict_json


@pytest.fixture
def plain() -> Callable[[str], str]:
    """A text without the colours of a terminal."""
    return lambda text: re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture(name="check_places")
def _check_places() -> Callable[..., None]:
    return check_places


@pytest.fixture(name="write_run")
def _write_run(tmp_path: Path) -> Callable[..., Path]:
    def make(cells: Sequence[dict[str, Any]], name: str = "run") -> Path:
        return write_run(tmp_path / name, cells, name)

    return make


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder on the path, for packages."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)


@pytest.fixture
def blocks() -> Callable[[Path], list[tuple[str, str, str]]]:
    """The blocks of a page."""
    return reader.blocks


@pytest.fixture
def follow() -> Callable[..., None]:
    """Does what a page tells its reader."""
    return reader.follow


@pytest.fixture
def fresh(tmp_path: Path) -> dict[str, str]:
    """The environment of a reader who has just installed semcore."""
    return reader.fresh_environment(tmp_path / "venv")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
