"""The kinds of metrics: the one place for the mean of their values and its 95 % interval.

| kind | for | interval |
|---|---|---|
| `Share` | events of trials (BER, BLER, class accuracy) | Clopper–Pearson; samples are clusters |
| `Score` | values between two ends (SSIM, BLEU, CSIM, STOI) | BCa bootstrap over samples |
| `Mean` | values without an upper end (MSE, channel uses) | Student's t over samples |
| `Ratio` | ratios of two sums (WER, bit/s) | BCa bootstrap over samples |
| `Decibels` | errors, infinite where there is none | Student's t over samples with an error |

No interval leaves the range of its metric. Observations are samples: repeated measurements of one
sample are not independent. Another kind is another subclass of `Statistic`, in the file of the
metric that has it; nothing here changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from semcore.statistics.base import Quotient, Statistic, parts, width
from semcore.statistics.intervals import (
    LEVEL,
    Ends,
    Estimate,
    bootstrapped,
    clopper_pearson,
    independent,
    ratios,
    student,
)

LOSSLESS_DB = 100.0
"""The value of samples without any error where a utility needs a number; it enters no mean."""


@dataclass(frozen=True)
class Share(Statistic):
    """The share of events in trials, such as wrong bits in bits.

    A value is one trial, or a `Quotient`: events / trials of a sample. Trials of one sample are not
    independent (bits of a block), so samples are clusters. The interval is that of Korn and
    Graubard: Clopper–Pearson's for the effective number of trials, which is the number of
    independent trials with the same variance. It is at least the number of samples, and equal to it
    where there is no variance, as with 0 errors.

    Source: E. L. Korn, B. I. Graubard, Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data, Survey Methodology 24(2), 1998.

    Fields:
        whole: value of a certain event: 1, or 100 for per cent

    Raises:
        ValueError: `whole` is not positive
    """

    kind: ClassVar[str] = "share"
    words: ClassVar[str] = "Clopper–Pearson"
    symmetric: ClassVar[bool] = False

    whole: float = 1.0

    def __post_init__(self) -> None:
        _check_whole(self.whole)

    @property
    def range(self) -> Ends:
        return 0.0, self.whole

    def estimate(self, values: Sequence[float]) -> Estimate:
        events, trials = self._counts(values)
        share = math.fsum(events) / math.fsum(trials)
        low, high = clopper_pearson(share, independent(events, trials), LEVEL)
        return Estimate(len(values), share * self.whole, low * self.whole, high * self.whole)

    def average(self, values: Sequence[float]) -> float | None:
        events, trials = self._counts(values)
        return math.fsum(events) / math.fsum(trials) * self.whole

    def difference(
        self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL
    ) -> Estimate:
        """For single trials: Clopper–Pearson's intervals of both kinds of discordant samples.

        Each has half of the risk.
        """
        n, pairs = len(ours), (self._counts(ours), self._counts(theirs))
        both = [[k / m for k, m in zip(*counts, strict=True)] for counts in pairs]
        apart = [one - other for one, other in zip(*both, strict=True)]
        if all(abs(value) in (0.0, 1.0) for value in apart) or len(set(apart)) == 1:
            shares = (math.fsum(max(sign * value, 0.0) for value in apart) / n for sign in (1, -1))
            more, less = (clopper_pearson(share, n, (1 + level) / 2) for share in shares)
            low, high = more[0] - less[1], more[1] - less[0]
            return Estimate(
                n, self.whole * math.fsum(apart) / n, self.whole * low, self.whole * high
            )
        (ours_of, our_trials), (theirs_of, their_trials) = pairs
        found = ratios((ours_of, theirs_of), (our_trials, their_trials), (-1.0, 1.0), level)
        assert found.mean is not None and found.low is not None and found.high is not None
        return Estimate(n, self.whole * found.mean, self.whole * found.low, self.whole * found.high)

    def _counts(self, values: Sequence[float]) -> tuple[list[float], list[float]]:
        """Events and trials of each value, in two lists."""
        found = [
            parts(value if isinstance(value, Quotient) else value / self.whole) for value in values
        ]
        return [events for events, _ in found], [trials for _, trials in found]


@dataclass(frozen=True)
class Score(Statistic):
    """A value between two ends.

    Fields:
        low: least possible value
        high: greatest possible value
    """

    kind: ClassVar[str] = "score"
    words: ClassVar[str] = "BCa bootstrap"
    symmetric: ClassVar[bool] = False

    low: float = 0.0
    high: float = 1.0

    @property
    def range(self) -> Ends:
        return self.low, self.high

    def estimate(self, values: Sequence[float]) -> Estimate:
        return bootstrapped(
            lambda some, axis: some.mean(axis),
            (values,),
            student(values, self.low, self.high),
            self.range,
        )


@dataclass(frozen=True)
class Mean(Statistic):
    """A value that is unbounded, at least on one side.

    Fields:
        low: least possible value; None: unbounded
        high: greatest possible value; None: unbounded
    """

    kind: ClassVar[str] = "mean"
    words: ClassVar[str] = "Student's t"

    low: float | None = None
    high: float | None = None

    @property
    def range(self) -> Ends:
        return self.low, self.high

    def estimate(self, values: Sequence[float]) -> Estimate:
        return student(values, self.low, self.high)


@dataclass(frozen=True)
class Ratio(Statistic):
    """A ratio of sums over samples, such as errors / words.

    Values are `Quotient`s; one without parts counts as value / 1.

    Fields:
        low: least possible value; None: unbounded
        high: greatest possible value; None: unbounded
        whole: value of a sample in which everything is wrong, which bounds the interval of a rate
            of 0; None: a rate of 0 has no interval

    Raises:
        ValueError: `whole` is not positive
    """

    kind: ClassVar[str] = "ratio"
    words: ClassVar[str] = "BCa bootstrap of the ratio of sums"
    symmetric: ClassVar[bool] = False

    low: float | None = 0.0
    high: float | None = None
    whole: float | None = None

    def __post_init__(self) -> None:
        _check_whole(self.whole)

    @property
    def range(self) -> Ends:
        return self.low, self.high

    def estimate(self, values: Sequence[float]) -> Estimate:
        over, under = zip(*map(parts, values), strict=True)
        n = len(values)
        if not any(over):
            high = None if self.whole is None else self.whole * clopper_pearson(0.0, n, LEVEL)[1]
            return Estimate(n, 0.0, None if high is None else 0.0, high)
        return bootstrapped(
            lambda one, other, axis: one.sum(axis) / other.sum(axis),
            (over, under),
            ratios((over,), (under,), bounds=self.range),
            self.range,
        )

    def average(self, values: Sequence[float]) -> float | None:
        over, under = zip(*map(parts, values), strict=True)
        return math.fsum(over) / math.fsum(under)

    def difference(
        self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL
    ) -> Estimate:
        """Linearised, by Student's t over samples."""
        over, under = zip(
            *(zip(*map(parts, values), strict=True) for values in (ours, theirs)), strict=True
        )
        if not any(map(any, over)):
            most = (
                None
                if self.whole is None
                else self.whole * clopper_pearson(0.0, len(ours), level)[1]
            )
            return Estimate(len(ours), 0.0, None if most is None else -most, most)
        most = width(self.range)
        return ratios(over, under, bounds=(None if most is None else -most, most), level=level)


