"""Where the parts of a face are, by the detector that is asked for: 68 landmarks, and what can be measured on them."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from semcore.metrics.builtin import RecordMetric
from semcore_video.licences import DLIB, DLIB_68, MEDIAPIPE

Detector = Literal["mediapipe", "dlib"]
PACKAGES = {"mediapipe": "mediapipe", "dlib": "dlib-bin"}
UPPER_LIP, LOWER_LIP, BROWS, CHIN = 62, 66, 27, 8
"""Landmarks in the middle of the inner lips, between the brows, and at the chin."""
MOUTH_LEFT, MOUTH_RIGHT = 48, 54


@dataclass(frozen=True)
class Judge(RecordMetric):
    """Faces are found by `detector`; `semcore_video.metrics.by_hand` measures how well it agrees with frames marked by hand.

    Fields:
        detector: finds faces and their 68 landmarks: MediaPipe's face mesh, or dlib, which no component that makes videos uses
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE, DLIB, DLIB_68)
    cites: ClassVar[tuple[str, ...]] = ("lugaresi2019mediapipe", "king2009dlib", "sagonas2016faces")
    version: ClassVar[int] = 2

    detector: Detector = field(default="mediapipe", kw_only=True)

    @property
    def judge(self) -> str:
        """The detector and its version, for the signature."""
        try:
            version = importlib.metadata.version(PACKAGES[self.detector])
        except importlib.metadata.PackageNotFoundError:
            version = "none"
        return f"judge={self.detector}-{version}-68"

    @property
    def signature(self) -> str:
        return f"{type(self).__name__}|{self.version}|{self.judge},{self.method}"

    def identity(self) -> Any:
        """The models that find faces, if the environment names them."""
        from semcore_video.face.tracker import named

        return named() or None

    def landmarks(self, frames: np.ndarray) -> np.ndarray:
        """The 68 landmarks of one person in frames uint8 (T, H, W, 3): float32 (T, 68, 2), pixels, NaN without a face."""
        return landmarks(frames, self.detector)


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
        from semcore_video.face import dlib_faces

        return dlib_faces.landmarks(frames)
    from semcore_video.face.mesh import IBUG
    from semcore_video.face.tracker import followed

    return followed(frames)[:, list(IBUG), :2]


def opening(points: np.ndarray) -> np.ndarray:
    """Distance of the inner lips in heights of the lower face: landmarks (T, 68, 2) -> (T,)."""
    return lips_apart(points) / _height(points)


def lips_apart(points: np.ndarray) -> np.ndarray:
    """Distance of the inner lips in the middle of the mouth, in the unit of the landmarks: (T, 68, 2) -> (T,)."""
    return np.linalg.norm(points[:, UPPER_LIP] - points[:, LOWER_LIP], axis=-1)


def widths(points: np.ndarray) -> np.ndarray:
    """Distance of the corners of the mouth in heights of the lower face: landmarks (T, 68, 2) -> (T,)."""
    return np.linalg.norm(points[:, MOUTH_LEFT] - points[:, MOUTH_RIGHT], axis=-1) / _height(points)


def _height(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, BROWS] - points[:, CHIN], axis=-1)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation, 0 where one of them does not change."""
    one, other = (np.asarray(values, np.float64) for values in (one, other))
    if len(one) < 2 or one.std() < 1e-9 or other.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
