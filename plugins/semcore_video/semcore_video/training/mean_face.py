"""Recipe of the mean face: the common component of dlib's embeddings."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from safetensors.numpy import save_file

from semcore import ComponentError, Recipe
from semcore.training import command_of
from semcore_video.face.dlib_faces import embedding
from semcore_video.face.identity import similarity
from semcore_video.face.landmarks import landmarks
from semcore_video.sources.clips import Clips
from semcore_video.training.data import data_summary

FRAMES = 5
"""Frames per person, spread over the video."""


@dataclass(frozen=True)
class MeanFaceRecipe(Recipe):
    """Computes the mean of dlib's embeddings over several people, one per video.

    Fields:
        data: folder of videos, for example of the GRID corpus
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "king2009dlib", "lugaresi2019mediapipe")

    data: str

    def train(self, out: Path) -> None:
        """Write model.safetensors, config.json and the card into `out`.

        Raises:
            ComponentError: there are faces of fewer than three people
        """
        people = []
        for sample in Clips(self.data).samples():
            assert sample.video is not None
            chosen = sample.video[np.linspace(0, len(sample.video) - 1, FRAMES).round().astype(int)]
            points = landmarks(chosen, "mediapipe")
            embeddings = [
                embedding(*pair)
                for pair in zip(chosen, points, strict=True)
                if np.isfinite(pair[1]).all()
            ]
            if embeddings:
                people.append(np.stack(embeddings))
        if len(people) < 3:
            raise ComponentError(
                f"MeanFaceRecipe.data: faces of at least three people are needed, not {len(people)}"
            )
        mean = np.mean([person.mean(0) for person in people], axis=0)
        out.mkdir(parents=True, exist_ok=True)
        save_file({"mean": mean.astype(np.float32)}, out / "model.safetensors")
        (out / "config.json").write_text(json.dumps({"numbers": len(mean)}, indent=2) + "\n")
        numbers: dict[str, float] = {}
        for name, centre in (("raw", 0 * mean), ("centred", mean)):
            same = [
                similarity(a - centre, b - centre)
                for person in people
                for a, b in itertools.combinations(person, 2)
            ]
            others = [
                similarity(a[0] - centre, b[0] - centre)
                for a, b in itertools.combinations(people, 2)
            ]
            numbers |= {
                f"{name}_same": min(same),
                f"{name}_others": float(np.mean(others)),
                f"{name}_most": max(others),
            }
        (out / "README.md").write_text(
            CARD.format(
                command=command_of(self),
                data=data_summary(self.data),
                people=len(people),
                frames=FRAMES,
                **numbers,
            )
        )


CARD = """# mean-face

The mean of dlib's 128-number embeddings of {people} people, {frames} frames each.

## Training

```
{command}
```

Computed from {data};
the weights contain no picture of them.

## Measured

| cosine similarity | same person, minimum | others, mean | others, maximum |
|---|---|---|---|
| raw | {raw_same:.3f} | {raw_others:.3f} | {raw_most:.3f} |
| mean face subtracted | {centred_same:.3f} | {centred_others:.3f} | {centred_most:.3f} |
"""
