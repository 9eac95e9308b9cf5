"""68 facial landmarks by MediaPipe or dlib, and measures on them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from semcore_video.face import dlib_faces
from semcore_video.face.mesh import IBUG
from semcore_video.face.tracker import followed

Detector = Literal["mediapipe", "dlib"]
UPPER_LIP, LOWER_LIP, BROWS, CHIN = 62, 66, 27, 8
"""Landmarks at the centre of the inner lips, between the brows, and at the chin."""
MOUTH_LEFT, MOUTH_RIGHT = 48, 54


def landmarks(frames: np.ndarray, detector: Detector) -> np.ndarray:
    """The 68 landmarks of iBUG 300-W of one person in every frame.

    Args:
        frames: uint8 (T, H, W, 3)
        detector: `mediapipe`, the nearest points of its face mesh, or `dlib`

    Returns:
        x to the right, y down, pixels, float32 (T, 68, 2); NaN where no face is found

    Raises:
        RunError: the detector or its models are not installed
    """
    if detector == "dlib":
        return dlib_faces.landmarks(frames)

    return followed(frames)[:, list(IBUG), :2]


def opening(points: np.ndarray) -> np.ndarray:
    """Distance of the inner lips relative to the height of the lower face: landmarks (T, 68, 2) ->
    (T,)."""
    return lips_apart(points) / _height(points)


def lips_apart(points: np.ndarray) -> np.ndarray:
    """Distance of the inner lips at the centre of the mouth, in the unit of the landmarks: (T, 68,
    2) -> (T,)."""
    return np.linalg.norm(points[:, UPPER_LIP] - points[:, LOWER_LIP], axis=-1)


def widths(points: np.ndarray) -> np.ndarray:
    """Distance of the mouth corners relative to the height of the lower face: landmarks (T, 68, 2)
    -> (T,)."""
    return np.linalg.norm(points[:, MOUTH_LEFT] - points[:, MOUTH_RIGHT], axis=-1) / _height(points)


def _height(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, BROWS] - points[:, CHIN], axis=-1)


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Pearson correlation; 0 if one of the two is constant."""
    first, second = (np.asarray(values, np.float64) for values in (first, second))
    if len(first) < 2 or first.std() < 1e-9 or second.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
