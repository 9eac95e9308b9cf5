"""Generators that warp the reference picture."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semcore import Candidates, Features, Generator, KnowledgeBase, Rng, Sample, Semantics, Stream
from semcore_video.face.detector import named_models
from semcore_video.face.encoder import MOTION
from semcore_video.face.motion import basis
from semcore_video.face.reference import newest_mouths, newest_picture
from semcore_video.face.tracker import Tracking
from semcore_video.face.warp import portrait
from semcore_video.licences import MEDIAPIPE
from semcore_video.resampling import USUAL_FPS, interpolated
from semcore_video.weights import digest


@dataclass(frozen=True)
class PortraitGenerator(Tracking, Generator, abc.ABC):
    """Warps the reference picture of the user according to a stream of numbers; no weights.

    The picture is a mesh of face points, two rings around them that follow the head with decreasing
    weight, and a fixed border. Pixels of the person are blended over a background from which the
    person was removed by inpainting. The space between open lips is filled from the mouth atlas in
    the knowledge base; without an atlas it is dark where the mouth opens beyond that of the
    reference.

    The video has as many frames as the source; the grant states their number. Without the stream
    the face does not move; without a reference there is no video.
    """

    stream: ClassVar[str]
    """The stream that controls the motion, and its number of values per frame."""
    numbers: ClassVar[int]

    def libraries(self) -> Mapping[str, str]:
        return {"mediapipe": "semcore-video[face]", "cv2": "semcore-video[face]"}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(received, kb)]) for received in batch]

    @abc.abstractmethod
    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Moved points of a reference (478, 3): numbers (T, N) -> points float32 (T, 478, 3),
        pixels."""

    def _sample(self, received: Semantics, kb: KnowledgeBase) -> Sample:
        picture = newest_picture(kb, received.user)
        if picture is None:
            return Sample(received.key, received.user)
        motion = received.streams.get(self.stream)
        face = portrait(picture, newest_mouths(kb, received.user))
        usable = (
            isinstance(motion, Features)
            and motion.values.shape[1:] == (self.numbers,)
            and len(motion.values) > 0
        )
        frames, fps = received.extent.pictures(USUAL_FPS)
        if face is None or not isinstance(motion, Features) or not usable:
            return Sample(
                received.key,
                received.user,
                video=np.repeat(picture[None], max(frames, 1), axis=0),
                fps=fps,
            )
        moved = interpolated(np.nan_to_num(motion.values), frames or len(motion.values))
        points = self.points(moved, face.points)
        return Sample(
            received.key,
            received.user,
            video=np.stack([face.moved_to(frame_points) for frame_points in points]),
            fps=fps,
        )


@dataclass(frozen=True)
class MeshWarp(PortraitGenerator):
    """Warps the reference picture of the user by the motion of `face-motion`, point by point of a
    mesh; no weights.

    Fields:
        basis: folder written by the recipe `face-basis`; null: the shipped one; must be that of the
            encoder
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE,)
    reference: ClassVar[str] = (
        "a warp in place of the renderer of section III-C; MediaPipe's face mesh"
    )
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "lugaresi2019mediapipe")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {MOTION: (Features,)}
    stream: ClassVar[str] = MOTION
    numbers: ClassVar[int] = 12

    basis: str | None = None

    def identity(self) -> Any:
        """The digest of the basis, and of the face models given in the environment."""
        return [digest("face-basis", self.basis), *named_models()]

    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        return basis(self.basis).points(numbers.clip(-30, 30), reference)
