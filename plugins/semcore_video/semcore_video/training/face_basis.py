"""Recipe of the face basis: principal components of non-rigid motion, and one direction for the
eyelids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge
from safetensors.numpy import save_file

from semcore import Recipe
from semcore.training import command_of
from semcore_video.face.mesh import (
    INNER_LIPS,
    IRISES,
    LEFT_EYE,
    OUTER_LIPS,
    POINTS,
    RIGHT_EYE,
    eye_openness,
    face_size,
)
from semcore_video.face.motion import EXPRESSION, Basis, unposed
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import track
from semcore_video.sources.clips import Clips
from semcore_video.training.data import check_enough, data_summary

EYES = (*LEFT_EYE, *RIGHT_EYE, *IRISES)


@dataclass(frozen=True)
class FaceBasisRecipe(Recipe):
    """Trains the six directions in which expressions move the points of a face, on videos of
    speaking people.

    Fields:
        data: folder of videos, for example of the GRID corpus
        lips: weight of the points of the lips
        eyes: weight of the points of the eyes
        leave_out: name of a video excluded from training, for testing; null: none
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "lugaresi2019mediapipe")

    data: str
    lips: Annotated[float, Ge(0)] = 3.0
    eyes: Annotated[float, Ge(0)] = 2.0
    leave_out: str | None = None

    def train(self, out: Path) -> None:
        """Write model.safetensors, config.json and the card into `out`.

        Raises:
            ComponentError: fewer than two videos have a face, or one, where one is left out
        """
        tracked = {
            sample.user: track(sample.video)
            for sample in Clips(self.data).samples()
            if sample.video is not None
        }
        clips = {user: points for user, points in tracked.items() if np.isfinite(points).all()}
        check_enough(self, len(clips.keys() - {self.leave_out}), 2, "in which a face is found")
        training_clips = [points for user, points in clips.items() if user != self.leave_out]
        basis = learn(training_clips, self.lips, self.eyes)
        errors = {user: error_px(basis, points) for user, points in clips.items()}
        left_out_errors = []
        for user, points in clips.items():
            others = [clip for other, clip in clips.items() if other != user]
            left_out_errors.append(error_px(learn(others, self.lips, self.eyes), points))
        out.mkdir(parents=True, exist_ok=True)
        save_file(
            {"directions": basis.directions.astype(np.float16).astype(np.float32)},
            out / "model.safetensors",
        )
        (out / "config.json").write_text(
            json.dumps({"points": POINTS, "expressions": EXPRESSION}, indent=2) + "\n"
        )
        (out / "README.md").write_text(CARD.format(
            command=command_of(self), data=data_summary(self.data),
            lips=self.lips, eyes=self.eyes,
            clips=len(training_clips), frames=sum(map(len, training_clips)),
            seen=np.mean(list(errors.values())), unseen=np.mean(left_out_errors),
            still=np.mean([error_px(None, points) for points in clips.values()]),
        ))  # fmt: skip


def learn(clips: Sequence[np.ndarray], lips: float, eyes: float) -> Basis:
    """The basis of clips of points (T, 478, 3)."""
    weights = np.ones(POINTS)
    weights[[*INNER_LIPS, *OUTER_LIPS]] = lips
    weights[list(EYES)] = eyes
    left, open_eyes = [], []
    for points in clips:
        reference = points[best_reference(points)]
        moved = unposed(points, reference)
        left.append(moved - moved.mean(0))
        openness = eye_openness(points)
        open_eyes.append(openness - openness.mean())
    moved, openness = np.concatenate(left), np.concatenate(open_eyes)
    # Blinks are rare and have little weight in principal components, so the eyelids have a separate
    # direction.
    lids = np.zeros((POINTS, 3))
    slope = np.tensordot(openness, moved, (0, 0)) / np.square(openness).sum()
    lids[list(EYES)] = slope[list(EYES)]
    unit = lids / np.linalg.norm(lids)
    rest = moved - np.tensordot(np.tensordot(moved, unit, 2), unit, 0)
    _, values, rows = np.linalg.svd(
        (rest * weights[:, None]).reshape(len(rest), -1), full_matrices=False
    )
    main = rows[: EXPRESSION - 1].reshape(-1, POINTS, 3) / weights[:, None]
    main *= (values[: EXPRESSION - 1] / np.sqrt(len(rest)))[:, None, None]
    return Basis(np.stack([lids * openness.std(), *main]).astype(np.float32))


def error_px(basis: Basis | None, points: np.ndarray) -> float:
    """Root mean square distance of points from their model with 12 numbers (None: from the still
    reference), pixels for a face height of 120."""
    reference = points[best_reference(points)]
    modelled = (
        reference[None]
        if basis is None
        else basis.points(basis.numbers(points, reference), reference)
    )
    distances = np.square(modelled[..., :2] - points[..., :2]).sum(-1)
    return float(np.sqrt(distances.mean()) / face_size(points).mean() * 120)


CARD = """# face-basis

Six directions in which expressions move the 478 points of MediaPipe's face mesh: the eyelids, and
five principal components.

## Training

```
{command}
```

Settings: lips = {lips}, eyes = {eyes}. Trained on {frames} frames of {clips} videos of
{data}; the weights contain no picture of them.

## Measured

| root mean square distance of all points, pixels at a face 120 pixels high | value |
|---|---|
| still face | {still:.2f} |
| 12 numbers per frame, training speakers | {seen:.2f} |
| 12 numbers per frame, each speaker with a basis trained on the others | {unseen:.2f} |
"""
