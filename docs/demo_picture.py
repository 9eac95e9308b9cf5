"""Draw the README's picture: python docs/demo_picture.py runs/demo docs/images/demo.png"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from PIL import Image

from semcore.runs.results import Run, read_run

SNR = "channel.block_snr_db"
SHOWN = ("automobile-01", "ship-01", "horse-01")
COLOURS = {"semantic": "#3b82c4", "conventional": "#c4553b", "conventional-jpeg": "#b08a2e"}


def main(folder: Path, target: Path) -> None:
    """Source and received pictures at a few SNRs, and the curves of two metrics beside them."""
    run = read_run(folder)
    snrs = run.axes[SNR]
    columns = [snrs[index] for index in (0, len(snrs) // 2, len(snrs) // 2 + 1, len(snrs) - 1)]
    figure = plt.figure(figsize=(12.4, 6.6), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.35, 1))
    workflows = ("semantic", "conventional")
    axes = left.subplots(
        len(SHOWN) * 2, 1 + len(columns), gridspec_kw={"hspace": 0.05, "wspace": 0.05}
    )
    for row, sample in enumerate(SHOWN):
        for side, workflow in enumerate(workflows):
            line = axes[2 * row + side]
            for place, snr in enumerate((None, *columns)):
                axis = line[place]
                axis.set_xticks([])
                axis.set_yticks([])
                for spine in axis.spines.values():
                    spine.set_visible(False)
                if row == 0 and side == 0:
                    axis.set_title("sent" if snr is None else f"{snr:g} dB", fontsize=10)
                item = _item(run, workflow, columns[-1] if snr is None else snr, sample)
                name = "source" if snr is None else "result"
                if snr is None and side == 1:
                    axis.text(
                        0.5,
                        0.5,
                        item["sent"].get("picture", "").strip("[]"),
                        ha="center",
                        va="center",
                        fontsize=7,
                        wrap=True,
                    )
                    continue
                axis.imshow(
                    Image.open(folder / "cells" / item["cell"] / item["pictures"][name]),
                    interpolation="nearest",
                )
                if snr is not None and workflow == "semantic":
                    axis.set_xlabel(
                        _short(item["arrived"].get("caption", "(lost)")), fontsize=6, labelpad=1
                    )
            line[0].set_ylabel(workflow, fontsize=8, color=COLOURS[workflow])
    for axis, metric in zip(right.subplots(2, 1, sharex=True), ("ssim", "bleu"), strict=True):
        for workflow, colour in COLOURS.items():
            cells = [cell for cell in run.results if cell["settings"]["workflow"] == workflow]
            points = [cell["metrics"][metric] for cell in cells]
            if not points or any(point["mean"] is None for point in points):
                continue
            axis.plot(
                snrs,
                [point["mean"] for point in points],
                "o-",
                color=colour,
                label=workflow,
                markersize=4,
            )
            bounds = [[point[end] for point in points] for end in ("low", "high")]
            axis.fill_between(snrs, *bounds, color=colour, alpha=0.15, linewidth=0)
        axis.set_ylabel(metric.upper())
        axis.grid(alpha=0.3)
    axis.set_xlabel("SNR of every slot [dB]")
    right.axes[0].legend(fontsize=8)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)


def _item(run: Run, workflow: str, snr: float, sample: str) -> dict[str, Any]:
    for cell in run.results:
        if cell["settings"] == {"workflow": workflow, SNR: snr}:
            return next(
                {**item, "cell": cell["id"]} for item in run.items(cell) if item["sample"] == sample
            )
    raise SystemExit(f"the run has no cell {workflow} at {snr} dB")


def _short(text: str, width: int = 22) -> str:
    """A caption in two short lines, with a dot for every character that cannot be printed."""
    shown = "".join(
        character if character.isascii() and character.isprintable() else "·" for character in text
    )
    return "\n".join(textwrap.wrap(shown, width)[:3]).replace("$", r"\$")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
