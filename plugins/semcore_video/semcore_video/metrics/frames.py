"""Picture metrics applied to the frames of a video."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from semcore import Metric, Record, Statistic
from semcore.metrics import RecordMetric
from semcore_video.metrics.pairs import METHOD, paired


@dataclass(frozen=True)
class Frames(RecordMetric):
    """The mean of a picture metric over frames spread over the video: `of: {use: ssim}`, `of: {use:
    lpips}`.

    Like `frame-psnr`, such metrics are insensitive to a face, which is small and moves little.
    Frames are compared at equal times. A frame that is missing in the result, or is beyond the end
    of the source, counts as mid-grey, as does a lost video. None without a video in the source, or
    if the metric has no value for its frames.

    Fields:
        of: a metric of pictures
        count: number of frames that are compared, spread evenly
    """

    test_settings = ({"of": {"use": "ssim"}},)
    version: ClassVar[int] = 2

    of: Metric
    count: Annotated[int, Ge(1)] = 5

    @property
    def unit(self) -> str:  # type: ignore[override]  # of a class until its metric is known
        """Unit of the metric."""
        return self.of.unit

    @property
    def better(self) -> str:  # type: ignore[override]  # the same
        """Direction of the metric."""
        return self.of.better

    @property
    def statistic(self) -> Statistic:  # type: ignore[override]  # the same
        """Statistic of the metric; used over the frames of a clip as well."""
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
            [_of_frame(record, *frames) for frames in pair.frames(pair.spread(self.count))]
        )
        exact = {value for value in found if value is not None} == {math.inf}
        return math.inf if exact else self.statistic.mean(found)


def _of_frame(record: Record, source: np.ndarray, result: np.ndarray) -> Record:
    """The record of a frame as a picture."""
    return replace(
        record,
        source=replace(record.source, image=source, video=None, fps=None),
        result=replace(record.result, image=result, video=None, fps=None),
    )
