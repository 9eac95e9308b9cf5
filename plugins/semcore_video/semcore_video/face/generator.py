"""The receiver of a talking head: the reference picture, moved."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from semcore.interfaces import Generator
from semcore.limits import MAX_FRAMES
from semcore.rng import Rng
from semcore.types import Candidates, Features, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.face.encoder import MOTION, newest_mouths, newest_picture
from semcore_video.face.tracker import Tracking, named
from semcore_video.licences import MEDIAPIPE
from semcore_video.shipped import digest


@dataclass(frozen=True)
class PortraitGenerator(Tracking, Generator, abc.ABC):
    """Moves the reference picture of the user as a stream of numbers says; no weights.

    The picture is a mesh of face points, two rings round them that follow the head less and less, and a border that stays;
    pixels of the person lie over a background from which the person was taken out once. Between open lips is what the atlas of
    mouths in the knowledge base shows; without one, a mouth that opens beyond that of the reference is dark inside.

    Without the stream the face stays still for `frames`; without a reference there is no video at all.

    Fields:
        fps: frames a second, which both ends know from the session
        frames: of a still face, where no motion arrived
    """

    stream: ClassVar[str]
    """The stream that says it, and how many numbers a frame it has."""
    numbers: ClassVar[int]

    fps: Annotated[float, Gt(0), Le(1000)] = 25.0
    frames: Annotated[int, Ge(1), Le(MAX_FRAMES)] = 75

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(one, kb)]) for one in batch]

    @abc.abstractmethod
    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Where the points of a reference (478, 3) have gone: numbers (T, N) -> points float32 (T, 478, 3), pixels."""

    def _sample(self, got: Semantics, kb: KnowledgeBase) -> Sample:
        from semcore_video.face.warp import portrait

        picture = newest_picture(kb, got.user)
        if picture is None:
            return Sample(got.key, got.user)
        motion, known = got.streams.get(self.stream), portrait(picture, newest_mouths(kb, got.user))
        told = isinstance(motion, Features) and motion.values.shape[1:] == (self.numbers,) and len(motion.values) > 0
        if known is None or not isinstance(motion, Features) or not told:
            return Sample(got.key, got.user, video=np.repeat(picture[None], self.frames, axis=0), fps=self.fps)
        points = self.points(np.nan_to_num(motion.values), known.points)
        return Sample(got.key, got.user, video=np.stack([known.moved_to(one) for one in points]), fps=self.fps)


@dataclass(frozen=True)
class MeshWarp(PortraitGenerator):
    """Moves the reference picture of the user as the motion of `face-motion` says, point by point of a mesh; no weights.

    Fields:
        basis: folder that the recipe `face-basis` wrote; null: the shipped one; the same as that of the encoder
    """

    licences: ClassVar[tuple[str, ...]] = (MEDIAPIPE,)
    reference: ClassVar[str] = "a warp in place of the renderer of section III-C; MediaPipe's face mesh"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "lugaresi2019mediapipe")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {MOTION: (Features,)}
    stream: ClassVar[str] = MOTION
    numbers: ClassVar[int] = 12

    basis: str | None = None

    def identity(self) -> Any:
        """The digest of the basis, and the models that find faces if they are named."""
        return [digest("face-basis", self.basis), *named()]

    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        from semcore_video.face.motion import basis

        return basis(self.basis).points(numbers.clip(-30, 30), reference)
