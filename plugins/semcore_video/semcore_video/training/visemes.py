"""Recipe of the visemes: ridge regression from phones to expressions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge
from safetensors.numpy import save_file

from semcore import Recipe, Sample
from semcore.training import command_of
from semcore_video.face.mesh import lip_opening
from semcore_video.face.motion import POSE, basis
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import track
from semcore_video.sources.clips import Grid
from semcore_video.speech.align import align
from semcore_video.speech.phones import FRAME_S
from semcore_video.speech.visemes import phone_windows
from semcore_video.training.data import check_enough, data_summary

ClipData = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Data of a clip: phone windows of each frame, motion, and points."""


@dataclass(frozen=True)
class VisemesRecipe(Recipe):
    """Trains the map from phones to facial expressions, on clips of the GRID corpus.

    Fields:
        data: folder of clips of the GRID corpus
        ridge: weight of the ridge penalty
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "huggins2006pocketsphinx")

    data: str
    ridge: Annotated[float, Ge(0)] = 3.0

    def train(self, out: Path) -> None:
        """Write model.safetensors, config.json and the card into `out`.

        Raises:
            ComponentError: fewer than two videos have a face, and sound that their names spell
        """
        found = [_clip_data(sample) for sample in Grid(self.data).samples()]
        clips = [clip for clip in found if clip is not None]
        check_enough(
            self,
            len(clips),
            2,
            "with a face, and with the words that their names spell as GRID's do,",
        )
        table = learn(clips, self.ridge)
        left_out = [
            _agreement(learn([*clips[:at], *clips[at + 1 :]], self.ridge), clip)
            for at, clip in enumerate(clips)
        ]
        out.mkdir(parents=True, exist_ok=True)
        save_file({"table": table.astype(np.float32)}, out / "model.safetensors")
        (out / "config.json").write_text(json.dumps({"ridge": self.ridge}, indent=2) + "\n")
        (out / "README.md").write_text(
            CARD.format(
                command=command_of(self),
                data=data_summary(self.data),
                ridge=self.ridge,
                clips=len(clips),
                frames=sum(len(windows) for windows, _, _ in clips),
                seen=np.mean([_agreement(table, clip) for clip in clips]),
                unseen=np.mean(left_out),
                low=min(left_out),
                high=max(left_out),
            )
        )


def learn(clips: Sequence[ClipData], ridge: float) -> np.ndarray:
    """The ridge regression from phone windows to expressions: (features, 6)."""
    windows = np.concatenate([clip_windows for clip_windows, _, _ in clips]).astype(np.float64)
    moved = np.concatenate(
        [motion[:, POSE:] - np.median(motion[:, POSE:], axis=0) for _, motion, _ in clips]
    )
    penalty = ridge * np.eye(windows.shape[1])
    penalty[0, 0] = 0
    return np.linalg.solve(windows.T @ windows + penalty, windows.T @ moved)


def _clip_data(sample: Sample) -> ClipData | None:
    if sample.video is None or sample.audio is None:
        return None
    phones = align(sample.audio, sample.sample_rate_hz or 0, sample.text or "")
    if phones is None:
        return None
    points = track(sample.video)
    if not np.isfinite(points).all():
        return None
    ends = np.concatenate([[0], np.cumsum([phone.frames for phone in phones])]) * FRAME_S
    windows = phone_windows([phone.name for phone in phones], ends, len(points), sample.fps or 25.0)
    return windows, basis().numbers(points, points[best_reference(points)]), points


def _agreement(table: np.ndarray, clip: ClipData) -> float:
    """Correlation of the lip opening with that predicted by the map."""
    windows, motion, points = clip
    reference = points[best_reference(points)]
    predicted = np.zeros_like(motion)
    predicted[:, POSE:] = windows @ table
    openings = lip_opening(basis().points(predicted, reference))
    return float(np.corrcoef(openings, lip_opening(points))[0, 1])


CARD = """# visemes

A linear map from the phones around a frame, in windows of 70, 150 and 310 ms, to the six
expressions of face-basis.

## Training

```
{command}
```

Settings: ridge = {ridge}. Trained on {frames} frames of {clips} videos of
{data}.

## Measured

| correlation of the opening of the lips with the true one, mean over speakers | value |
|---|---|
| training speakers | {seen:.2f} |
| each speaker with a map trained on the others | {unseen:.2f} ({low:.2f} to {high:.2f}) |
"""
