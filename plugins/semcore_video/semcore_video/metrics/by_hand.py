"""Comparison of face detectors with manually annotated lips: `python -m
semcore_video.metrics.by_hand DATA`.

`lips_by_hand.csv` has the inner edges of the lips at the centre of the mouth in 100 frames: seven
clips of the GRID corpus and two talking heads, eleven or twelve frames each, spread evenly over the
speech, closed mouths included. They were annotated to half a pixel on crops enlarged 4 (talking
heads) to 10 times, without knowledge of the detectors' results.
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

from semcore import ComponentError
from semcore_video.face.landmarks import Detector, correlation, landmarks, lips_apart

TABLE = Path(__file__).with_name("lips_by_hand.csv")


@dataclass(frozen=True)
class Mark:
    """Annotation of a frame.

    Fields:
        clip: file, relative to the folder of the data
        frame: its index in the clip, from 0
        opening_px: distance of the inner lips at the centre of the mouth, pixels of the clip
    """

    clip: str
    frame: int
    opening_px: float


@dataclass(frozen=True)
class Agreement:
    """Agreement of a detector with the annotations.

    Fields:
        found: frames in which it found the face
        of: annotated frames
        correlation: of its openings with the annotated ones, mean over the clips
        least: smallest correlation of a clip
        error_px: mean absolute difference of the openings, pixels
    """

    found: int
    of: int
    correlation: float
    least: float
    error_px: float


def marks() -> list[Mark]:
    """The annotations."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [
            Mark(row["clip"], int(row["frame"]), float(row["lower_px"]) - float(row["upper_px"]))
            for row in csv.DictReader(lines)
        ]


def agreement(detector: Detector, data: Path) -> Agreement:
    """Compare a detector with the annotated frames of the clips under `data`.

    Raises:
        ComponentError: a clip is missing
    """
    by_clip: dict[str, list[Mark]] = defaultdict(list)
    for mark in marks():
        by_clip[mark.clip].append(mark)
    correlations, errors, count = [], [], 0
    for clip, marks_of_clip in by_clip.items():
        frames = [mark.frame for mark in marks_of_clip]
        openings = lips_apart(landmarks(_frames(data / clip), detector))[frames]
        marked = np.array([mark.opening_px for mark in marks_of_clip])
        with_face = np.isfinite(openings)
        count += int(with_face.sum())
        correlations.append(correlation(openings[with_face], marked[with_face]))
        errors += list(np.abs(openings - marked)[with_face])
    total = sum(map(len, by_clip.values()))
    return Agreement(
        count, total, float(np.mean(correlations)), min(correlations), float(np.mean(errors))
    )


def _frames(place: Path) -> np.ndarray:
    from semcore_video.media.pyav import av

    if not place.is_file():
        raise ComponentError(f"there is no {place}; give the folder with the clips of {TABLE.name}")
    with av.open(str(place)) as opened:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)])


def main(arguments: Sequence[str]) -> None:
    """Print the agreement of each detector."""
    data = Path(arguments[0]) if len(arguments) == 1 else sys.exit(__doc__)
    print("detector    frames     correlation (least)   error")
    for detector in get_args(Detector):
        result = agreement(detector, data)
        correlations = f"{result.correlation:.3f} ({result.least:.3f})"
        found = f"{result.found:3d} of {result.of}"
        print(f"{detector:<10}  {found}  {correlations:<19} {result.error_px:.2f} px")


if __name__ == "__main__":
    main(sys.argv[1:])
