"""Face mesh and person segmentation by MediaPipe."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from semcore import RunError, extra, path_digest
from semcore_video.face.mesh import POINTS

_LOCK = threading.Lock()
PEOPLE = 8
"""Maximum number of faces per picture."""
LANDMARKER, SEGMENTER = "SEMCORE_FACE_LANDMARKER", "SEMCORE_SELFIE_SEGMENTER"
"""Environment variables with the paths of model files for MediaPipe's tasks. MediaPipe's wheels up
to 0.10.21 include models; newer ones do not."""
REMEDY = (
    f"set the paths of MediaPipe's models: face_landmarker.task in {LANDMARKER} and "
    f"selfie_segmenter.tflite in {SEGMENTER} (ai.google.dev/edge/mediapipe/solutions), or install "
    "'semcore-video[face]'"
)


def named_models() -> list[list[Any]]:
    """File name and digest of each model given in the environment."""
    places = [
        Path(os.environ[variable]).expanduser()
        for variable in (LANDMARKER, SEGMENTER)
        if variable in os.environ
    ]
    return [[place.name, path_digest(place)] for place in places]


def faces(picture: np.ndarray) -> list[np.ndarray]:
    """The points of all faces found in the picture as a whole, each float32 (478, 3), pixels.

    Args:
        picture: uint8 (H, W, 3); faces smaller than about a fifth of the shorter side may be missed

    Raises:
        RunError: MediaPipe is not installed, or the model given in the environment does not return
            478 points
    """
    height, width = picture.shape[:2]
    found = []
    with _LOCK, _quiet():  # one graph per process
        for face in _detector()(np.ascontiguousarray(picture)):
            if len(face) != POINTS:
                raise RunError(
                    f"the model in {LANDMARKER} returns {len(face)} points, not {POINTS}; {REMEDY}"
                )
            found.append(
                np.array(
                    [(point.x * width, point.y * height, point.z * width) for point in face],
                    np.float32,
                )
            )
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses MediaPipe's messages on standard error and warnings of its dependencies."""
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)


@functools.cache
def _detector() -> Callable[[np.ndarray], Sequence[Any]]:
    """A function from a picture to its faces, each a list of points with x, y and z in units of the
    width and height of the picture."""
    if LANDMARKER in os.environ:
        vision, options = _tasks(LANDMARKER)
        settings = vision.FaceLandmarkerOptions(base_options=options, num_faces=PEOPLE)
        task = vision.FaceLandmarker.create_from_options(settings)
        return lambda pixels: task.detect(_image(pixels)).face_landmarks
    mesh = _face_mesh(_solutions().face_mesh.FaceMesh)(
        static_image_mode=True, max_num_faces=PEOPLE, refine_landmarks=True
    )
    return lambda pixels: [
        face.landmark for face in mesh.process(pixels).multi_face_landmarks or ()
    ]


def _face_mesh(mesh: Any) -> Any:
    """MediaPipe's face mesh for any version of protobuf: MediaPipe sets thresholds of its graph by
    an attribute of descriptors that protobuf 7 no longer has, and such a protobuf comes with
    trackers. The numbers are the same."""
    with extra("semcore-video[face]", "finding faces needs MediaPipe (Python 3.11 or 3.12)"):
        from mediapipe.python.solution_base import CALCULATOR_TO_OPTIONS

    class FaceMesh(mesh):
        def _modify_calculator_options(self, graph: Any, values: Mapping[str, Any]) -> None:
            for path, value in values.items():
                name, _, field = path.partition(".")
                (node,) = (one for one in graph.node if one.name == name)
                kind = CALCULATOR_TO_OPTIONS[node.calculator]
                held = [one for one in node.node_options if one.Is(kind.DESCRIPTOR)]
                if held:
                    options = kind.FromString(held[0].value)
                    setattr(options, field, value)
                    held[0].value = options.SerializeToString()
                else:
                    setattr(node.options.Extensions[kind.ext], field, value)

    return FaceMesh


def person_mask(picture: np.ndarray) -> np.ndarray:
    """Probability that each pixel of uint8 (H, W, 3) belongs to the person: float32 in 0..1 (H,
    W)."""
    with _LOCK, _quiet():
        return np.array(_segmenter()(np.ascontiguousarray(picture)), np.float32).reshape(
            picture.shape[:2]
        )


@functools.cache
def _segmenter() -> Callable[[np.ndarray], Any]:
    """A function from a picture to the probability of the person per pixel, (H, W) or (H, W, 1)."""
    if SEGMENTER in os.environ:
        vision, options = _tasks(SEGMENTER)
        settings = vision.ImageSegmenterOptions(base_options=options, output_confidence_masks=True)
        task = vision.ImageSegmenter.create_from_options(settings)
        return lambda pixels: task.segment(_image(pixels)).confidence_masks[-1].numpy_view()
    selfie = _solutions().selfie_segmentation.SelfieSegmentation(model_selection=0)
    return lambda pixels: selfie.process(pixels).segmentation_mask


def _tasks(variable: str) -> tuple[Any, Any]:
    """MediaPipe's vision tasks, and the options with the model file."""
    _mediapipe()
    with extra("semcore-video[face]", "models for MediaPipe's tasks need MediaPipe"):
        from mediapipe.tasks.python import vision
        from mediapipe.tasks.python.core.base_options import BaseOptions

    place = Path(os.environ[variable]).expanduser()
    if not place.is_file():
        raise RunError(f"{variable} is {place}, which is not a file; {REMEDY}")
    return vision, BaseOptions(model_asset_path=str(place))


def _image(pixels: np.ndarray) -> Any:
    mediapipe = _mediapipe()
    return mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels)


def _solutions() -> Any:
    mediapipe = _mediapipe()
    if not hasattr(mediapipe, "solutions"):
        raise RunError(f"this MediaPipe ({mediapipe.__version__}) includes no models: {REMEDY}")
    return mediapipe.solutions


def _mediapipe() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "2")
    with extra("semcore-video[face]", "finding faces needs MediaPipe (Python 3.11 or 3.12)"):
        import mediapipe
    _classes_by_descriptor()
    return mediapipe


@functools.cache
def _classes_by_descriptor() -> None:
    """Lets MediaPipe find classes of messages with any version of protobuf: from version 5 on, a
    function of the message factory has replaced the method of the symbol database that it calls."""
    with contextlib.suppress(ImportError):  # newer versions of MediaPipe have no such module
        from mediapipe.python import packet_getter

        names = packet_getter.symbol_database
        database = names.Default()
        if not hasattr(database, "GetPrototype"):
            find = names.message_factory.GetMessageClass
            found = SimpleNamespace(pool=database.pool, GetPrototype=find)
            packet_getter.symbol_database = SimpleNamespace(Default=lambda: found)
