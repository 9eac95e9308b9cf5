"""Metrics of pictures, asked of the frames of a video."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from annotated_types import Ge

from semcore.interfaces import Metric, Record
from semcore.metrics import RecordMetric
from semcore.statistics import Statistic
from semcore_video.judges.faces import videos


@dataclass(frozen=True)
class Frames(RecordMetric):
    """The mean of a metric of pictures over frames spread over the video: `of: {use: ssim}`, `of: {use: lpips}`.

    Like `frame-psnr` such metrics hardly see a face, which is small and moves little. A lost video counts as mid-grey. None
    without a video in the source, or where the metric has no value for its frames.

    Fields:
        of: the metric, which looks at pictures
        count: how many frames are looked at, spread evenly
    """

    tried_with = ({"of": {"use": "ssim"}},)

    of: Metric
    count: Annotated[int, Ge(1)] = 5

    @property
    def unit(self) -> str:  # type: ignore[override]  # of a class until its metric is known
        """That of the metric."""
        return self.of.unit

    @property
    def better(self) -> str:  # type: ignore[override]  # the same
        """As the metric has it."""
        return self.of.better

    @property
    def statistic(self) -> Statistic:  # type: ignore[override]  # the same
        """That of the metric; over the frames of a clip as well."""
        return self.of.statistic

    @property
    def signature(self) -> str:
        return f"{type(self).__name__}|{self.version}|frames={self.count},lost=grey,of=({self.of.signature})"

    def value(self, record: Record) -> float | None:
        pair = videos(record)
        if pair is None:
            return None
        chosen = np.linspace(0, len(pair[0]) - 1, self.count).round().astype(int)
        grey = np.full_like(pair[0][0], 128)
        frames = [(pair[0][at], grey if pair[1] is None else pair[1][at]) for at in chosen]
        found = self.of.measure([_of_frame(record, *both) for both in frames])
        exact = {one for one in found if one is not None} == {math.inf}
        return math.inf if exact else self.statistic.mean(found)


def _of_frame(record: Record, source: np.ndarray, result: np.ndarray) -> Record:
    """The record of a picture that a frame is."""
    return replace(
        record,
        source=replace(record.source, image=source, video=None, fps=None),
        result=replace(record.result, image=result, video=None, fps=None),
    )
