"""The receiver of a talking head: the reference picture, moved."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semcore.interfaces import Generator
from semcore.rng import Rng
from semcore.types import Candidates, Features, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.face.detector import named
from semcore_video.face.encoder import MOTION
from semcore_video.face.motion import basis
from semcore_video.face.reference import newest_mouths, newest_picture
from semcore_video.face.tracker import Tracking
from semcore_video.face.warp import portrait
from semcore_video.licences import MEDIAPIPE
from semcore_video.resampling import USUAL_FPS, in_steps
from semcore_video.weights import digest


@dataclass(frozen=True)
class PortraitGenerator(Tracking, Generator, abc.ABC):
    """Moves the reference picture of the user as a stream of numbers says; no weights.

    The picture is a mesh of face points, two rings round them that follow the head less and less,
    and a border that stays; pixels of the person lie over a background from which the person was
    taken out once. Between open lips is what the atlas of mouths in the knowledge base shows;
    without one, a mouth that opens beyond that of the reference is dark inside.

    The video has as many frames as the source, which the grant tells. Without the stream the face
    stays still; without a reference there is no video at all.
    """

    stream: ClassVar[str]
    """The stream that says it, and how many numbers a frame it has."""
    numbers: ClassVar[int]

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(one, kb)]) for one in batch]

    @abc.abstractmethod
    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Where the points of a reference (478, 3) have gone: numbers (T, N) -> points float32 (T,
        478, 3), pixels."""

    def _sample(self, got: Semantics, kb: KnowledgeBase) -> Sample:
        picture = newest_picture(kb, got.user)
        if picture is None:
            return Sample(got.key, got.user)
        motion, known = got.streams.get(self.stream), portrait(picture, newest_mouths(kb, got.user))
        told = (
            isinstance(motion, Features)
            and motion.values.shape[1:] == (self.numbers,)
            and len(motion.values) > 0
        )
        frames, fps = got.extent.pictures(USUAL_FPS)
        if known is None or not isinstance(motion, Features) or not told:
            return Sample(
                got.key, got.user, video=np.repeat(picture[None], max(frames, 1), axis=0), fps=fps
            )
        moved = in_steps(np.nan_to_num(motion.values), frames or len(motion.values))
        points = self.points(moved, known.points)
        return Sample(
            got.key, got.user, video=np.stack([known.moved_to(one) for one in points]), fps=fps
        )


@dataclass(frozen=True)
class MeshWarp(PortraitGenerator):
    """Moves the reference picture of the user as the motion of `face-motion` says, point by point
    of a mesh; no weights.

    Fields:
        basis: folder that the recipe `face-basis` wrote; null: the shipped one; the same as that of
            the encoder
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
        """The digest of the basis, and the models that find faces if they are named."""
        return [digest("face-basis", self.basis), *named()]

    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        return basis(self.basis).points(numbers.clip(-30, 30), reference)
