"""Metrics of pictures, asked of the frames of a video."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from semcore.interfaces import Metric, Record
from semcore.metrics.builtin import RecordMetric
from semcore.statistics.kinds import Statistic
from semcore_video.metrics.pairs import METHOD, paired


@dataclass(frozen=True)
class Frames(RecordMetric):
    """The mean of a metric of pictures over frames spread over the video: `of: {use: ssim}`, `of:
    {use: lpips}`.

    Like `frame-psnr` such metrics hardly see a face, which is small and moves little. Frames are
    compared that are seen at the same time. A frame that the result lacks, or has beyond the end of
    the source, counts as mid-grey, and so does a lost video. None without a video in the source, or
    where the metric has no value for its frames.

    Fields:
        of: the metric, which looks at pictures
        count: how many frames are looked at, spread evenly
    """

    test_settings = ({"of": {"use": "ssim"}},)
    version: ClassVar[int] = 2

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
        settings = f"frames={self.count},{METHOD},lost=grey,excess=grey,of=({self.of.signature})"
        return f"{type(self).__name__}|{self.version}|{settings}"

    def value(self, record: Record) -> float | None:
        pair = paired(record)
        if pair is None:
            return None
        found = self.of.measure(
            [_of_frame(record, *both) for both in pair.frames(pair.spread(self.count))]
        )
        exact = {one for one in found if one is not None} == {math.inf}
        return math.inf if exact else self.statistic.mean(found)


def _of_frame(record: Record, source: np.ndarray, result: np.ndarray) -> Record:
    """The record of a picture that a frame is."""
    return replace(
        record,
        source=replace(record.source, image=source, video=None, fps=None),
        result=replace(record.result, image=result, video=None, fps=None),
    )
