"""Assignment of the frames of a result to those of the source by time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from semcore import Record
from semcore_video.media.scaling import resized

METHOD = "frames=by-time,resize=bicubic"
"""Method of comparison, as stated in signatures."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two videos, aligned in time.

    A shorter result lacks the last frames of the source. A longer one has additional frames: each
    is compared with the last frame of the source, or the last with a value, and counts as lost.

    Fields:
        source: uint8 (T, H, W, 3)
        result: uint8 (R, H, W, 3), resized to the frames of the source; no frames if there is no
            result
        source_index: the frame of the source at each time, int64 (N,): its T frames, then the last
            one for each additional frame
        result_index: the frame of the result at each time, int64 (N,); -1: lost
    """

    source: np.ndarray
    result: np.ndarray
    source_index: np.ndarray
    result_index: np.ndarray

    def __len__(self) -> int:
        return len(self.source_index)

    def frames(self, moments: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Frames of source and result at some times; a lost one is mid-grey."""
        grey = np.full_like(self.source[0], 128)
        for at in moments:
            yield (
                self.source[self.source_index[at]],
                grey if self.result_index[at] < 0 else self.result[self.result_index[at]],
            )

    def spread(self, count: int) -> np.ndarray:
        """`count` evenly spread times, int64."""
        return np.linspace(0, len(self) - 1, count).round().astype(int)

    def values(
        self, source_values: np.ndarray, result_values: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values of the frames of both videos, (T, ...) and (R, ...), at each time, (N, ...) each;
        NaN where lost."""
        missing = np.full(
            (1, *source_values.shape[1:]), np.nan, np.result_type(source_values, np.float32)
        )
        at = self.source_index.copy()
        with_value = np.flatnonzero(
            np.isfinite(source_values).reshape(len(source_values), -1).all(1)
        )
        at[len(source_values) :] = with_value[-1] if len(with_value) else -1
        return source_values[at], np.concatenate([result_values, missing])[self.result_index]


def paired(record: Record) -> Pair | None:
    """The aligned videos of a record; None if the source has none."""
    source, result = record.source.video, record.result.video
    if source is None or not len(source):
        return None
    count = len(source)
    if result is None or not len(result):
        return Pair(source, source[:0], np.arange(count), np.full(count, -1))
    speed = float(record.result.fps or 1) / float(record.source.fps or 1)
    result_frames = ((np.arange(count) + 0.5) * speed).astype(np.int64)
    result_frames[result_frames >= len(result)] = -1
    # Frames that begin after the end of the source, with a tolerance of one frame, which may be
    # incomplete.
    excess = max(len(result) - int(np.ceil(count * speed - 1e-6)), 0)
    source_frames = np.concatenate([np.arange(count), np.full(excess, count - 1)])
    return Pair(
        source,
        _resized(result, source.shape[1:3]),
        source_frames,
        np.concatenate([result_frames, np.full(excess, -1)]),
    )


def _resized(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if frames.shape[1:3] == size:
        return frames
    found = np.empty((len(frames), *size, 3), np.uint8)
    for index, frame in enumerate(frames):
        found[index] = resized(frame, size)
    return found
