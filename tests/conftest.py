"""Fixtures of the core's tests: a pipeline of the components in `bench.py`, run in-process."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import textwrap
import venv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from semcore import storage
from semcore.config import configuration
from semcore.errors import ConfigError
from semcore.plugins.packages import hook_manager
from semcore.runs.conventions import SNR
from semcore.runs.executors.processes import Processes
from semcore.runs.runner import Finished, run
from semcore.statistics.base import Quotient
from semcore.statistics.kinds import Mean

HERE = Path(__file__).parent / "support"

PIPELINE = (HERE / "pipeline.yaml").read_text().replace("./bench.py", str(HERE / "bench.py"))


class Bench:
    """A folder with a pipeline file (`text`) and a log of the calls to its components."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.text = PIPELINE
        self.log = folder / "log"

    @property
    def path(self) -> Path:
        path = self.folder / "pipeline.yaml"
        path.write_text(self.text)
        return path

    def load(self, *overrides: str) -> configuration.Configuration:
        return configuration.load(self.path, overrides)

    def run(
        self, *overrides: str, out: str = "out", jobs: int = 1, hooks: Sequence[Any] = ()
    ) -> Finished:
        self.log.write_text("")
        manager = hook_manager([])
        for one in hooks:
            manager.register(one)
        executor = Processes(jobs) if jobs > 1 else None
        return run(self.load(*overrides), self.folder / out, manager, executor)

    def counts(self) -> Counter[tuple[str, str]]:
        """(stage, sample) -> how often it was asked for in the last run."""
        return Counter(tuple(line.split(maxsplit=1)) for line in self.log.read_text().splitlines())

    def totals(self) -> dict[str, int]:
        """stage -> samples in the last run."""
        return dict(Counter(stage for stage, _ in self.counts().elements()))

    def results(self, out: str = "out") -> dict[str, bytes]:
        """Every file that holds results, byte by byte."""
        root = self.folder / out / "cells"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }


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


def check_places(error: ConfigError, path: Path, lines: list[str], overrides: list[str]) -> None:
    """Problems stand at real places under a caret, none is repeated, and no Python shows."""
    places = []
    for problem in error.problems:
        text = str(problem)
        assert all(line.isprintable() and len(line) < 1500 for line in text.split("\n")), text
        if problem.where == str(path) or problem.where in overrides:
            continue
        line, column = map(int, problem.where.removeprefix(f"{path}:").split(":"))
        assert problem.source == (lines[line - 1] if line <= len(lines) else "")
        assert 1 <= problem.column == column <= len(problem.source) + 1
        places.append((line, column))
        if problem.source.isascii() and problem.source.strip():
            _, shown, caret = text.split("\n")[:3]
            there = "".join(c if c.isprintable() else " " for c in problem.source[column - 1 :][:5])
            assert shown[caret.index("^") :][:5].rstrip() == there.rstrip()
    assert places == sorted(places)
    assert len({(problem.where, problem.message) for problem in error.problems}) == len(
        error.problems
    )
    assert not re.search(
        r"Traceback|<class|NoneType|\bNone\b|\bdict\b|\btuple\b|Input should|object at 0x",
        str(error),
    )


@pytest.fixture(name="check_places")
def _check_places() -> Callable[..., None]:
    return check_places


def write_run(folder: Path, cells: Sequence[dict[str, Any]], name: str = "run") -> Path:
    """A run on disk, written by hand.

    Each cell has `settings`, `metrics` (name -> value per sample), and what a test changes:
    `config`, `seed`, `snr`, `signature`, `unit`, `better`, `genie`, `packages`, `statistics` (of
    metrics other than means), `cost` (names of metrics), `items` (more fields of the samples' rows)
    and `result`: parts of the file as they are, None for a missing part.
    """
    axes: dict[str, list[Any]] = {}
    listed = []
    for cell in cells:
        identity = hashlib.blake2b(
            json.dumps([name, cell], sort_keys=True, default=repr).encode(), digest_size=10
        ).hexdigest()
        samples = [f"s{i}" for i in range(len(next(iter(cell["metrics"].values()))))]
        summaries, better = {}, cell.get("better", "higher")
        for metric, values in cell["metrics"].items():
            statistic = cell.get("statistics", {}).get(metric, Mean())
            summaries[metric] = {
                **dataclasses.asdict(statistic.of(values)), "unit": cell.get("unit", ""),
                "better": better.get(metric, "higher") if isinstance(better, Mapping) else better,
                "cost": metric in cell.get("cost", ()), "statistic": statistic.described,
                "signature": cell.get("signature", f"{metric.upper()}|1|"),
            }  # fmt: skip
        result = {
            "id": identity, "n": len(samples), "metrics": summaries, "ledger": [], "report": {},
            "segments": [], "conventions": {"snr": cell.get("snr", SNR["snr_db"]), "cbr": "",
                                            "power": ""},
            "genie": cell.get("genie", []), "packages": cell.get("packages", {"semcore": "0.1.0"}),
            "config": {"channel": {"use": "noise"}, **cell.get("config", {}),
                       "seed": cell.get("seed", 1)},
        }  # fmt: skip
        rows = [
            _row(sample, {metric: values[i] for metric, values in cell["metrics"].items()})
            | cell.get("items", [{}] * len(samples))[i]
            for i, sample in enumerate(samples)
        ]
        result |= cell.get("result", {})
        keep(
            folder / "cells" / identity / "result.json",
            {key: one for key, one in result.items() if one is not None},
        )
        items = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "cells" / identity / "items.jsonl").write_text(items)
        listed.append({"id": identity, "settings": cell["settings"]})
        for path, value in cell["settings"].items():
            if value not in axes.setdefault(path, []):
                axes[path].append(value)
    info = {
        "name": name,
        "semcore": "0.1.0",
        "software": {"python": "3.11.7"},
        "axes": axes,
        "cells": listed,
    }
    keep(folder / "run.json", info)
    return folder


