"""dlib's 68 landmarks and its 128-dimensional identity embedding.

Detector and identity network are free to use; the landmark model was trained on iBUG 300-W, whose
licence allows research only.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from semcore import RunError, extra
from semcore_video.memoize import memoize

LANDMARKS = 68
FIVE = (45, 42, 36, 39, 33)
"""Eye corners and base of the nose among the 68 landmarks, in the order of dlib's 5-point model."""
DETECT_EVERY = 5
"""Frames between two face detections; in between, the box of the nearer one is used if both found a
face."""
CACHED_VIDEOS = 64
"""Number of videos whose landmarks are cached: several metrics use the same videos."""
SMALL = 400
"""Pictures with a shorter side below this, in pixels, are upsampled by two for detection."""
Box = tuple[int, int, int, int]
"""Left, top, right and bottom, pixels."""


@memoize(CACHED_VIDEOS)
def landmarks(frames: np.ndarray) -> np.ndarray:
    """The 68 landmarks of iBUG 300-W in every frame, of the person with the largest face where a
    face is first found.

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
    for points, frame, box in zip(found, frames, _boxes(frames), strict=True):
        if box is not None:
            points[:] = [
                (point.x, point.y) for point in predictor(frame, dlib.rectangle(*box)).parts()
            ]
    return found


@memoize(1024)
def embedding(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Identity embedding of a face, float64 (128,).

    Args:
        picture: uint8 (H, W, 3)
        points: the 68 landmarks of the face, float32 (68, 2), pixels

    Raises:
        RunError: dlib or its models are not installed
    """
    dlib = _dlib()
    five = [dlib.point(round(float(x)), round(float(y))) for x, y in points[list(FIVE)]]
    left, top = np.floor(points.min(0)).astype(int).tolist()
    right, bottom = np.ceil(points.max(0)).astype(int).tolist()
    shape = dlib.full_object_detection(dlib.rectangle(left, top, right, bottom), five)
    return np.array(_network().compute_face_descriptor(np.ascontiguousarray(picture), shape))


def _boxes(frames: np.ndarray) -> list[Box | None]:
    """The box of the face in every frame: detected in every fifth frame, and also in between where
    one of the two neighbouring detections failed."""
    searched: dict[int, Box | None] = {}
    last: Box | None = None

    def search(index: int, near: Box | None) -> Box | None:
        searched[index] = _face(frames[index], near)
        return searched[index]

    regular = [*range(0, len(frames), DETECT_EVERY), len(frames) - 1]
    for index in regular[: len(frames)]:  # none if there are no frames
        last = search(index, last) or last
    for index in range(len(frames)):
        before = index // DETECT_EVERY * DETECT_EVERY
        after = min(before + DETECT_EVERY, len(frames) - 1)
        if index not in searched and (searched[before] is None or searched[after] is None):
            search(index, searched[before] or searched[after] or last)
    searched_frames = sorted(searched)
    return [
        searched[min(searched_frames, key=lambda frame: (abs(frame - index), frame))]
        for index in range(len(frames))
    ]


def _face(picture: np.ndarray, near: Box | None) -> Box | None:
    """The box of the largest face, or, if `near` is given, of the one with the largest overlap with
    it."""
    found = _detector()(np.ascontiguousarray(picture), int(min(picture.shape[:2]) < SMALL))
    boxes = [(box.left(), box.top(), box.right(), box.bottom()) for box in found]
    if near is not None:
        boxes = [box for box in boxes if _shared(box, near) > 0]
        return max(boxes, key=lambda box: _shared(box, near), default=None)
    return max(boxes, key=lambda box: _shared(box, box), default=None)


def _shared(first: Box, second: Box) -> int:
    """Area of the intersection of two boxes, pixels."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0) * max(height, 0)


@functools.cache
def _detector() -> Any:
    return _dlib().get_frontal_face_detector()


@functools.cache
def _predictor(name: str) -> Any:
    return _dlib().shape_predictor(str(_models() / name))


@functools.cache
def _network() -> Any:
    return _dlib().face_recognition_model_v1(
        str(_models() / "dlib_face_recognition_resnet_model_v1.dat")
    )


def _dlib() -> Any:
    with extra("semcore-video[face]", "face metrics need dlib"):
        import dlib
    return dlib


def _models() -> Path:
    """The folder of dlib's models. Importing their package needs an old setuptools, so it is only
    located."""
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        raise RunError("face metrics need dlib's models: pip install 'semcore-video[face]'")
    return Path(found.submodule_search_locations[0]) / "models"
