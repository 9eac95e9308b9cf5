"""Multi-scale structural similarity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semcore import Record, Score, Statistic
from semcore.metrics import WINDOW, Border, RecordMetric, ms_ssim, pictures


@dataclass(frozen=True)
class MSSSIM(RecordMetric):
    """Multi-scale structural similarity of the picture, 0..1.

    Gaussian window of 11 x 11 with sigma 1.5, data range 255, mean over the colour channels, in
    double precision. Five scales need sides of 176 pixels; smaller pictures use the scales at which
    the window fits, with exponents rescaled to sum to one: four at 96 x 96, two at 32 x 32, one
    (SSIM) below 22. A result of another size is resized to that of the source (bicubic). None
    without two pictures, or if a side is shorter than the window.

    Fields:
        border: windows of the last scale, whose luminance counts: `reflect`: one around every
            pixel, the picture being mirrored at its border (as torchmetrics); `valid`: only those
            inside the picture. The other scales always use `valid`
    """

    statistic: ClassVar[Statistic] = Score(0.0, 1.0)
    version: ClassVar[int] = 2
    reference: ClassVar[str] = (
        "Z. Wang et al., Multiscale structural similarity for image quality assessment, Asilomar "
        "2003"
    )
    cites: ClassVar[tuple[str, ...]] = ("wang2003multiscale",)

    border: Border = "reflect"

    @property
    def method(self) -> str:  # type: ignore[override]
        """Everything needed to compare the value with another one."""
        border = f"border=valid,last-scale={self.border}"
        return f"range=255,window=gaussian-11x11,sigma=1.5,scales=as-fit<=5,{border},resize=bicubic"

    def value(self, record: Record) -> float | None:
        pair = pictures(record)
        if pair is None or min(pair[0].shape[:2]) < WINDOW:
            return None
        return ms_ssim(*pair, self.border)