def _row(sample: str, values: Mapping[str, float | None]) -> dict[str, Any]:
    return {
        "sample": sample,
        "metrics": {
            name: None if value is None or math.isinf(value) else float(value)
            for name, value in values.items()
        },
        "parts": {
            name: (one.numerator, one.denominator)
            for name, one in values.items()
            if isinstance(one, Quotient)
        },
        "exact": [name for name, value in values.items() if value == math.inf],
        "channel_uses": 100,
    }


def keep(path: Path, value: dict[str, Any]) -> None:
    """Write a mapping as a run does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(storage.sealed(value))


@pytest.fixture(name="write_run")
def _write_run(tmp_path: Path) -> Callable[..., Path]:
    def make(cells: Sequence[dict[str, Any]], name: str = "run") -> Path:
        return write_run(tmp_path / name, cells, name)

    return make


class Site:
    """A folder of installed packages (metadata and modules) and the command line beside it."""

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
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n{metadata}"
        )
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
            timeout=900,
            cwd=self.folder,
            env={**self.environment, **environment},
        )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder on the path, for packages."""
    folder = tmp_path / "site"
    folder.mkdir()
    return Site(folder)


# -------------------------------------------------------------------------- pages, as they are read

BLOCK = re.compile(
    r"(?:Save this as `([\w./-]+)`[^\n]*\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NAMED = re.compile(r"# ([\w./-]+\.(?:py|yaml|toml))\n")


def _blocks(page: Path) -> list[tuple[str, str, str]]:
    """(language, file name or "", text) per block; the line before or the first names a file."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [
        (kind, said or (match[1] if (match := NAMED.match(text)) else ""), text)
        for said, kind, text in found
    ]


def _follow(
    page: Path, folder: Path, environment: Mapping[str, str], leave_out: tuple[str, ...] = ()
) -> None:
    """Do what a page tells its reader, from top to bottom: save its files, call its commands.

    Args:
        leave_out: how commands begin that are not called
    """
    here = folder
    for kind, name, text in _blocks(page):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        commands = (
            [line[2:] for line in text.splitlines() if line.startswith("$ ")]
            if kind == "console"
            else []
        )
        for command in commands:
            if command.startswith(leave_out):
                continue
            if command.startswith("cd "):
                here = here / command[3:]
                continue
            done = subprocess.run(
                shlex.split(command),
                cwd=here,
                env={**environment},
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def blocks() -> Callable[[Path], list[tuple[str, str, str]]]:
    """The blocks of a page."""
    return _blocks


@pytest.fixture
def follow() -> Callable[..., None]:
    """Does what a page tells its reader."""
    return _follow


@pytest.fixture
def fresh(tmp_path: Path) -> dict[str, str]:
    """The environment of a reader with a new virtual environment in which semcore is installed.

    It borrows the packages of this one instead of fetching them, and its pip fetches nothing.
    """
    root = tmp_path / "venv"
    venv.create(root, with_pip=False, symlinks=True)
    library = Path(sysconfig.get_path("stdlib"))
    borrowed = [
        path
        for path in sys.path
        if "site-packages" in path or not Path(path).is_relative_to(library)
    ]
    (site,) = root.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(
        "\n".join(path for path in borrowed if path and Path(path).is_dir())
    )
    programs = {
        "semcore": 'exec "$bin/python" -P -m semcore "$@"',
        "pip": 'verb=$1; shift; exec "$bin/python" -m pip "$verb" --no-build-isolation --no-deps '
        '--no-index "$@"',
    }
    for name, text in programs.items():
        program = root / "bin" / name
        program.write_text(f'#!/bin/sh\nbin="{root}/bin"\n{text}\n')
        program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return {
        name: value
        for name, value in environment.items()
        if name not in ("PYTHONPATH", "SEMCORE_PLUGINS")
    }
