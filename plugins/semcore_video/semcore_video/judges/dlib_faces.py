"""Faces as dlib sees them: 68 landmarks, and 128 numbers that say whose face it is.

Detector and identity network are free to use; the landmark model was trained on iBUG 300-W, which is for research alone.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from semcore.errors import RunError
from semcore_video.remembered import remembered

LANDMARKS = 68
DETECT_EVERY = 5
"""Frames from one search for the face to the next; in between it is looked for where the nearest search found it."""
REMEMBERED = 64
"""Videos whose landmarks are kept: several metrics look at the same ones."""
SMALL = 400
"""Pictures with a shorter side are searched at twice their size."""


@remembered(REMEMBERED)
def landmarks(frames: np.ndarray) -> np.ndarray:
    """The 68 landmarks of iBUG 300-W in every frame.

    Args:
        frames: uint8 (T, H, W, 3)

    Returns:
        x to the right, y down, pixels, float32 (T, 68, 2); NaN where no face is found

    Raises:
        RunError: dlib or its models are not installed
    """
    frames = np.ascontiguousarray(frames)
    dlib, predictor = _dlib(), _predictor("shape_predictor_68_face_landmarks.dat")
    found = np.full((len(frames), LANDMARKS, 2), np.nan, np.float32)
    searched = {index: _face(frames[index]) for index in range(0, len(frames), DETECT_EVERY)}
    for index, frame in enumerate(frames):
        nearest = min(round(index / DETECT_EVERY) * DETECT_EVERY, max(searched))
        if (box := searched[nearest]) is not None:
            parts = predictor(frame, dlib.rectangle(*box)).parts()
            found[index] = [(one.x, one.y) for one in parts]
    return found


@remembered(1024)
def embedding(picture: np.ndarray) -> np.ndarray | None:
    """Whose face it is in a picture uint8 (H, W, 3): float64 (128,); None without a face.

    Raises:
        RunError: dlib or its models are not installed
    """
    picture = np.ascontiguousarray(picture)
    box = _face(picture)
    if box is None:
        return None
    dlib = _dlib()
    seen = _predictor("shape_predictor_5_face_landmarks.dat")(picture, dlib.rectangle(*box))
    return np.array(_network().compute_face_descriptor(picture, seen))


def _face(picture: np.ndarray) -> tuple[int, int, int, int] | None:
    """The largest face: left, top, right and bottom."""
    found = _detector()(np.ascontiguousarray(picture), int(min(picture.shape[:2]) < SMALL))
    if not found:
        return None
    box = max(found, key=lambda one: one.area())
    return box.left(), box.top(), box.right(), box.bottom()


@functools.cache
def _detector() -> Any:
    return _dlib().get_frontal_face_detector()


@functools.cache
def _predictor(name: str) -> Any:
    return _dlib().shape_predictor(str(_models() / name))


@functools.cache
def _network() -> Any:
    return _dlib().face_recognition_model_v1(str(_models() / "dlib_face_recognition_resnet_model_v1.dat"))


def _dlib() -> Any:
    try:
        import dlib
    except ImportError as error:
        raise RunError("faces are judged by dlib: pip install 'semcore-video[face]'") from error
    return dlib


def _models() -> Path:
    """The folder of dlib's models; their package needs an old setuptools to be imported, so it is only looked up."""
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        raise RunError("faces are judged by dlib's models: pip install 'semcore-video[face]'")
    return Path(found.submodule_search_locations[0]) / "models"
