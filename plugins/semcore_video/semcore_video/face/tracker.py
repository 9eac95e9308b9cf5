"""Where faces are: MediaPipe's face mesh behind a few functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semcore.component.base import Component
from semcore_video.face.detector import named
from semcore_video.face.follow import Follower
from semcore_video.face.mesh import POINTS
from semcore_video.memoize import remembered

FACE = "face"
"""What is looked for, as rows call it."""
REMEMBERED = 64
"""Videos whose points are kept: encoder, knowledge base and metrics look at the same ones, at every
SNR again."""


@dataclass(frozen=True)
class Tracking(Component):
    """A component that looks for faces, so that its results depend on whose models find them."""

    def identity(self) -> Any:
        """Names and digests of the models that the environment names; None: those of MediaPipe's
        wheel."""
        return named() or None


@remembered(REMEMBERED)
def followed(frames: np.ndarray) -> np.ndarray:
    """The face points of one person in every frame.

    A frame is searched as a whole; where that does not show the person, about the place where the
    face was last; where there was none yet, in parts of the frame, so that a face of a tenth of its
    height is found (`follow`). Of several people it is the one whose face is large and near the
    middle. The points of a frame with one large face do not depend on the other frames.

    Args:
        frames: uint8 (T, H, W, 3)

    Returns:
        x to the right, y down, z away from the camera, in pixels, float32 (T, 478, 3); NaN where
        the face is not found

    Raises:
        RunError: MediaPipe is not installed
    """
    follower = Follower()
    found = np.full((len(frames), POINTS, 3), np.nan, np.float32)
    for points, frame in zip(found, frames, strict=True):
        face = follower.next(frame)
        if face is not None:
            points[:] = face
    return found


def track(frames: np.ndarray) -> np.ndarray:
    """The same for a renderer, without gaps: where no face is found, the points of the nearest
    frame with one.

    Returns:
        float32 (T, 478, 3); all NaN if no frame has a face
    """
    points = followed(frames)
    there = np.flatnonzero(with_face(points))
    if len(there) in (0, len(points)):
        return points
    nearest = there[np.abs(there[None] - np.arange(len(points))[:, None]).argmin(1)]
    return points[nearest]


def with_face(points: np.ndarray) -> np.ndarray:
    """In which frames a face was found: points (T, ..., D), NaN where there is none -> bool
    (T,)."""
    return np.isfinite(points.reshape(len(points), -1)).all(1)


def frames_with_face(video: np.ndarray | None) -> dict[str, tuple[int, int]]:
    """In how many frames of a video uint8 (T, H, W, 3) the face is, as `SemanticEncoder.found` has
    it."""
    return {} if video is None else {FACE: (int(with_face(followed(video)).sum()), len(video))}
