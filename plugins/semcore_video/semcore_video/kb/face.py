"""Knowledge base of face pictures, updated when person, appearance, pose or expression change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from semcore import Features, Sample, Stream
from semcore_video.face.dlib_faces import embedding
from semcore_video.face.encoder import MOUTHS
from semcore_video.face.identity import mean_face, similarity
from semcore_video.face.landmarks import landmarks
from semcore_video.face.motion import POSE, UNITS, basis
from semcore_video.face.mouths import NUMBERS, mouths_of
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import Tracking, followed, has_face, track
from semcore_video.kb.policies import ReferenceKB, psnr_db
from semcore_video.licences import DLIB, MEDIAPIPE
from semcore_video.paper import PAPER


@dataclass(frozen=True)
class FaceKB(Tracking, ReferenceKB):
    """Sends a picture of a face if the newest reference is no longer adequate, by the criteria of a
    level.

    `l0` tests whether it is the same person (centred cosine similarity of dlib's embeddings, eq.
    24), `l1` also whether the picture is similar (PSNR, eq. 25), `l2` also whether pose or
    expression have changed (eq. 26). `forced` sends a picture with every segment.

    Two points differ from the paper. The picture is not the first frame of the segment but a good
    one: eyes open, mouth closed, median pose; with closed eyes in the reference, rendered eyes
    would stay closed. And it is compared with the newest reference, which generators use, not with
    the most similar one.

    With `mouths`, each picture is sent with an atlas, the stream `mouths`: the inside of the mouth
    at several openings in the segment. Without it, open mouths are dark inside.

    Fields:
        level: criteria for the newest reference
        similarity: minimum similarity of identity, -1..1; different people are near 0
        threshold_db: minimum PSNR, dB
        rotation_deg: angle between the head poses above which a picture is sent, degrees
        translation: distance between the heads above which a picture is sent, face heights
        expression: norm of the difference of the expressions above which a picture is sent,
            standard deviations
        mouths: number of mouths sent with a picture, from slightly to widely open
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE, DLIB)
    reference: ClassVar[str] = f"{PAPER}, section III-D, equations 24 to 26"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "lugaresi2019mediapipe", "king2009dlib")
    test_settings = ({}, {"level": "forced"}, {"mouths": 3})

    level: Literal["l0", "l1", "l2", "forced"] = "l2"
    similarity: Annotated[float, Ge(-1), Le(1)] = 0.45
    threshold_db: Annotated[float, Ge(0)] = 20.0
    rotation_deg: Annotated[float, Ge(0)] = 10.0
    translation: Annotated[float, Ge(0)] = 0.2
    expression: Annotated[float, Ge(0)] = 6.0
    mouths: Annotated[int, Ge(0), Le(16)] = 0

    def libraries(self) -> Mapping[str, str]:
        return {"mediapipe": "semcore-video[face]", "dlib": "semcore-video[face]"}

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        reference = super().streams
        return {**reference, MOUTHS: Features} if self.mouths else reference

    def update_streams(self, sample: Sample, pixels: np.ndarray) -> dict[str, Stream]:
        found = super().update_streams(sample, pixels)
        if self.mouths and (sample.video is None or not len(sample.video)):
            found[MOUTHS] = Features(np.zeros((self.mouths, NUMBERS), np.float32))
        elif self.mouths and sample.video is not None:
            found[MOUTHS] = Features(mouths_of(sample.video, followed(sample.video), self.mouths))
        return found

    def needed(self, pixels: np.ndarray, held: Sequence[np.ndarray]) -> bool:
        if self.level == "forced" or not held:
            return True
        tests = {"l0": self._another_person, "l1": self._looks_different, "l2": self._has_moved}
        applied = list(tests)[: list(tests).index(self.level) + 1]
        return any(tests[level](pixels, held[-1]) for level in applied)

    def _another_person(self, pixels: np.ndarray, newest: np.ndarray) -> bool:
        found = likeness(pixels, newest)
        return found is not None and found < self.similarity

    def _looks_different(self, pixels: np.ndarray, newest: np.ndarray) -> bool:
        return psnr_db(pixels, newest) < self.threshold_db

    def _has_moved(self, pixels: np.ndarray, newest: np.ndarray) -> bool:
        moved = movement(pixels, newest)
        if moved is None:
            return False
        return (
            moved.rotation_deg > self.rotation_deg
            or moved.translation > self.translation
            or moved.expression > self.expression
        )

    def picture(self, sample: Sample) -> np.ndarray | None:
        if sample.video is None or not len(sample.video):
            return super().picture(sample)
        points = followed(sample.video)
        if not has_face(points).any():
            return super().picture(sample)
        return self._sized(sample.video[best_reference(points)])


def likeness(pixels: np.ndarray, newest: np.ndarray) -> float | None:
    """Similarity of identity of two pictures: centred cosine similarity, -1..1 (eq. 24).

    None if the first picture shows no face, since no other person has appeared; -1 if only the
    second shows none.
    """
    landmarks_new, landmarks_newest = (
        landmarks(picture[None], "mediapipe")[0] for picture in (pixels, newest)
    )
    if not np.isfinite(landmarks_new).all():
        return None
    if not np.isfinite(landmarks_newest).all():
        return -1.0
    return similarity(
        embedding(pixels, landmarks_new) - mean_face(),
        embedding(newest, landmarks_newest) - mean_face(),
    )


@dataclass(frozen=True)
class Movement:
    """Difference of pose and expression of two faces (eq. 26).

    Fields:
        rotation_deg: angle between the heads, degrees
        translation: distance between the heads, face heights
        expression: norm of the difference of the expressions, standard deviations
    """

    rotation_deg: float
    translation: float
    expression: float


def movement(pixels: np.ndarray, newest: np.ndarray) -> Movement | None:
    """From `newest` to `pixels`; None if `pixels` shows no face, infinite if only `newest` shows
    none."""
    points_new, points_newest = track(pixels[None])[0], track(newest[None])[0]
    if not np.isfinite(points_new).all():
        return None
    if not np.isfinite(points_newest).all():
        return Movement(np.inf, np.inf, np.inf)
    numbers = basis().numbers(points_new[None], points_newest)[0]
    pose = numbers[:POSE] * UNITS
    turned, moved, changed = (
        float(np.linalg.norm(part)) for part in (pose[:3], pose[3:5], numbers[POSE:])
    )
    return Movement(float(np.degrees(turned)), moved, changed)
