"""Sound of files: any number of channels and any sample rate, placed by time stamps and mixed to
mono."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from semcore import ComponentError

if TYPE_CHECKING:
    import av

TOLERANCE_S = 0.02
"""Deviations of time stamps below this are jitter; larger ones are gaps or overlaps."""
LONGEST_GAP_S = 86_400.0
"""Gaps of more than a day are errors in the time stamps."""
FRONT, SIDE = 0.5**0.5, 0.5
WEIGHTS = {"FC": 1.0, "FL": FRONT, "FR": FRONT, "LFE": 0.0, "LFE2": 0.0}
"""Weights of channels in a mono mix, ITU-R BS.775-4, annex 4; all other channels have SIDE."""
SCALES = {"u1": (128.0, 128.0), "i2": (0.0, 2.0**15), "i4": (0.0, 2.0**31), "i8": (0.0, 2.0**63)}
"""Sample type -> value of silence, and full scale."""


class Track:
    """Sound on its own clock, read sequentially.

    Args:
        frames: audio frames with their times, s; None: directly after the previous one
        sample_rate_hz: of the output
    """

    def __init__(self, frames: Iterator[tuple[float | None, Any]], sample_rate_hz: int) -> None:
        self._parts = _resampled(_placed(frames), sample_rate_hz)
        self._left = np.zeros(0, np.float32)
        self.at = 0
        """The first sample that can still be taken."""

    def take(self, first: int, count: int) -> np.ndarray:
        """Samples starting at `first`, float32 (count,) in -1..1; silence after the end."""
        found = np.zeros(count, np.float32)
        while self.at < first + count:
            part = self._left if len(self._left) else next(self._parts, None)
            if part is None:
                break
            used = min(len(part), first + count - self.at)
            skipped = min(max(first - self.at, 0), used)
            found[self.at + skipped - first : self.at + used - first] = part[skipped:used]
            self.at, self._left = self.at + used, part[used:]
        return found.clip(-1, 1)


def mixed(frame: av.AudioFrame) -> np.ndarray:
    """An audio frame as mono, float32 (S,): a weighted mean, so that a signal equal in all channels
    keeps its level."""
    values = frame.to_ndarray()
    channels = frame.layout.nb_channels
    if not frame.format.is_planar:
        values = values.reshape(-1, channels).T
    silence, full = SCALES.get(values.dtype.str[1:], (0.0, 1.0))
    weights = np.array(
        [WEIGHTS.get(channel.name, SIDE) for channel in frame.layout.channels], np.float64
    )
    if len(weights) != channels or not weights.any():
        weights = np.ones(channels)
    return ((weights / weights.sum()) @ (values.astype(np.float64) - silence) / full).astype(
        np.float32
    )


def _placed(frames: Iterator[tuple[float | None, Any]]) -> Iterator[tuple[int, np.ndarray]]:
    """Consecutive parts from time 0 with their sample rates: gaps filled with silence, overlaps and
    times before 0 cut."""
    at, rate_hz = 0, 0
    for time, frame in frames:
        if rate_hz and frame.sample_rate != rate_hz:
            raise ComponentError(
                f"the sample rate changes from {rate_hz} to {frame.sample_rate} Hz"
            )
        part, rate_hz = mixed(frame), frame.sample_rate
        off = 0 if time is None else round(time * rate_hz) - at
        if at and abs(off) <= TOLERANCE_S * rate_hz:
            off = 0
        if off > LONGEST_GAP_S * rate_hz:
            raise ComponentError(
                f"the time stamps of the sound have a gap of {off / rate_hz:.0f} s"
            )
        while off > 0:
            gap = min(off, rate_hz)
            yield rate_hz, np.zeros(gap, np.float32)
            at, off = at + gap, off - gap
        part = part[min(-off, len(part)) :]
        at += len(part)
        if len(part):
            yield rate_hz, part


def _resampled(
    parts: Iterator[tuple[int, np.ndarray]], sample_rate_hz: int
) -> Iterator[np.ndarray]:
    """The same sound at another sample rate."""
    from semcore_video.media.pyav import av

    resampler = av.AudioResampler(format="fltp", layout="mono", rate=sample_rate_hz)
    begun = False
    for rate_hz, part in parts:
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(part[None]), format="fltp", layout="mono"
        )
        frame.sample_rate, begun = rate_hz, True
        yield from (resampled.to_ndarray()[0] for resampled in resampler.resample(frame))
    if begun:
        yield from (resampled.to_ndarray()[0] for resampled in resampler.resample(None))
