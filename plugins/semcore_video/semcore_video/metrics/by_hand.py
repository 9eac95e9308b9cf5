"""Detectors held against lips that were marked by hand: `python -m semcore_video.metrics.by_hand
DATA`.

`lips_by_hand.csv` says where the inner edges of the lips are in the middle of the mouth in 100
frames: seven clips of the GRID corpus and two talking heads, eleven or twelve frames each, spread
evenly over the speech, closed mouths included. They were marked to half a pixel on crops enlarged 4
(talking heads) to 10 times, before any detector was looked at.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from semcore.errors import ComponentError
from semcore_video.face.landmarks import Detector, correlation, landmarks, lips_apart

TABLE = Path(__file__).with_name("lips_by_hand.csv")


@dataclass(frozen=True)
class Mark:
    """What was marked in a frame.

    Fields:
        clip: file, relative to the folder of the data
        frame: its index in the clip, from 0
        opening_px: distance of the inner lips in the middle of the mouth, pixels of the clip
    """

    clip: str
    frame: int
    opening_px: float


@dataclass(frozen=True)
class Agreement:
    """How far a detector agrees with the marks.

    Fields:
        found: frames in which it found the face
        of: frames that were marked
        correlation: of its openings with the marked ones, mean over the clips
        least: the same, of the clip where it is least
        error_px: mean absolute difference of the openings, pixels
    """

    found: int
    of: int
    correlation: float
    least: float
    error_px: float


def marks() -> list[Mark]:
    """The table."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [
            Mark(row["clip"], int(row["frame"]), float(row["lower_px"]) - float(row["upper_px"]))
            for row in csv.DictReader(lines)
        ]


def agreement(detector: Detector, data: Path) -> Agreement:
    """Hold a detector against the marked frames of the clips under `data`.

    Raises:
        ComponentError: a clip is not there
    """
    by_clip: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks():
        by_clip[mark.clip].append(mark)
    correlations, errors, found = [], [], 0
    for clip, those in by_clip.items():
        seen = lips_apart(landmarks(_frames(data / clip), detector))[[mark.frame for mark in those]]
        marked = np.array([mark.opening_px for mark in those])
        there = np.isfinite(seen)
        found += int(there.sum())
        correlations.append(correlation(seen[there], marked[there]))
        errors += list(np.abs(seen - marked)[there])
    total = sum(map(len, by_clip.values()))
    return Agreement(
        found, total, float(np.mean(correlations)), min(correlations), float(np.mean(errors))
    )


def _frames(place: Path) -> np.ndarray:
    import av

    if not place.is_file():
        raise ComponentError(
            f"there is no {place}; give the folder that holds the clips of {TABLE.name}"
        )
    with av.open(str(place)) as opened:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)])


def main(arguments: Sequence[str]) -> None:
    """Print how far each detector agrees."""
    data = Path(arguments[0]) if len(arguments) == 1 else sys.exit(__doc__)
    print("detector    frames     correlation (least)   error")
    for detector in get_args(Detector):
        one = agreement(detector, data)
        agrees = f"{one.correlation:.3f} ({one.least:.3f})"
        print(f"{detector:<10}  {one.found:3d} of {one.of}  {agrees:<19} {one.error_px:.2f} px")


if __name__ == "__main__":
    main(sys.argv[1:])
