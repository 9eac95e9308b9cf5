"""Face mesh and person segmentation by MediaPipe."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from semcore.errors import RunError
from semcore.fingerprint.content import fingerprint
from semcore_video.face.mesh import POINTS

_LOCK = threading.Lock()
PEOPLE = 8
"""Most faces of a picture."""
LANDMARKER, SEGMENTER = "SEMCORE_FACE_LANDMARKER", "SEMCORE_SELFIE_SEGMENTER"
"""Environment variables that name models for the tasks of MediaPipe. Its wheels up to 0.10.21 bring
theirs along; newer ones bring none."""
MEND = (
    f"name models of MediaPipe's tasks: face_landmarker.task in {LANDMARKER} and "
    f"selfie_segmenter.tflite in {SEGMENTER} "
    "(ai.google.dev/edge/mediapipe/solutions), or install 'semcore-video[face]'"
)


def named() -> list[list[Any]]:
    """Name and digest of each model that the environment names."""
    places = [
        Path(os.environ[variable]).expanduser()
        for variable in (LANDMARKER, SEGMENTER)
        if variable in os.environ
    ]
    return [[place.name, fingerprint(place)] for place in places]


def faces(picture: np.ndarray) -> list[np.ndarray]:
    """The points of every face that a search of the picture as a whole finds, each float32 (478,
    3), pixels.

    Args:
        picture: uint8 (H, W, 3); faces of less than about a fifth of its shorter side may be missed

    Raises:
        RunError: MediaPipe is not installed, or a model that the environment names is not one of
            478 points
    """
    height, width = picture.shape[:2]
    found = []
    with _LOCK, _quiet():  # one graph a process
        for face in _detector()(np.ascontiguousarray(picture)):
            if len(face) != POINTS:
                raise RunError(
                    f"the model that {LANDMARKER} names finds {len(face)} points and not {POINTS}; "
                    f"{MEND}"
                )
            found.append(
                np.array(
                    [(one.x * width, one.y * height, one.z * width) for one in face], np.float32
                )
            )
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """MediaPipe writes to the standard error what no user can do anything about, and warns of its
    own dependencies."""
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
def _detector() -> Callable[[np.ndarray], Sequence[Any]]:
    """From a picture to the faces in it, each as points with x, y and z in widths and heights of
    the picture."""
    if LANDMARKER in os.environ:
        vision, options = _tasks(LANDMARKER)
        asked = vision.FaceLandmarkerOptions(base_options=options, num_faces=PEOPLE)
        task = vision.FaceLandmarker.create_from_options(asked)
        return lambda pixels: task.detect(_image(pixels)).face_landmarks
    mesh = _solutions().face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=PEOPLE, refine_landmarks=True
    )
    return lambda pixels: [one.landmark for one in mesh.process(pixels).multi_face_landmarks or ()]


def person_mask(picture: np.ndarray) -> np.ndarray:
    """How surely each pixel of uint8 (H, W, 3) is the person: float32 0..1 (H, W)."""
    with _LOCK, _quiet():
        return np.array(_segmenter()(np.ascontiguousarray(picture)), np.float32).reshape(
            picture.shape[:2]
        )


@functools.cache
def _segmenter() -> Callable[[np.ndarray], Any]:
    """From a picture to how surely each pixel is the person, (H, W) or (H, W, 1)."""
    if SEGMENTER in os.environ:
        vision, options = _tasks(SEGMENTER)
        asked = vision.ImageSegmenterOptions(base_options=options, output_confidence_masks=True)
        task = vision.ImageSegmenter.create_from_options(asked)
        return lambda pixels: task.segment(_image(pixels)).confidence_masks[-1].numpy_view()
    selfie = _solutions().selfie_segmentation.SelfieSegmentation(model_selection=0)
    return lambda pixels: selfie.process(pixels).segmentation_mask


def _tasks(variable: str) -> tuple[Any, Any]:
    """The tasks of MediaPipe, and the options that name the model."""
    _mediapipe()
    from mediapipe.tasks.python import vision
    from mediapipe.tasks.python.core.base_options import BaseOptions

    place = Path(os.environ[variable]).expanduser()
    if not place.is_file():
        raise RunError(f"{variable} names {place}, which is no file; {MEND}")
    return vision, BaseOptions(model_asset_path=str(place))


def _image(pixels: np.ndarray) -> Any:
    mediapipe = _mediapipe()
    return mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels)


def _solutions() -> Any:
    mediapipe = _mediapipe()
    if not hasattr(mediapipe, "solutions"):
        raise RunError(f"this MediaPipe ({mediapipe.__version__}) brings no models along: {MEND}")
    return mediapipe.solutions


def _mediapipe() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        import mediapipe
    except ImportError as error:
        raise RunError(
            "faces are found by MediaPipe: pip install 'semcore-video[face]' (Python 3.11 or 3.12)"
        ) from error
    return mediapipe
