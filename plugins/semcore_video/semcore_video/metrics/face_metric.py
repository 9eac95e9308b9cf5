"""Base class of metrics that detect faces."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from semcore.metrics import RecordMetric
from semcore_video.face.detector import named_models
from semcore_video.face.landmarks import Detector, landmarks
from semcore_video.licences import DLIB, DLIB_68, MEDIAPIPE

PACKAGES = {"mediapipe": "mediapipe", "dlib": "dlib-bin"}


@dataclass(frozen=True)
class FaceMetric(RecordMetric):
    """Faces are found by `detector`; `semcore_video.metrics.by_hand` compares both detectors with
    annotated frames.

    Fields:
        detector: finds faces and their 68 landmarks: MediaPipe's face mesh, or dlib, which no
            component that generates videos uses
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE, DLIB, DLIB_68)
    cites: ClassVar[tuple[str, ...]] = ("lugaresi2019mediapipe", "king2009dlib", "sagonas2016faces")
    version: ClassVar[int] = 2

    detector: Detector = field(default="mediapipe", kw_only=True)

    @property
    def detector_label(self) -> str:
        """The detector and its version, for the signature."""
        try:
            version = importlib.metadata.version(PACKAGES[self.detector])
        except importlib.metadata.PackageNotFoundError:
            version = "none"
        return f"judge={self.detector}-{version}-68"

    @property
    def signature(self) -> str:
        return f"{type(self).__name__}|{self.version}|{self.detector_label},{self.method}"

    def libraries(self) -> Mapping[str, str]:
        return {self.detector: "semcore-video[face]"}

    def identity(self) -> Any:
        """The face models given in the environment."""
        return named_models() or None

    def landmarks(self, frames: np.ndarray) -> np.ndarray:
        """The 68 landmarks of one person in frames uint8 (T, H, W, 3): float32 (T, 68, 2), pixels,
        NaN without a face."""
        return landmarks(frames, self.detector)
