"""Which frame of a result belongs to which frame of the source: the one that is seen at the same
time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from semcore.interfaces import Record

METHOD = "frames=by-time,resize=bicubic"
"""How source and result are compared, as a signature has it."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two videos, moment by moment.

    A result that is shorter lacks the last moments of the source. One that is longer has moments
    that the source lacks: each is compared with the last frame of the source, or the last that
    shows what is judged, and counts as lost.

    Fields:
        source: uint8 (T, H, W, 3)
        result: uint8 (R, H, W, 3), resized to the frames of the source; without a frame if there is
            no result
        there: the frame of the source at each moment, int64 (N,): its T frames, and then the last
            for each that is too many
        here: the frame of the result at each moment, int64 (N,); -1: lost
    """

    source: np.ndarray
    result: np.ndarray
    there: np.ndarray
    here: np.ndarray

    def __len__(self) -> int:
        return len(self.there)

    def frames(self, moments: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Frames of source and result at some moments; a lost one is mid-grey."""
        grey = np.full_like(self.source[0], 128)
        for at in moments:
            yield (
                self.source[self.there[at]],
                grey if self.here[at] < 0 else self.result[self.here[at]],
            )

    def spread(self, count: int) -> np.ndarray:
        """`count` moments, spread evenly, int64."""
        return np.linspace(0, len(self) - 1, count).round().astype(int)

    def values(self, there: np.ndarray, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of the frames of both videos, (T, ...) and (R, ...), at each moment, (N, ...)
        each; NaN where lost."""
        lost = np.full((1, *there.shape[1:]), np.nan, np.result_type(there, np.float32))
        at = self.there.copy()
        known = np.flatnonzero(np.isfinite(there).reshape(len(there), -1).all(1))
        at[len(there) :] = known[-1] if len(known) else -1
        return there[at], np.concatenate([here, lost])[self.here]


def paired(record: Record) -> Pair | None:
    """The videos of a record; None if the source has none."""
    source, result = record.source.video, record.result.video
    if source is None or not len(source):
        return None
    count = len(source)
    if result is None or not len(result):
        return Pair(source, source[:0], np.arange(count), np.full(count, -1))
    speed = float(record.result.fps or 1) / float(record.source.fps or 1)
    here = ((np.arange(count) + 0.5) * speed).astype(np.int64)
    here[here >= len(result)] = -1
    # Frames that begin when the source is over; a frame's width is forgiven, as one may be begun
    # and not finished.
    over = max(len(result) - int(np.ceil(count * speed - 1e-6)), 0)
    there = np.concatenate([np.arange(count), np.full(over, count - 1)])
    return Pair(
        source,
        _resized(result, source.shape[1:3]),
        there,
        np.concatenate([here, np.full(over, -1)]),
    )


def _resized(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if frames.shape[1:3] == size:
        return frames
    found = np.empty((len(frames), *size, 3), np.uint8)
    for to, frame in zip(found, frames, strict=True):
        to[:] = np.asarray(Image.fromarray(frame).resize(size[::-1], Image.Resampling.BICUBIC))
    return found
