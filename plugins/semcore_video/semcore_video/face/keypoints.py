"""Baseline that sends facial key points: wireless semantic video conferencing (SVC)."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from semcore import (
    ComponentError,
    Features,
    KnowledgeBase,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
)
from semcore_video.face.generator import PortraitGenerator
from semcore_video.face.mesh import face_size
from semcore_video.face.reference import best_reference, newest_picture
from semcore_video.face.tracker import Tracking, frames_with_face, track
from semcore_video.licences import MEDIAPIPE

KEYPOINTS = "keypoints"
"""Name of the stream."""
PLACES = (
    10, 152, 234, 454, 1, 33, 133, 263, 362, 159, 145, 386, 374, 105, 334, 61, 291, 13, 14, 0, 17,
)  # fmt: skip
"""Mesh points that are sent: outline, nose, eye corners and lids, brows, and lips."""
UNIT = 0.01
"""Displacement per number of 1, in face heights."""
SVC = (
    "P. Jiang et al., Wireless semantic communications for video conferencing, IEEE J. Sel. Areas "
    "Commun. 41(1), 2023"
)


@dataclass(frozen=True)
class FaceKeypoints(Tracking, SemanticEncoder):
    """Displacement of 21 facial points from the newest reference picture of the user: 42 numbers
    per frame.

    Points are those of MediaPipe's face mesh. Without a reference, or with no face in it,
    displacements are relative to the best frame of the video itself; without a face in the video
    they are zero.
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE,)
    reference: ClassVar[str] = SVC
    cites: ClassVar[tuple[str, ...]] = ("jiang2023wireless", "lugaresi2019mediapipe")

    def libraries(self) -> Mapping[str, str]:
        return {"mediapipe": "semcore-video[face]"}

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {KEYPOINTS: Features}

    def found(self, sample: Sample) -> Mapping[str, tuple[int, int]]:
        return frames_with_face(sample.video)

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {KEYPOINTS: Features(self._moved(sample, kb))}, sample.user)
            for sample in samples
        ]

    def _moved(self, sample: Sample, kb: KnowledgeBase) -> np.ndarray:
        if sample.video is None:
            raise ComponentError(f"FaceKeypoints encodes videos, and sample {sample.id!r} has none")
        points, picture = track(sample.video), newest_picture(kb, sample.user)
        if not np.isfinite(points).all():
            return np.zeros((len(points), 2 * len(PLACES)), np.float32)
        reference_points = (
            np.full(points.shape[1:], np.nan) if picture is None else track(picture[None])[0]
        )
        if not np.isfinite(reference_points).all():
            reference_points = points[best_reference(points)]
        moved = (
            (points - reference_points)[:, list(PLACES), :2] / face_size(reference_points) / UNIT
        )
        return moved.reshape(len(points), -1).astype(np.float32)


@dataclass(frozen=True)
class KeypointWarp(PortraitGenerator):
    """Warps the reference picture of the user by the displacement of key points, with the warp of
    `mesh-warp`; no weights.

    All other mesh points follow by a thin-plate spline through the key points.
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE,)
    reference: ClassVar[str] = f"{SVC}; a warp in place of its generator"
    cites: ClassVar[tuple[str, ...]] = ("jiang2023wireless", "lugaresi2019mediapipe")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {KEYPOINTS: (Features,)}
    stream: ClassVar[str] = KEYPOINTS
    numbers: ClassVar[int] = 2 * len(PLACES)

    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        size = float(face_size(reference))
        moved = numbers.clip(-60, 60).reshape(len(numbers), -1) * UNIT * size
        shift = np.einsum(
            "pk,tkd->tpd",
            _follows(reference[:, :2].tobytes(), len(reference)),
            moved.reshape(len(moved), -1, 2),
        )
        found = np.repeat(reference[None], len(numbers), axis=0)
        found[:, :, :2] += shift
        return found


@functools.lru_cache(maxsize=16)
def _follows(reference: bytes, count: int) -> np.ndarray:
    """Weights of the key points in the displacement of each mesh point: float64 (points, key
    points)."""
    from scipy.interpolate import RBFInterpolator

    places = np.frombuffer(reference, np.float32).reshape(count, 2).astype(np.float64)
    keys = places[list(PLACES)]
    return RBFInterpolator(keys, np.eye(len(keys)), kernel="thin_plate_spline", smoothing=1.0)(
        places
    )
