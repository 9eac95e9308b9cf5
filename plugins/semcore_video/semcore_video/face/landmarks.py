"""68 landmarks of a face, by MediaPipe or dlib, and what can be measured on them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from semcore_video.face import dlib_faces
from semcore_video.face.mesh import IBUG
from semcore_video.face.tracker import followed

Detector = Literal["mediapipe", "dlib"]
UPPER_LIP, LOWER_LIP, BROWS, CHIN = 62, 66, 27, 8
"""Landmarks in the middle of the inner lips, between the brows, and at the chin."""
MOUTH_LEFT, MOUTH_RIGHT = 48, 54


def landmarks(frames: np.ndarray, detector: Detector) -> np.ndarray:
    """The 68 landmarks of iBUG 300-W of one person in every frame.

    Args:
        frames: uint8 (T, H, W, 3)
        detector: who finds them; MediaPipe's are the nearest points of its face mesh

    Returns:
        x to the right, y down, pixels, float32 (T, 68, 2); NaN where no face is found

    Raises:
        RunError: the detector or its models are not installed
    """
    if detector == "dlib":
        return dlib_faces.landmarks(frames)

    return followed(frames)[:, list(IBUG), :2]


def opening(points: np.ndarray) -> np.ndarray:
    """Distance of the inner lips in heights of the lower face: landmarks (T, 68, 2) -> (T,)."""
    return lips_apart(points) / _height(points)


def lips_apart(points: np.ndarray) -> np.ndarray:
    """Distance of the inner lips in the middle of the mouth, in the unit of the landmarks: (T, 68,
    2) -> (T,)."""
    return np.linalg.norm(points[:, UPPER_LIP] - points[:, LOWER_LIP], axis=-1)


def widths(points: np.ndarray) -> np.ndarray:
    """Distance of the corners of the mouth in heights of the lower face: landmarks (T, 68, 2) ->
    (T,)."""
    return np.linalg.norm(points[:, MOUTH_LEFT] - points[:, MOUTH_RIGHT], axis=-1) / _height(points)


def _height(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, BROWS] - points[:, CHIN], axis=-1)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation, 0 where one of them does not change."""
    one, other = (np.asarray(values, np.float64) for values in (one, other))
    if len(one) < 2 or one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
