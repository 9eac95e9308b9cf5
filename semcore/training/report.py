"""What a training reports: a line per epoch, the validation curve, hooks.

All of it is here: `report_epoch` is called once per epoch, wherever the loop is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semcore.storage import write
from semcore.training.watch import on_epoch
from semcore.wording.numbers import number

CURVE = "validation.csv"
"""One row per epoch: its number, all seconds so far, loss and validation."""
PLOT = "validation.png"


def report_epoch(
    out: Path, epochs: int, history: Sequence[Mapping[str, Any]], done_now: int
) -> None:
    """Report the last epoch of a training.

    Args:
        out: folder of the training
        epochs: number of all epochs
        history: a row per epoch so far: `epoch` from 1 on, `seconds` of all so far, and its log
        done_now: epochs of this call, by which the rest is estimated
    """
    last = history[-1]
    names = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(history)
    write(out / CURVE, text.getvalue().encode())
    print(line(epochs, history, done_now), flush=True)
    on_epoch(last["epoch"], epochs, {name: last[name] for name in last if name != "epoch"})


def line(epochs: int, history: Sequence[Mapping[str, Any]], done_now: int) -> str:
    """`epoch 3/30  loss 0.0123  psnr 21.4  (12 s, 5 min to go)`."""
    last = history[-1]
    values = "  ".join(
        f"{name} {number(value)}"
        for name, value in last.items()
        if name not in ("epoch", "seconds")
    )
    first = history[-done_now - 1]["seconds"] if len(history) > done_now else 0.0
    each = (last["seconds"] - first) / max(done_now, 1)
    left = (epochs - last["epoch"]) * each
    to_go = f", {_time(left)} to go" if last["epoch"] < epochs else ""
    return f"epoch {last['epoch']}/{epochs}  {values}  ({_time(each)}{to_go})"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plot(out: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Draw the values of all epochs, one panel each, into the folder of the card."""
    from matplotlib.figure import Figure

    names = [name for name in history[-1] if name not in ("epoch", "seconds")] if history else []
    if not names:
        return
    figure = Figure(figsize=(6, 1.6 * len(names) + 0.6), layout="constrained")
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for panel, name in zip(panels, names, strict=True):
        rows = [row for row in history if name in row]
        panel.plot([row["epoch"] for row in rows], [row[name] for row in rows], marker=".")
        panel.set_ylabel(name)
        panel.grid(alpha=0.3)
    panels[-1].set_xlabel("epoch")
    figure.savefig(out / PLOT, dpi=120)
