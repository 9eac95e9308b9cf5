"""Analog transport of slowly varying numbers by DCT coefficients, without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from semcore_video.transports.spectral import Prior, Spectral


@dataclass(frozen=True)
class DCT(Spectral):
    """Features over time as DCT coefficients with a fixed low-pass prior, without training.

    Both ends assume that a coefficient at frequency k has the variance 1 / (1 + (k / knee)^slope),
    in every column. The 2 `symbols` coefficients of the largest variance are sent, with the power
    allocation of minimum error, after a header of 32 channel uses, or more below 3 dB
    (`semcore_video.transports.spectral`).

    Fields:
        knee: frequency index above which the variance falls
        slope: exponent of the decay
    """

    reference: ClassVar[str] = (
        "K.-H. Lee and D. P. Petersen, Optimal linear coding for vector channels, IEEE Trans. "
        "Commun., 1976"
    )
    cites: ClassVar[tuple[str, ...]] = ("lee1976optimal",)
    test_settings = ({}, {"symbols": 1000, "knee": 8.0})

    knee: Annotated[float, Gt(0)] = 4.0
    slope: Annotated[float, Ge(0), Le(8)] = 2.4

    def priors(self, form: tuple[int, int]) -> Sequence[Prior]:
        frames, numbers = form
        variances = 1 / (1 + (np.arange(frames) / self.knee) ** self.slope)
        return [Prior(np.repeat(variances, numbers).reshape(form))]
