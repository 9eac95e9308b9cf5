"""The laws of a tracker: it is called as a run and a training call it, in an empty folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semcore.plugins.hook_calls import Around
from semcore.plugins.hookspecs import Tracker
from semcore.plugins.packages import hook_error, hook_manager
from semcore.steps import StageDone, Step
from semcore.testing.law import Given, NotApplicable, require

SETTINGS = {"channel.snr_db": 5.0, "transport": {"use": "ldpc", "rate": "1/2"}}
CONFIG = {"seed": 1, "channel": {"use": "awgn", "snr_db": 5.0}, "metrics": [{"use": "psnr"}]}
"""Of the cell that is tried."""
RESULT = {
    "settings": SETTINGS,
    "config": CONFIG,
    "n": 4,
    "metrics": {
        "psnr": {"mean": 20.5, "low": 19.0, "high": 22.0, "unit": "dB", "better": "higher"},
        "lpips (network=vgg)": {"mean": None, "low": None, "high": None, "unit": "", "better": ""},
    },
    "ledger": [{"stream": "caption", "kind": "data", "channel_uses": 100, "bits": 200}],
    "files": {},
}
"""What `semcore_cell_done` gets: one metric has no value in this cell."""


def use(tracker: Tracker, given: Given) -> Any:
    """Nothing: what a tracker writes lies outside of this process."""


def can_be_called(tracker: Tracker, given: Given) -> None:
    """Its hooks have names and arguments that there are."""
    reason = hook_error(tracker, hook_manager([]))
    require(not reason, f"it {reason}")


def follows_a_run(tracker: Tracker, given: Given) -> None:
    """It raises nothing in a run with a cell that is done and one that failed."""
    with _called(tracker) as (call, folder):
        _run(call, folder)


def follows_two_runs(tracker: Tracker, given: Given) -> None:
    """One after the other, it raises nothing either: a program may do many runs with it."""
    with _called(tracker) as (call, folder):
        for name in ("first", "second"):
            (folder / name).mkdir()
            _run(call, folder / name)


def follows_a_training(tracker: Tracker, given: Given) -> None:
    """It raises nothing in a training that is done, nor in one that fails."""
    with _called(tracker) as (call, folder):
        (folder / "README.md").write_text("# A model\n", encoding="utf-8")
        settings = {"epochs": 2, "channel": CONFIG["channel"], "data": "pictures"}
        for reason in ("", "interrupted"):
            call("semcore_training_started", recipe="mini", settings=settings, folder=folder)
            for epoch in (1, 2):
                values = {"loss": 1.0 / epoch, "psnr_db": 20.0 + epoch, "seconds": 3.0 * epoch}
                call("semcore_epoch_done", folder=folder, epoch=epoch, epochs=2, values=values)
            if reason:
                call("semcore_training_failed", folder=folder, reason=reason)
            else:
                call("semcore_training_done", folder=folder, card=folder / "README.md")


LAWS = (can_be_called, follows_a_run, follows_two_runs, follows_a_training)


# ------------------------------------------------------------------------------------------ helpers


@contextlib.contextmanager
def _called(tracker: Tracker) -> Iterator[tuple[Around, Path]]:
    """What calls its hooks, and a folder, which is the working directory meanwhile."""
    if lacking := tracker.missing():
        raise NotApplicable(lacking)
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="semcore-", ignore_cleanup_errors=True) as name:
        os.chdir(name)
        try:
            call = Around(hook_manager([tracker]))
            yield call, Path(name) / ""
        finally:
            os.chdir(before)
    require(not call.complaints, "; ".join(call.complaints))


def _run(call: Around, folder: Path) -> None:
    report = folder / "report.html"
    report.write_text("<title>A run</title>", encoding="utf-8")
    configuration: Mapping[str, Any] = {**CONFIG, "name": "a run", "sweep": {}}
    call("semcore_run_started", folder=folder, cells=2, pending=2, configuration=configuration)
    for _ in range(2):
        call("semcore_cell_started", settings=SETTINGS, config=CONFIG)
        call("semcore_step", settings=SETTINGS, step=Step("encode", 1, 4))
        call("semcore_stage_done", done=StageDone("encode", 4, 0, 0.5), settings=SETTINGS)
    call("semcore_cell_done", folder=folder, result=RESULT, seconds=1.5)
    call("semcore_cell_failed", settings=SETTINGS, reason="no weights", config=CONFIG)
    call("semcore_run_done", folder=folder, report=report)
