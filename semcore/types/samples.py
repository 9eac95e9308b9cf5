"""What goes in and what comes out: samples, and candidates for them."""

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
        user: who sends it; a knowledge base keeps its entries by user, and one user's samples come in order
        image: uint8 (H, W, 3), sRGB; sources read at most `semcore.limits.MAX_PIXELS` pixels
        video: uint8 (T, H, W, 3), sRGB; at most `MAX_FRAMES` and `MAX_SEQUENCE_PIXELS` of that module
        fps: frames a second of `video`
        audio: float32 (S,), in -1..1
        sample_rate_hz: samples a second of `audio`
        text: a transcript or a caption that belongs to the item
        label: the class of the item, for metrics only
        found: what its source looked for in its frames, a face for example: name -> (frames with it, frames searched)
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
                raise ComponentError(f"Sample {self.id!r} has sound, so it needs sample_rate_hz > 0")
            if len(self.audio) and not math.isfinite(float(self.audio.min()) + float(self.audio.max())):
                raise ComponentError(f"Sample {self.id!r} has sound with values that are not finite numbers")

    @property
    def source_values(self) -> int:
        """Number of source values, the denominator of the CBR: H·W·3 of a picture, T·H·W·3 of a video, S of a sound."""
        return sum(int(part.size) for part in (self.image, self.video, self.audio) if part is not None)

    @property
    def source_bits(self) -> int:
        """Bits of the uncompressed item: 8 a picture or video value, 16 a sound sample, 8 a byte of text alone."""
        visual = sum(int(part.size) for part in (self.image, self.video) if part is not None)
        bits = 8 * visual + 16 * (int(self.audio.size) if self.audio is not None else 0)
        return bits or 8 * len((self.text or "").encode())


@dataclass(frozen=True)
class Extent:
    """How long and how large a sample is, and nothing of what it holds: the grant of a transmission tells the receiver.

    Fields:
        frames: pictures of the video; 0: there is none, or nobody says
        fps: pictures a second
        size: (height, width) of the pictures of the video, or of the picture; (0, 0): there is none, or nobody says
        samples: of the sound; 0: there is none, or nobody says
        sample_rate_hz: samples of the sound a second
    """

    frames: int = 0
    fps: float = 0.0
    size: tuple[int, int] = (0, 0)
    samples: int = 0
    sample_rate_hz: int = 0

    @classmethod
    def of(cls, sample: Sample) -> Extent:
        """That of a sample."""
        frames = 0 if sample.video is None else len(sample.video)
        shown = sample.image if sample.video is None else sample.video
        height, width = (0, 0) if shown is None else shown.shape[-3:-1]
        samples = 0 if sample.audio is None else len(sample.audio)
        return cls(frames, float(sample.fps or 0), (height, width), samples, sample.sample_rate_hz or 0)

    @property
    def sound_s(self) -> float:
        """Length of the sound, s: that of the video where there is only one; 0: nobody says."""
        if self.samples:
            return self.samples / self.sample_rate_hz
        return self.frames / self.fps if self.frames else 0.0

    def pictures(self, usual_fps: float = 25.0) -> tuple[int, float]:
        """Frames, and frames a second: as long as the sound where there is only sound; 0 frames: nobody says."""
        if self.frames:
            return self.frames, self.fps
        return round(self.sound_s * usual_fps), usual_fps


@dataclass(frozen=True, eq=False)
class OnDemand(Sequence[Sample]):
    """Samples that are read when they are asked for and kept by nobody: thousands of pictures, or hours of video.

    Fields:
        heads: (id, user) of every sample, known without reading it
        read: index -> the sample, an equal one each time
        digests: one per sample, of all that it is made from (the content of its file, its place in it, how it is read); a
            run then knows it without reading it. Empty: a run reads every sample once to learn its digest
        left_out: (name, reason) of everything that a setting of the source allows to leave out because it cannot be read
    """

    heads: Sequence[tuple[str, str]]
    read: Callable[[int], Sample]
    digests: Sequence[str] = ()
    left_out: Sequence[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        if self.digests and len(self.digests) != len(self.heads):
            raise ComponentError(f"OnDemand has {len(self.heads)} samples and {len(self.digests)} digests")

    def __len__(self) -> int:
        return len(self.heads)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> OnDemand: ...
    def __getitem__(self, index: int | slice) -> Sample | OnDemand:
        if isinstance(index, slice):
            places = range(len(self))[index]
            return OnDemand(self.heads[index], lambda at: self.read(places[at]), self.digests[index], self.left_out)
        at = range(len(self))[index]
        sample = self.read(at)
        if (sample.id, sample.user) != tuple(self.heads[at]):
            raise ComponentError(f"sample {self.heads[at]} was read as {(sample.id, sample.user)}")
        return sample


def heads(samples: Sequence[Sample]) -> Sequence[tuple[str, str]]:
    """(id, user) of every sample; none is read for it."""
    return samples.heads if isinstance(samples, OnDemand) else [(sample.id, sample.user) for sample in samples]


def left_out_of(samples: Sequence[Sample]) -> Sequence[tuple[str, str]]:
    """(name, reason) of everything that a source has left out of its samples because it cannot be read."""
    return samples.left_out if isinstance(samples, OnDemand) else ()


@dataclass(frozen=True, eq=False)
class Pictures(Sequence[Sample]):
    """Many pictures as the samples that they are, made when they are looked at: thousands of candidates are one array.

    Fields:
        id: of every sample
        user: of every sample
        images: uint8 (p, H, W, 3), sRGB
        origin: the digest of what the pictures were made from; pictures with the same one are the same. "": not known
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
    """What a generator makes of one sample.

    Fields:
        samples: one or more reconstructions, each with the sample's key as its id; a tuple, or `Pictures`
    """

    samples: Sequence[Sample]

    def __post_init__(self) -> None:
        if not len(self.samples):
            raise ComponentError("a generator must return at least one candidate a sample")

    @property
    def origin(self) -> str:
        """What a stage after this one may keep what it made of these candidates under; "": it may not."""
        return self.samples.origin if isinstance(self.samples, Pictures) else ""
