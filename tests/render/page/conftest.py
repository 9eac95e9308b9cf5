"""The page of a run of the bench."""

from __future__ import annotations

from typing import Any

import pytest

from semcore.render.page import write_report
from semcore.runs.results import Run, read_run

from ...support.report import Page


@pytest.fixture
def made(bench: Any) -> Any:
    """Run the bench's pipeline with more lines; return the run, its page and the page's source."""

    def make(more: str = "", *overrides: str) -> tuple[Run, Page, str]:
        bench.text += more
        bench.run(*overrides)
        source = write_report(bench.folder / "out").read_text(encoding="utf-8")
        return read_run(bench.folder / "out"), Page(source), source

    return make
