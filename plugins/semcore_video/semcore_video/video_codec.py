"""Conventional video coding: H.264 or H.265 as bytes, and decoding of damaged bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from semcore import (
    Bitstream,
    Candidates,
    ComponentError,
    Extent,
    Generator,
    KnowledgeBase,
    Rng,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
)
from semcore.media import MAX_FRAMES, MAX_RECEIVED_PIXELS, MAX_SEQUENCE_PIXELS
from semcore_video.licences import PYAV
from semcore_video.paper import PAPER
from semcore_video.resampling import USUAL_FPS

VIDEO = "video"
"""Name of the stream."""
CODECS = {"h264": ("libx264", "h264"), "h265": ("libx265", "hevc")}
"""Codec -> FFmpeg's encoder, and its raw stream format."""
SMALLEST = {"h264": 16, "h265": 64}
"""Minimum sides of coded frames; x265 writes out of bounds for frames narrower than 64 pixels."""
BLOCK = 128
"""Maximum number of pixels by which a decoder rounds sides up."""
WORST = 51
"""Largest constant rate factor."""
H264_SEI = 6
"""Type of the H.264 unit in which x264 describes itself, which no decoder needs."""
Name = Literal["h264", "h265"]


@dataclass(frozen=True)
class VideoEncoder(SemanticEncoder):
    """The frames of a video by H.264 or H.265, as a raw stream of units (Annex B), one key frame
    and predictions.

    With `most_bytes`, the best constant rate factor that fits is searched; if even the worst is too
    large, the stream is empty and the video is lost. Metadata of the encoders is not sent. Chroma
    has half the resolution, so an odd side is padded by repeating the edge, as is a side below 16
    (H.265: 64) pixels.

    Fields:
        codec: which standard
        crf: constant rate factor, lower is better; with `most_bytes` the best that is tried
        most_bytes: maximum size of the stream, bytes; null: unlimited
        preset: effort of x264 and x265
    """

    licences: ClassVar[tuple[str, ...]] = (PYAV,)
    reference: ClassVar[str] = f"{PAPER}, section IV-A2; ITU-T H.264 and H.265"
    cites: ClassVar[tuple[str, ...]] = ("h264", "sullivan2012overview", "liu2026semantic")
    test_settings = ({"crf": 40}, {"codec": "h264", "most_bytes": 4000})

    codec: Name = "h265"
    crf: Annotated[int, Ge(0), Le(WORST)] = 28
    most_bytes: Annotated[int, Ge(1)] | None = None
    preset: Literal["veryfast", "medium", "slow"] = "medium"

    def libraries(self) -> Mapping[str, str]:
        return {"av": "semcore-video[av]"}

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {VIDEO: Bitstream}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {VIDEO: Bitstream(self._encode(sample))}, sample.user)
            for sample in samples
        ]

    def _encode(self, sample: Sample) -> bytes:
        if sample.video is None or not len(sample.video):
            raise ComponentError(f"VideoEncoder encodes videos, and sample {sample.id!r} has none")
        if self.most_bytes is None:
            return self._encoded(sample, self.crf)
        low, high, best = self.crf, WORST, b""
        while low <= high:
            middle = (low + high) // 2
            data = self._encoded(sample, middle)
            if len(data) <= self.most_bytes:
                high, best = middle - 1, data
            else:
                low = middle + 1
        return best

    def _encoded(self, sample: Sample, crf: int) -> bytes:
        from semcore_video.media.pyav import av

        assert sample.video is not None
        library, form = CODECS[self.codec]
        buffer = io.BytesIO()
        with av.open(buffer, "w", format=form) as out:
            video: Any = out.add_stream(
                library, rate=Fraction(sample.fps or 25).limit_denominator(1001)
            )
            video.height, video.width = coded_size(self.codec, sample.video.shape[1:3])
            odd = video.height - sample.video.shape[1], video.width - sample.video.shape[2]
            video.pix_fmt = "yuv420p"
            options = {"crf": str(crf), "preset": self.preset, "threads": "1", "g": "250"}
            if self.codec == "h265":
                quiet = "info=0:log-level=none:pools=none:frame-threads=1:wpp=0"
                options["x265-params"] = quiet
            video.options = options
            for pixels in sample.video:
                whole = np.pad(pixels, ((0, odd[0]), (0, odd[1]), (0, 0)), "edge")
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), format="rgb24")
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
        data = buffer.getvalue()
        return data if self.codec == "h265" else b"".join(_without_sei(data))


