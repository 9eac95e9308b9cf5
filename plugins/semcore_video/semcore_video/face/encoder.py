"""Encoder of a talking head: motion of the face relative to the shared reference picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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
from semcore_video.face.detector import named_models
from semcore_video.face.motion import NUMBERS, basis
from semcore_video.face.reference import best_reference, newest_picture
from semcore_video.face.tracker import frames_with_face, track
from semcore_video.licences import MEDIAPIPE
from semcore_video.paper import PAPER
from semcore_video.weights import digest

MOTION = "motion"
"""Name of the stream."""
MOUTHS = "mouths"
"""Name of the knowledge-base stream with the mouth atlas."""


@dataclass(frozen=True)
class FaceMotion(SemanticEncoder):
    """Motion of a face as twelve numbers per frame: rotation, translation and scale of the head
    (6), eyelids (1) and expression (5).

    They are fitted, in weak perspective, to the 478 points of MediaPipe's face mesh, relative to
    the newest reference picture of the user in the knowledge base. The shape of the face, which
    carries the identity, is therefore not sent. Without a reference, or with no face in it, they
    are relative to the best frame of the video itself; without a face in the video they are zero.

    Fields:
        basis: folder written by the recipe `face-basis`; null: the shipped one, trained on seven
            speakers
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE,)
    reference: ClassVar[str] = f"{PAPER}, section III-B"
    cites: ClassVar[tuple[str, ...]] = (
        "liu2026semantic",
        "lugaresi2019mediapipe",
        "cooke2006audio",
    )

    basis: str | None = None

    def libraries(self) -> Mapping[str, str]:
        return {"mediapipe": "semcore-video[face]"}

    def identity(self) -> Any:
        """The digest of the basis, and of the face models given in the environment."""
        return [digest("face-basis", self.basis), *named_models()]

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {MOTION: Features}

    def found(self, sample: Sample) -> Mapping[str, tuple[int, int]]:
        return frames_with_face(sample.video)

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [Semantics(sample.id, self._streams(sample, kb), sample.user) for sample in samples]

    def _streams(self, sample: Sample, kb: KnowledgeBase) -> dict[str, Stream]:
        if sample.video is None:
            raise ComponentError(f"FaceMotion encodes videos, and sample {sample.id!r} has none")
        points, picture = track(sample.video), newest_picture(kb, sample.user)
        if not np.isfinite(points).all():
            return {MOTION: Features(np.zeros((len(points), NUMBERS), np.float32))}
        reference_points = (
            np.full(points.shape[1:], np.nan) if picture is None else track(picture[None])[0]
        )
        if not np.isfinite(reference_points).all():
            reference_points = points[best_reference(points)]
        return {MOTION: Features(basis(self.basis).numbers(points, reference_points))}
