"""A pipeline of the components in `bench.py`, run in this process."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semcore.config import configuration
from semcore.plugins.packages import hook_manager
from semcore.runs.executors.processes import Processes
from semcore.runs.runner import Finished, run

SUPPORT = Path(__file__).parent
"""The folder of what tests run."""
BENCH = SUPPORT / "bench.py"
PIPELINE = (SUPPORT / "pipeline.yaml").read_text().replace("./bench.py", str(BENCH))


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


def strict_json(text: str | bytes) -> Any:
    """Parse JSON as the standard has it: no NaN, no Infinity."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)
