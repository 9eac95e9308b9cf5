"""Sequential and simultaneous selection among thousands of candidates, and a genie as upper
bound."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from semcore import Candidates, KnowledgeBase, Pictures, Sample, Selector, Semantics, Source
from semcore_image.mmsemcom.features import FUSED, IMAGE, TEXT, UsesMultiSem

Distance = Literal["closest", "literal"]


def distances(features: np.ndarray, wanted: np.ndarray, distance: Distance) -> np.ndarray:
    """Distance of features (..., D) from the received ones (D,), float64 (...).

    Args:
        distance: `closest`: cosine distance 1 - cos plus Euclidean distance; `literal`: cos plus
            Euclidean, as eq. 20 writes it
    """
    features, wanted = features.astype(np.float64), wanted.astype(np.float64)
    norms = np.linalg.norm(features, axis=-1) * np.linalg.norm(wanted)
    cosine = (features * wanted).sum(-1) / np.maximum(norms, 1e-12)
    return (1 - cosine if distance == "closest" else cosine) + np.linalg.norm(
        features - wanted, axis=-1
    )


@dataclass(frozen=True)
class Matching(UsesMultiSem, Selector):
    """Selection by distance between features of candidates and received features.

    The paper adds the cosine (eq. 21), which is large for similar features, to the Euclidean
    distance (eq. 22), which is small for them, and averages the sum over the candidates (eq. 20,
    23, 25) before ranking by it. `distance: closest` ranks by 1 minus the cosine plus the distance;
    `distance: literal` ranks by the sum as printed, for comparison.

    Fields:
        distance: how features are compared
    """

    distance: Distance = "closest"

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [self._nearest(some, got) for some, got in zip(candidates, batch, strict=True)]

    def _nearest(self, candidates: Candidates, got: Semantics) -> Sample:
        if len(candidates.samples) == 1 or any(
            one.image is None for one in _first_and_last(candidates)
        ):
            return candidates.samples[0]
        best = self._best(candidates, self.received(got))
        return candidates.samples[_by_content(candidates, best)]

    def _best(self, candidates: Candidates, got: dict[str, np.ndarray]) -> np.ndarray:
        """Indices of the nearest candidates (several on ties); all of them if nothing arrived."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sequential(Matching):
    """Keeps the candidates nearest to the text features, then takes the one nearest to the image
    features (eq. 20-23).

    The text features of a candidate are those of its CLIP prompts, so many candidates have the
    same; ties with the last of the `keep` candidates are kept as well. Streams that did not arrive
    are skipped.

    Fields:
        keep: candidates kept after the text features, q
    """

    reference: ClassVar[str] = "MMSemCom, section III-B2, eq. 20-23"
    cites: ClassVar[tuple[str, ...]] = ("liang2024image",)

    keep: Annotated[int, Ge(1)] = 100

    def _best(self, candidates: Candidates, got: dict[str, np.ndarray]) -> np.ndarray:
        left = np.arange(len(candidates.samples))
        if not got:
            return left
        features = self.candidate_features(candidates)
        if TEXT in got:
            total = sum(
                distances(features.text[:, index], one, self.distance)
                for index, one in enumerate(got[TEXT])
            )
            last = min(self.keep, len(left)) - 1
            left = np.flatnonzero(total <= np.partition(total, last)[last] + 1e-9)
        if IMAGE in got:
            total = distances(features.image[left], got[IMAGE], self.distance)
            left = left[total <= total.min()]
        return left


@dataclass(frozen=True)
class Simultaneous(Matching):
    """Takes the candidate whose fused features are nearest to the received ones (eq. 24, 25)."""

    reference: ClassVar[str] = "MMSemCom, section III-B2, eq. 24-25"
    cites: ClassVar[tuple[str, ...]] = ("liang2024image",)

    def _best(self, candidates: Candidates, got: dict[str, np.ndarray]) -> np.ndarray:
        if FUSED not in got:
            return np.arange(len(candidates.samples))
        fused = self.candidate_features(candidates).fused
        total = distances(fused, got[FUSED], self.distance)
        return np.flatnonzero(total <= total.min())


@dataclass(frozen=True)
class Genie(Selector):
    """Takes the candidate nearest to the source in mean squared error: an upper bound for any
    selector, not a receiver.

    The source picture is looked up by the key of the sample, so `source` must be that of the
    pipeline; for a sample that is not found, all candidates count as equally good.

    Fields:
        source: source of the pipeline
    """

    genie: ClassVar[bool] = True
    reference: ClassVar[str] = (
        "the best of the p candidates of MMSemCom, section III-B2, by comparison with the source"
    )
    cites: ClassVar[tuple[str, ...]] = ("liang2024image",)
    test_settings = ({"source": {"use": "samples"}},)

    source: Source

    @functools.cached_property
    def _known(self) -> dict[str, np.ndarray]:
        return {
            sample.id: sample.image for sample in self.source.samples() if sample.image is not None
        }

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        return [
            self._nearest(some, self._known.get(got.key))
            for some, got in zip(candidates, batch, strict=True)
        ]

    @staticmethod
    def _nearest(candidates: Candidates, source: np.ndarray | None) -> Sample:
        images = _images(candidates)
        if images is None or (source is not None and images.shape[1:] != source.shape):
            return candidates.samples[0]
        best = np.arange(len(images))
        if source is not None:
            errors = [float(((one.astype(np.float32) - source) ** 2).mean()) for one in images]
            best = np.flatnonzero(np.asarray(errors) <= min(errors))
        return candidates.samples[_by_content(candidates, best)]


def _images(candidates: Candidates) -> np.ndarray | None:
    """The pictures of all candidates, uint8 (p, H, W, 3); None if some have none, or sizes
    differ."""
    if isinstance(candidates.samples, Pictures):
        return candidates.samples.images
    pictures = [sample.image for sample in candidates.samples if sample.image is not None]
    complete = len(pictures) == len(candidates.samples)
    same_shape = len({one.shape for one in pictures}) == 1
    return np.stack(pictures) if complete and same_shape else None


def _first_and_last(candidates: Candidates) -> tuple[Sample, Sample]:
    return candidates.samples[0], candidates.samples[-1]


def _by_content(candidates: Candidates, indices: np.ndarray) -> int:
    """Of equally good candidates, the one whose bytes compare lowest, so that the order of
    candidates does not matter."""
    if len(indices) == 1:
        return int(indices[0])
    return min(map(int, indices), key=lambda index: _bytes(candidates.samples[index]))


def _bytes(sample: Sample) -> bytes:
    return b"" if sample.image is None else sample.image.tobytes()
