"""What the tests of the core share: a pipeline of the components in `bench.py`, run in this process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from semcore.config import experiment
from semcore.plugins import hook_manager
from semcore.run import Finished, run

HERE = Path(__file__).parent

PIPELINE = (HERE / "pipeline.yaml").read_text().replace("./bench.py", str(HERE / "bench.py"))


class Bench:
    """A folder with a pipeline file; `text` is the file, `log` counts what the components were asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = PIPELINE
        self.log = folder / "log"

    @property
    def path(self) -> Path:
        path = self.folder / "pipeline.yaml"
        path.write_text(self.text)
        return path

    def load(self, *overrides: str) -> experiment.Experiment:
        return experiment.load(self.path, overrides)

    def run(self, *overrides: str, out: str = "out", jobs: int = 1, hooks: Sequence[Any] = ()) -> Finished:
        self.log.write_text("")
        manager = hook_manager([])
        for one in hooks:
            manager.register(one)
        return run(self.load(*overrides), self.folder / out, manager, jobs)

    def counts(self) -> Counter[tuple[str, str]]:
        """(stage, sample) -> how often it was asked for in the last run."""
        return Counter(tuple(line.split(maxsplit=1)) for line in self.log.read_text().splitlines())

    def totals(self) -> dict[str, int]:
        """stage -> samples in the last run."""
        return dict(Counter(stage for stage, _ in self.counts().elements()))

    def results(self, out: str = "out") -> dict[str, bytes]:
        """Every file that holds results, byte by byte."""
        root = self.folder / out / "cells"
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A pipeline that runs in milliseconds."""
    made = Bench(tmp_path)
    monkeypatch.setenv("BENCH_LOG", str(made.log))
    monkeypatch.delenv("BENCH_CALM", raising=False)
    return made


def strict_json(text: str | bytes) -> Any:
    """Parse JSON as the standard has it: no NaN, no Infinity."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(name="strict_json")
def _strict_json() -> Callable[[str | bytes], Any]:
    return strict_json


@pytest.fixture
def plain() -> Callable[[str], str]:
    """A text without the colours of a terminal."""
    return lambda text: re.sub(r"\x1b\[[0-9;]*m", "", text)


class Site:
    """A folder of installed packages, and the command line beside them; a package is its metadata and some modules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(folder)}
        self.environment.pop("SEMCORE_PLUGINS", None)

    def install(
        self,
        package: str,
        entry_points: str,
        modules: Mapping[str, str] | None = None,
        metadata: str = "",
        version: str = "1.5",
    ) -> Path:
        """Install a package; returns the folder of its metadata."""
        info = self.folder / f"{package}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n{metadata}")
        (info / "entry_points.txt").write_text(textwrap.dedent(entry_points))
        for name, text in (modules or {}).items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text))
        return info

    def __call__(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call semcore."""
        return subprocess.run(
            [sys.executable, "-m", "semcore", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=self.folder,
            env={**self.environment, **environment},
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder on the path, for packages."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)
