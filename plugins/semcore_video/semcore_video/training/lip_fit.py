"""Recipe of the metric lip-fit: ridge regression from sound to lips."""

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
from semcore_video.face.landmarks import landmarks
from semcore_video.metrics.lip_fit import audio_features, lip_motion
from semcore_video.metrics.sync import FARTHEST, fit
from semcore_video.sources.clips import Clips
from semcore_video.training.data import check_enough, data_summary

Clip = tuple[np.ndarray, np.ndarray]
"""Audio features of each frame, and lip motion."""
LATE = 5
"""Delay of the sound tested for the card, frames."""


@dataclass(frozen=True)
class LipFitRecipe(Recipe):
    """Trains the regression from sound to lip motion for the metric lip-fit.

    Fields:
        data: folder of videos with sound, for example of the GRID corpus
        ridge: weight of the ridge penalty
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "lugaresi2019mediapipe")

    data: str
    ridge: Annotated[float, Ge(0)] = 100.0

    def train(self, out: Path) -> None:
        """Write model.safetensors, config.json and the card into `out`.

        Raises:
            ComponentError: fewer than two videos have sound and a face in all frames
        """
        clips = []
        for sample in Clips(self.data).samples():
            if sample.video is None or sample.audio is None:
                continue
            if not sample.sample_rate_hz or not sample.fps:
                continue
            lips = lip_motion(landmarks(sample.video, "mediapipe"))
            if np.isfinite(lips).all():
                rate_hz, fps = sample.sample_rate_hz, sample.fps
                clips.append((audio_features(sample.audio, rate_hz, fps, len(lips)), lips))
        check_enough(self, len(clips), 2, "with sound and with a face in all frames")
        out.mkdir(parents=True, exist_ok=True)
        save_file(
            {"regression": learn(clips, self.ridge).astype(np.float32)}, out / "model.safetensors"
        )
        (out / "model.safetensors").chmod(0o644)
        (out / "config.json").write_text(json.dumps({"ridge": self.ridge}, indent=2) + "\n")
        rows = {"true": 0, f"{LATE} frames late": LATE, f"{2 * LATE} frames late": 2 * LATE}
        lines = [_row(self, name, clips, late) for name, late in rows.items()]
        (out / "README.md").write_text(
            CARD.format(
                command=command_of(self),
                data=data_summary(self.data),
                ridge=self.ridge,
                clips=len(clips),
                rows="\n".join(lines),
            )
        )


def learn(clips: Sequence[Clip], ridge: float) -> np.ndarray:
    """The ridge regression: (141, 4)."""
    sound = np.concatenate([audio for audio, _ in clips])
    lips = np.concatenate([lips for _, lips in clips])
    penalty = ridge * np.eye(sound.shape[1])
    penalty[0, 0] = 0
    return np.linalg.solve(sound.T @ sound + penalty, sound.T @ lips)


def _row(recipe: LipFitRecipe, name: str, clips: Sequence[Clip], late: int) -> str:
    """A row of the card: each clip with delayed sound, by the regression of the others."""
    at_lag_0, lags = [], []
    for at, (sound, lips) in enumerate(clips):
        predicted = np.roll(
            sound @ learn([*clips[:at], *clips[at + 1 :]], recipe.ridge), late, axis=0
        )
        found = {lag: fit(lag, lips, predicted) for lag in range(-FARTHEST, FARTHEST + 1)}
        at_lag_0.append(found[0])
        lags.append(max(found, key=lambda lag: found[lag]))
    near = sum(abs(lag - late) <= 1 for lag in lags)
    listed = ", ".join(map(str, lags))
    return f"| {name} | {np.mean(at_lag_0):.2f} | {near} of {len(lags)} | {listed} |"


CARD = """# lip-fit

A linear map from a quarter of a second of a mel spectrogram to opening, width and speed of the
lips, as measured on MediaPipe's landmarks.

## Training

```
{command}
```

Settings: ridge = {ridge}. Trained on {clips} videos of
{data}.

## Measured, each speaker with a map trained on the others

| sound | lip-fit | lag within a frame of the true one | lags found |
|---|---|---|---|
{rows}
"""
