"""Conventional video: H.264 or H.265 as bytes, and what comes out of bytes that may be damaged."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le

from semcore.errors import ComponentError
from semcore.interfaces import Generator, SemanticEncoder
from semcore.limits import MAX_FRAMES, MAX_SEQUENCE_PIXELS
from semcore.rng import Rng
from semcore.types import Bitstream, Candidates, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.licences import PYAV
from semcore_video.paper import PAPER

VIDEO = "video"
"""Name of the stream."""
CODECS = {"h264": ("libx264", "h264"), "h265": ("libx265", "hevc")}
"""Codec -> FFmpeg's encoder, and its raw stream format."""
WORST = 51
"""Largest constant rate factor."""
H264_SEI = 6
"""Type of the unit of H.264 in which x264 tells of itself, which no receiver needs."""
Name = Literal["h264", "h265"]


@dataclass(frozen=True)
class VideoEncoder(SemanticEncoder):
    """The frames of a video by H.264 or H.265, as a raw stream of units (Annex B), one key frame and predictions.

    With `most_bytes` the best constant rate factor is searched that fits; if even the worst is too large, the stream is
    empty and the video is lost. What encoders tell of themselves is not sent. Sides must be even.

    Fields:
        codec: which standard
        crf: constant rate factor, the lower the better; with `most_bytes` the best that is tried
        most_bytes: largest stream; null: as large as `crf` makes it
        preset: x264's and x265's effort
    """

    licences: ClassVar[tuple[str, ...]] = (PYAV,)
    reference: ClassVar[str] = f"{PAPER}, section IV-A2; ITU-T H.264 and H.265"
    cites: ClassVar[tuple[str, ...]] = ("h264", "sullivan2012overview", "liu2026semantic")
    tried_with = ({"crf": 40}, {"codec": "h264", "most_bytes": 4000})

    codec: Name = "h265"
    crf: Annotated[int, Ge(0), Le(WORST)] = 28
    most_bytes: Annotated[int, Ge(1)] | None = None
    preset: Literal["veryfast", "medium", "slow"] = "medium"

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {VIDEO: Bitstream}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [Semantics(sample.id, {VIDEO: Bitstream(self._fitting(sample))}, sample.user) for sample in samples]

    def _fitting(self, sample: Sample) -> bytes:
        if sample.video is None or not len(sample.video):
            raise ComponentError(f"VideoEncoder encodes videos, and sample {sample.id!r} has none")
        if sample.video.shape[1] % 2 or sample.video.shape[2] % 2:
            raise ComponentError(f"VideoEncoder needs even sides, and sample {sample.id!r} is {sample.video.shape[1:3]}")
        if self.most_bytes is None:
            return self._coded(sample, self.crf)
        low, high, best = self.crf, WORST, b""
        while low <= high:
            middle = (low + high) // 2
            data = self._coded(sample, middle)
            if len(data) <= self.most_bytes:
                high, best = middle - 1, data
            else:
                low = middle + 1
        return best

    def _coded(self, sample: Sample, crf: int) -> bytes:
        import av

        assert sample.video is not None
        library, form = CODECS[self.codec]
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=form) as out:
            video: Any = out.add_stream(library, rate=Fraction(sample.fps or 25).limit_denominator(1001))
            video.height, video.width = sample.video.shape[1:3]
            video.pix_fmt = "yuv420p"
            quiet = {"x265-params": "info=0:log-level=none:pools=none:frame-threads=1:wpp=0"} if self.codec == "h265" else {}
            video.options = {"crf": str(crf), "preset": self.preset, "threads": "1", "g": "250", **quiet}
            for pixels in sample.video:
                out.mux(video.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")))
            out.mux(video.encode(None))
        return buffer.getvalue() if self.codec == "h265" else b"".join(_without_sei(buffer.getvalue()))


def _without_sei(stream: bytes) -> Iterator[bytes]:
    """The units of an H.264 stream, each behind its start code, but for supplemental information."""
    for unit in stream.split(b"\0\0\1")[1:]:
        if unit and unit[0] & 31 != H264_SEI:
            yield b"\0\0\1" + unit.rstrip(b"\0")


@dataclass(frozen=True)
class VideoDecoder(Generator):
    """The frames of a stream of H.264 or H.265 that may be damaged.

    Frames of another size are damage and left out; where frames are missing at the end, the last one stays. Without any
    frame there is no video.

    Fields:
        codec: which standard
        size: (height, width) of the frames, which both ends know from the session
        fps: frames a second, which both ends know from the session
        frames: length of the video, which both ends know from the session
    """

    licences: ClassVar[tuple[str, ...]] = (PYAV,)
    reference: ClassVar[str] = f"{PAPER}, section IV-A2; ITU-T H.264 and H.265"
    cites: ClassVar[tuple[str, ...]] = ("h264", "sullivan2012overview", "liu2026semantic")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {VIDEO: (Bitstream,)}

    codec: Name = "h265"
    size: tuple[Annotated[int, Ge(16), Le(4096)], Annotated[int, Ge(16), Le(4096)]] = (256, 256)
    fps: Annotated[float, Gt(0), Le(1000)] = 25.0
    frames: Annotated[int, Ge(1), Le(MAX_FRAMES)] = 75

    def check(self) -> None:
        if self.frames * self.size[0] * self.size[1] > MAX_SEQUENCE_PIXELS:
            raise ComponentError(f"VideoDecoder.frames of this size are more than {MAX_SEQUENCE_PIXELS} pixels")

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(one)]) for one in batch]

    def _sample(self, got: Semantics) -> Sample:
        stream = got.streams.get(VIDEO)
        seen = list(self._decoded(stream.data)) if isinstance(stream, Bitstream) and stream.data else []
        if not seen:
            return Sample(got.key, got.user)
        return Sample(got.key, got.user, video=np.stack(seen + seen[-1:] * (self.frames - len(seen))), fps=self.fps)

    def _decoded(self, data: bytes) -> Iterator[np.ndarray]:
        import av

        decoder: Any = av.CodecContext.create(CODECS[self.codec][1], "r")
        decoder.thread_count = 1
        decoder.options = {"max_pixels": str(self.size[0] * self.size[1])}  # a stream of a few bytes can claim gigapixels
        left = self.frames
        for packet in [*_parsed(decoder, data), None]:
            try:
                frames = decoder.decode(packet)
            except (av.error.FFmpegError, ValueError):
                continue  # damage; what follows may be whole again
            for frame in frames:
                if (frame.height, frame.width) == self.size and left:
                    left -= 1
                    yield frame.to_ndarray(format="rgb24")


def _parsed(decoder: Any, data: bytes) -> list[Any]:
    """The packets of a stream, as far as they can be told."""
    import av

    try:
        return [*decoder.parse(data), *decoder.parse(None)]
    except (av.error.FFmpegError, ValueError):
        return []
