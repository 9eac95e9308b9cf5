"""Samples, and the candidates for their reconstruction."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

from semcore.errors import ComponentError
from semcore.types.arrays import check_array

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Sample:
    """One source item, or its reconstruction: any of picture, video, sound and text.

    Fields:
        id: name, unique in its source
        user: who sends it; a knowledge base has entries per user
        image: uint8 (H, W, 3), sRGB; sources read at most `semcore.limits.MAX_PIXELS` pixels
        video: uint8 (T, H, W, 3), sRGB; at most `MAX_FRAMES` and `MAX_SEQUENCE_PIXELS` of that
            module
        fps: frames per second of `video`
        audio: float32 (S,), in -1..1
        sample_rate_hz: samples per second of `audio`
        text: a transcript or a caption
        label: the class of the item, for metrics only
        found: what its source detected in frames, as `SemanticEncoder.found`
    """

    id: str
    user: str = ""
    image: np.ndarray | None = None
    video: np.ndarray | None = None
    fps: float | None = None
    audio: np.ndarray | None = None
    sample_rate_hz: int | None = None
    text: str | None = None
    label: str | None = None
    found: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.image is not None:
            check_array(self, "image", self.image, "uint8", ("H", "W", 3))
        if self.video is not None:
            check_array(self, "video", self.video, "uint8", ("T", "H", "W", 3))
            if not self.fps or self.fps <= 0:
                raise ComponentError(f"Sample {self.id!r} has a video, so it needs fps > 0")
        if self.audio is not None:
            check_array(self, "audio", self.audio, "float32", ("S",))
            if not self.sample_rate_hz or self.sample_rate_hz <= 0:
                raise ComponentError(
                    f"Sample {self.id!r} has sound, so it needs sample_rate_hz > 0"
                )
            ends = (float(self.audio.min()), float(self.audio.max())) if len(self.audio) else ()
            if not math.isfinite(sum(ends)):
                raise ComponentError(
                    f"Sample {self.id!r} has sound with values that are not finite"
                )

    @property
    def source_values(self) -> int:
        """Number of source values, the denominator of the CBR: (T·)H·W·3 pixels, S of a sound."""
        parts = (self.image, self.video, self.audio)
        return sum(int(part.size) for part in parts if part is not None)

    @property
    def source_bits(self) -> int:
        """Uncompressed bits: 8 per picture or video value, 16 per sound sample, 8 per byte of
        text."""
        visual = sum(int(part.size) for part in (self.image, self.video) if part is not None)
        bits = 8 * visual + 16 * (int(self.audio.size) if self.audio is not None else 0)
        return bits or 8 * len((self.text or "").encode())


@dataclass(frozen=True)
class Extent:
    """Length and size of a sample, without its content; the receiver knows it from the grant.

    Fields:
        frames: of the video; 0: none, or unknown
        fps: frames per second
        size: (height, width) of the video or picture; (0, 0): none, or unknown
        samples: of the sound; 0: none, or unknown
        sample_rate_hz: samples per second of the sound
    """

    frames: int = 0
    fps: float = 0.0
    size: tuple[int, int] = (0, 0)
    samples: int = 0
    sample_rate_hz: int = 0

    @classmethod
    def of(cls, sample: Sample) -> Extent:
        """The extent of a sample."""
        frames = 0 if sample.video is None else len(sample.video)
        shown = sample.image if sample.video is None else sample.video
        height, width = (0, 0) if shown is None else shown.shape[-3:-1]
        samples = 0 if sample.audio is None else len(sample.audio)
        rate_hz = sample.sample_rate_hz or 0
        return cls(frames, float(sample.fps or 0), (height, width), samples, rate_hz)

    @property
    def sound_s(self) -> float:
        """Length of the sound, or else of the video, s; 0: unknown."""
        if self.samples:
            return self.samples / self.sample_rate_hz
        return self.frames / self.fps if self.frames else 0.0

    def pictures(self, usual_fps: float = 25.0) -> tuple[int, float]:
        """Frames and frames per second, as long as the sound if there is no video."""
        if self.frames:
            return self.frames, self.fps
        return round(self.sound_s * usual_fps), usual_fps


@dataclass(frozen=True, eq=False)
class OnDemand(Sequence[Sample]):
    """Samples that are read on access and not kept: thousands of pictures, or hours of video.

    Fields:
        heads: (id, user) of every sample
        read: index -> the sample, an equal one each time
        digests: one per sample, of all that it is made from (content and position in its file, how
            it is read). Empty: a run reads every sample once to compute its digest
        left_out: (name, reason) of each sample left out because it cannot be read
    """

    heads: Sequence[tuple[str, str]]
    read: Callable[[int], Sample]
    digests: Sequence[str] = ()
    left_out: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        if self.digests and len(self.digests) != len(self.heads):
            counts = f"{len(self.heads)} samples and {len(self.digests)} digests"
            raise ComponentError(f"OnDemand has {counts}")

    def __len__(self) -> int:
        return len(self.heads)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> OnDemand: ...
    def __getitem__(self, index: int | slice) -> Sample | OnDemand:
        if isinstance(index, slice):
            places, heads = range(len(self))[index], self.heads[index]
            digests = self.digests[index]
            return OnDemand(heads, lambda at: self.read(places[at]), digests, self.left_out)
        at = range(len(self))[index]
        sample = self.read(at)
        if (sample.id, sample.user) != tuple(self.heads[at]):
            raise ComponentError(f"sample {self.heads[at]} was read as {(sample.id, sample.user)}")
        return sample


def heads(samples: Sequence[Sample]) -> Sequence[tuple[str, str]]:
    """(id, user) of every sample, without reading any."""
    if isinstance(samples, OnDemand):
        return samples.heads
    return [(sample.id, sample.user) for sample in samples]


def left_out_of(samples: Sequence[Sample]) -> Sequence[tuple[str, str]]:
    """(name, reason) of each sample that a source left out because it cannot be read."""
    return samples.left_out if isinstance(samples, OnDemand) else ()


@dataclass(frozen=True, eq=False)
class Pictures(Sequence[Sample]):
    """Samples of one array of pictures, made on access: thousands of candidates, say.

    Fields:
        id: of every sample
        user: of every sample
        images: uint8 (p, H, W, 3), sRGB
        origin: digest of what they were made from; equal for equal pictures. "": unknown
    """

    id: str
    user: str
    images: np.ndarray
    origin: str = ""

    def __post_init__(self) -> None:
        check_array(self, "images", self.images, "uint8", ("p", "H", "W", 3))

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | Sequence[Sample]:
        if isinstance(index, slice):
            return tuple(self[one] for one in range(*index.indices(len(self))))
        return Sample(self.id, self.user, image=self.images[index])


@dataclass(frozen=True, eq=False)
class Candidates:
    """The candidates that a generator returns for one sample.

    Fields:
        samples: one or more reconstructions with the sample's key as id; a tuple, or `Pictures`
    """

    samples: Sequence[Sample]

    def __post_init__(self) -> None:
        if not len(self.samples):
            raise ComponentError("a generator must return at least one candidate per sample")

    @property
    def origin(self) -> str:
        """Cache key for what later stages compute from these candidates; "": do not cache."""
        return self.samples.origin if isinstance(self.samples, Pictures) else ""
