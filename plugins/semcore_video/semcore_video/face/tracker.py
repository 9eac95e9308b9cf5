"""Where the face is: MediaPipe's face mesh behind one function."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from semcore.errors import RunError
from semcore_video.face.mesh import POINTS
from semcore_video.remembered import remembered

_LOCK = threading.Lock()
REMEMBERED = 64
"""Videos whose points are kept: encoder, knowledge base and metrics look at the same ones, at every SNR again."""


@remembered(REMEMBERED)
def track(frames: np.ndarray) -> np.ndarray:
    """The face points of every frame; frames are taken one by one, so that a frame's points do not depend on the others.

    Args:
        frames: uint8 (T, H, W, 3)

    Returns:
        x to the right, y down, z away from the camera, in pixels, float32 (T, 478, 3). Where no face is found, the points of
        the nearest frame with one; all NaN if there is none at all

    Raises:
        RunError: MediaPipe is not installed
    """
    with _LOCK:  # one graph a process
        return _filled(_found(frames))


def _found(frames: np.ndarray) -> np.ndarray:
    """The points of every frame, NaN where there is no face."""
    found = np.full((len(frames), POINTS, 3), np.nan, np.float32)
    with _quiet():
        for points, frame in zip(found, frames, strict=True):
            height, width = frame.shape[:2]
            faces = _detector().process(np.ascontiguousarray(frame)).multi_face_landmarks
            if faces:
                points[:] = [(one.x * width, one.y * height, one.z * width) for one in faces[0].landmark]
    return found


def _filled(points: np.ndarray) -> np.ndarray:
    """Points (T, 478, 3) with those of the nearest frame in the place of NaN."""
    there = np.flatnonzero(np.isfinite(points[:, 0, 0]))
    if len(there) in (0, len(points)):
        return points
    nearest = there[np.abs(there[None] - np.arange(len(points))[:, None]).argmin(1)]
    return points[nearest]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """MediaPipe writes to the standard error what no user can do anything about, and warns of its own dependencies."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


@functools.cache
def _detector() -> Any:
    return _solutions().face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)


def person_mask(picture: np.ndarray) -> np.ndarray:
    """How surely each pixel of uint8 (H, W, 3) is the person: float32 0..1 (H, W)."""
    with _LOCK, _quiet():
        return np.asarray(_segmenter().process(np.ascontiguousarray(picture)).segmentation_mask, np.float32)


@functools.cache
def _segmenter() -> Any:
    return _solutions().selfie_segmentation.SelfieSegmentation(model_selection=0)


@functools.cache
def _solutions() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        import mediapipe
    except ImportError as error:
        raise RunError("faces are found by MediaPipe: pip install 'semcore-video[face]' (Python 3.11 or 3.12)") from error
    return mediapipe.solutions