@dataclass(frozen=True)
class Decibels(Statistic):
    """Decibels of a ratio to an error, such as a PSNR: infinite for a sample without any error.

    The mean is over the samples with an error. `exact` counts the others, and `joint` is the value
    of the mean error of all samples, which some publications call the PSNR of a data set.
    """

    kind: ClassVar[str] = "decibels"
    words: ClassVar[str] = "Student's t"

    @property
    def range(self) -> Ends:
        return None, None

    def estimate(self, values: Sequence[float]) -> Estimate:
        finite = [value for value in values if math.isfinite(value)]
        found = student(finite, None, None) if finite else Estimate(0, None)
        return Estimate(
            found.n, found.mean, found.low, found.high, len(values) - len(finite), _joint(values)
        )

    def average(self, values: Sequence[float]) -> float | None:
        finite = [value for value in values if math.isfinite(value)]
        return math.fsum(finite) / len(finite) if finite else None

    def level(self, values: Sequence[float | None]) -> float | None:
        """The mean; with exact samples that of the mean error; `LOSSLESS_DB` if all are exact."""
        known = [value for value in values if value is not None]
        if not known or not self.allows(known):
            return None
        return (
            self.average(known) if all(map(math.isfinite, known)) else _joint(known) or LOSSLESS_DB
        )

    def allows(self, values: Sequence[float]) -> bool:
        """Whether the values are numbers, or infinite."""
        return not any(math.isnan(value) or value == -math.inf for value in values)

    def difference(
        self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL
    ) -> Estimate:
        """Over the samples with an error on both sides; `exact` counts the others."""
        pairs = [
            (a, b)
            for a, b in zip(ours, theirs, strict=True)
            if math.isfinite(a) and math.isfinite(b)
        ]
        found = (
            student([a - b for a, b in pairs], None, None, level) if pairs else Estimate(0, None)
        )
        return Estimate(found.n, found.mean, found.low, found.high, len(ours) - len(pairs))

    def apart(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> int:
        """By the share of exact samples, else by the others; 0 if the two contradict."""
        exact = Share().apart(
            [float(one == math.inf) for one in ours],
            [float(one == math.inf) for one in theirs],
            level,
        )
        others = super().apart(ours, theirs, level)
        return 0 if exact * others < 0 else exact or others


def _check_whole(whole: float | None) -> None:
    if whole is not None and not whole > 0:
        raise ValueError("whole of a statistic is not above 0")


def _joint(values: Sequence[float]) -> float | None:
    """Decibels of the mean error; None without any error."""
    error = math.fsum(10 ** (-value / 10) for value in values) / len(values)
    return -10 * math.log10(error) if error else None
