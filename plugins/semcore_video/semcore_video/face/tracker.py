"""Face points of one person in every frame of a video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from semcore import Component
from semcore_video.face.detector import named_models
from semcore_video.face.follow import Follower
from semcore_video.face.mesh import POINTS
from semcore_video.memoize import memoize

FACE = "face"
"""Name of the tracked object in result rows."""
CACHED_VIDEOS = 64
"""Number of videos whose points are cached: encoder, knowledge base and metrics use the same ones,
again at every SNR."""


@dataclass(frozen=True)
class Tracking(Component):
    """A component that tracks faces, so that its results depend on the face models."""

    def identity(self) -> Any:
        """File names and digests of the models given in the environment; None: those of MediaPipe's
        wheel."""
        return named_models() or None


@memoize(CACHED_VIDEOS)
def followed(frames: np.ndarray) -> np.ndarray:
    """The face points of one person in every frame.

    A frame is searched as a whole; if that does not show the person, around the last position of
    the face; if there is none yet, in parts of the frame, so that a face of a tenth of the frame
    height is found (`follow`). Of several people, the one with a large face near the centre is
    taken. In a frame with one large face the points do not depend on the other frames.

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
    """As `followed`, without gaps: where no face is found, the points of the nearest frame with
    one.

    Returns:
        float32 (T, 478, 3); all NaN if no frame has a face
    """
    points = followed(frames)
    with_points = np.flatnonzero(has_face(points))
    if len(with_points) in (0, len(points)):
        return points
    nearest = with_points[np.abs(with_points[None] - np.arange(len(points))[:, None]).argmin(1)]
    return points[nearest]


def has_face(points: np.ndarray) -> np.ndarray:
    """Frames with a face: points (T, ..., D), NaN if missing -> bool (T,)."""
    return np.isfinite(points.reshape(len(points), -1)).all(1)


def frames_with_face(video: np.ndarray | None) -> dict[str, tuple[int, int]]:
    """The number of frames with a face in a video uint8 (T, H, W, 3), in the form of
    `SemanticEncoder.found`."""
    return {} if video is None else {FACE: (int(has_face(followed(video)).sum()), len(video))}