def _without_sei(stream: bytes) -> Iterator[bytes]:
    """The units of an H.264 stream with their start codes, without supplemental enhancement
    information."""
    for unit in stream.split(b"\0\0\1")[1:]:
        if unit and unit[0] & 31 != H264_SEI:
            yield b"\0\0\1" + unit.rstrip(b"\0")


@dataclass(frozen=True)
class VideoDecoder(Generator):
    """The frames of an H.264 or H.265 stream that may be damaged.

    The grant states number, size and rate of the frames. Frames of another size are damaged and
    dropped; missing frames at the end repeat the last one. Without any frame there is no video.

    Fields:
        codec: which standard
    """

    licences: ClassVar[tuple[str, ...]] = (PYAV,)
    reference: ClassVar[str] = f"{PAPER}, section IV-A2; ITU-T H.264 and H.265"
    cites: ClassVar[tuple[str, ...]] = ("h264", "sullivan2012overview", "liu2026semantic")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {VIDEO: (Bitstream,)}

    codec: Name = "h265"

    def libraries(self) -> Mapping[str, str]:
        return {"av": "semcore-video[av]"}

    def incompatibility(self, encoder: SemanticEncoder) -> str:
        if not isinstance(encoder, VideoEncoder) or encoder.codec == self.codec:
            return ""
        return f"codec is {self.codec}, and the encoder's is {encoder.codec}"

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(received)]) for received in batch]

    def _sample(self, received: Semantics) -> Sample:
        stream, extent = received.streams.get(VIDEO), received.extent
        frames = []
        if isinstance(stream, Bitstream) and stream.data:
            frames = list(self._decode(stream.data, extent))
        if not frames:
            return Sample(received.key, received.user)
        height, width = extent.size if extent.frames else frames[0].shape[:2]
        found = np.empty((extent.frames or len(frames), height, width, 3), np.uint8)
        for index, pixels in enumerate(found):
            pixels[:] = frames[min(index, len(frames) - 1)][:height, :width]
        return Sample(received.key, received.user, video=found, fps=extent.fps or USUAL_FPS)

    def _decode(self, data: bytes, extent: Extent) -> Iterator[np.ndarray]:
        """The frames of the granted size, or without a grant of the size of the first."""
        from semcore_video.media.pyav import av

        size = coded_size(self.codec, extent.size) if extent.frames else None
        remaining = extent.frames or MAX_FRAMES
        # A stream of a few bytes can claim gigapixels. Decoders count pixels in blocks that are as
        # wide as their vectors.
        max_pixels = (size[0] + BLOCK) * (size[1] + BLOCK) if size else MAX_RECEIVED_PIXELS
        decoder: Any = av.CodecContext.create(CODECS[self.codec][1], "r")
        decoder.thread_count = 1
        decoder.options = {"max_pixels": str(max_pixels)}
        for packet in [*_packets(decoder, data), None]:
            try:
                frames = decoder.decode(packet)
            except (av.error.FFmpegError, ValueError):
                continue  # damaged; later packets may be intact
            for frame in frames:
                decoded_size = frame.height, frame.width
                size = size or decoded_size
                if not extent.frames:
                    remaining = min(
                        remaining, MAX_SEQUENCE_PIXELS // (decoded_size[0] * decoded_size[1])
                    )
                if decoded_size == size and remaining > 0:
                    remaining -= 1
                    yield frame.to_ndarray(format="rgb24")


def coded_size(codec: Name, size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the coded frames: even, and for H.265 at least the minimum that x265
    handles safely."""
    least = SMALLEST[codec]
    return max(size[0] + size[0] % 2, least), max(size[1] + size[1] % 2, least)


def _packets(decoder: Any, data: bytes) -> list[Any]:
    """The packets of a stream, as far as it can be parsed."""
    from semcore_video.media.pyav import av

    try:
        return [*decoder.parse(data), *decoder.parse(None)]
    except (av.error.FFmpegError, ValueError):
        return []
