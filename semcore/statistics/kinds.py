"""The kinds of metrics, and what follows for the mean of their values and its 95 % interval: the one place for both.

    Share      events of trials (BER, BLER, class accuracy)   Clopper–Pearson; samples with several trials are clusters
    Score      between two ends (SSIM, BLEU, CSIM, STOI)      BCa bootstrap over samples
    Mean       without an upper end (MSE, channel uses)       Student's t over samples
    Ratio      of two sums (WER, bit/s)                       BCa bootstrap over samples
    Decibels   of errors, infinite where nothing is wrong     Student's t over the samples with an error

No interval leaves the range of its metric. Observations are samples: what is measured several times in one sample
depends on that sample.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from semcore.statistics.intervals import LEVEL, Estimate, bootstrapped, clopper_pearson, independent, ratios, student

LOSSLESS_DB = 100.0
"""What samples without any error count as where a utility needs a number; it stands in no mean."""


class Quotient(float):
    """A value with its parts, such as wrong bits / bits, so that sums over samples can be formed.

    Args:
        numerator: finite
        denominator: finite and greater than 0
    """

    __slots__ = ("denominator", "numerator")
    numerator: float
    denominator: float

    def __new__(cls, numerator: float, denominator: float) -> Quotient:
        """The value numerator / denominator."""
        made = super().__new__(cls, numerator / denominator)
        made.numerator, made.denominator = float(numerator), float(denominator)
        return made

    def __getnewargs__(self) -> tuple[float, float]:  # type: ignore[override]
        return self.numerator, self.denominator


def parts(value: float) -> tuple[float, float]:
    """Numerator and denominator of a value; of one without parts the value and 1."""
    return (value.numerator, value.denominator) if isinstance(value, Quotient) else (float(value), 1.0)


@dataclass(frozen=True)
class Statistic(abc.ABC):
    """What kind of number a metric gives; see the module's table."""

    kind: ClassVar[str]
    words: ClassVar[str]
    """Whose interval it is, for captions."""

    @property
    @abc.abstractmethod
    def range(self) -> tuple[float | None, float | None]:
        """The least and the greatest value there can be; None: no end."""

    @abc.abstractmethod
    def estimate(self, values: Sequence[float]) -> Estimate:
        """Mean and interval of at least one value, none of them NaN."""

    @abc.abstractmethod
    def average(self, values: Sequence[float]) -> float | None:
        """The mean of such values alone, as `estimate` has it."""

    def difference(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> Estimate:
        """Mean of ours less theirs, over the same samples in the same order, and its interval of a level."""
        most = _width(self.range)
        apart = [one - other for one, other in zip(ours, theirs, strict=True)]
        return student(apart, None if most is None else -most, most, level)

    def apart(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> int:
        """1 if ours are greater than theirs, over the same samples, -1 if less; 0 if the interval leaves that open."""
        found = self.difference(ours, theirs, level)
        if found.low is None or found.high is None:
            return 0
        return (found.low > 0) - (found.high < 0)

    def of(self, values: Sequence[float | None]) -> Estimate:
        """Mean and interval of the values that there are; values that are not numbers make the mean unknown."""
        known = [value for value in values if value is not None]
        return self.estimate(known) if known and self.allows(known) else Estimate(len(known), None)

    def mean(self, values: Sequence[float | None]) -> float | None:
        """The mean of the values that there are, as `of` has it."""
        known = [value for value in values if value is not None]
        return self.average(known) if known and self.allows(known) else None

    def level(self, values: Sequence[float | None]) -> float | None:
        """One finite number for the values that there are, which grows with each of them: for a utility."""
        return self.mean(values)

    def together(self, values: Sequence[float]) -> float:
        """Values of one sample, measured several times, as one value of it."""
        if any(isinstance(value, Quotient) for value in values):
            over, under = zip(*map(parts, values), strict=True)
            return Quotient(math.fsum(over), math.fsum(under))
        return math.inf if set(values) == {math.inf} else self.average(values) or 0.0

    def allows(self, values: Sequence[float]) -> bool:
        """Whether the values are numbers that have a mean."""
        return all(map(math.isfinite, values))

    @property
    def described(self) -> dict[str, Any]:
        """As results hold it; `statistic_of` reads it."""
        low, high = self.range
        return {"kind": self.kind, **asdict(self), "low": low, "high": high}


@dataclass(frozen=True)
class Share(Statistic):
    """Events of trials, such as wrong bits of bits. A value is one trial, or a `Quotient`: events / trials of a sample.

    Trials of one sample are not independent (bits of a block): samples are clusters, and the interval is that of Korn and
    Graubard: Clopper–Pearson's with the number of trials that independent ones of the same spread would have. It is
    at least the number of samples, and equal to it where no spread is seen, as with 0 errors.
    Source: E. L. Korn, B. I. Graubard, Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data, Survey Methodology 24(2), 1998.

    Fields:
        whole: value of a certain event: 1, or 100 for per cent
    """

    kind: ClassVar[str] = "share"
    words: ClassVar[str] = "Clopper–Pearson"

    whole: float = 1.0

    @property
    def range(self) -> tuple[float | None, float | None]:
        return 0.0, self.whole

    def estimate(self, values: Sequence[float]) -> Estimate:
        events, trials = self._counts(values)
        share = math.fsum(events) / math.fsum(trials)
        low, high = clopper_pearson(share, independent(events, trials), LEVEL)
        return Estimate(len(values), share * self.whole, low * self.whole, high * self.whole)

    def average(self, values: Sequence[float]) -> float | None:
        events, trials = self._counts(values)
        return math.fsum(events) / math.fsum(trials) * self.whole

    def difference(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> Estimate:
        """Of single trials: Clopper–Pearson's intervals of both kinds of discordant samples, each with half of the risk."""
        n, pairs = len(ours), (self._counts(ours), self._counts(theirs))
        both = [[k / m for k, m in zip(*counts, strict=True)] for counts in pairs]
        apart = [one - other for one, other in zip(*both, strict=True)]
        if all(abs(value) in (0.0, 1.0) for value in apart) or len(set(apart)) == 1:
            shares = (math.fsum(max(sign * value, 0.0) for value in apart) / n for sign in (1, -1))
            more, less = (clopper_pearson(share, n, (1 + level) / 2) for share in shares)
            low, high = more[0] - less[1], more[1] - less[0]
            return Estimate(n, self.whole * math.fsum(apart) / n, self.whole * low, self.whole * high)
        (ours_of, our_trials), (theirs_of, their_trials) = pairs
        found = ratios((ours_of, theirs_of), (our_trials, their_trials), (-1.0, 1.0), level)
        assert found.mean is not None and found.low is not None and found.high is not None
        return Estimate(n, self.whole * found.mean, self.whole * found.low, self.whole * found.high)

    def _counts(self, values: Sequence[float]) -> tuple[list[float], list[float]]:
        """Events and trials of each value."""
        found = [parts(value if isinstance(value, Quotient) else value / self.whole) for value in values]
        return [events for events, _ in found], [trials for _, trials in found]


@dataclass(frozen=True)
class Score(Statistic):
    """A value between two ends.

    Fields:
        low: the least value
        high: the greatest
    """

    kind: ClassVar[str] = "score"
    words: ClassVar[str] = "BCa bootstrap"

    low: float = 0.0
    high: float = 1.0

    @property
    def range(self) -> tuple[float | None, float | None]:
        return self.low, self.high

    def estimate(self, values: Sequence[float]) -> Estimate:
        return bootstrapped(lambda some, axis: some.mean(axis), (values,), student(values, self.low, self.high), self.range)

    def average(self, values: Sequence[float]) -> float | None:
        return math.fsum(values) / len(values)


@dataclass(frozen=True)
class Mean(Statistic):
    """A value with at most one end, averaged over samples.

    Fields:
        low: the least value; None: no end
        high: the greatest; None: no end
    """

    kind: ClassVar[str] = "mean"
    words: ClassVar[str] = "Student's t"

    low: float | None = None
    high: float | None = None

    @property
    def range(self) -> tuple[float | None, float | None]:
        return self.low, self.high

    def estimate(self, values: Sequence[float]) -> Estimate:
        return student(values, self.low, self.high)

    def average(self, values: Sequence[float]) -> float | None:
        return math.fsum(values) / len(values)


@dataclass(frozen=True)
class Ratio(Statistic):
    """A ratio of sums over samples, such as errors / words. Values are `Quotient`s; one without parts counts as value / 1.

    Fields:
        low: the least value; None: no end
        high: the greatest; None: no end
        whole: value of a sample in which everything is wrong, by which the interval of a rate of 0 is bounded; None: it has
            none, and a rate of 0 no interval
    """

    kind: ClassVar[str] = "ratio"
    words: ClassVar[str] = "BCa bootstrap of the ratio of sums"

    low: float | None = 0.0
    high: float | None = None
    whole: float | None = None

    @property
    def range(self) -> tuple[float | None, float | None]:
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

    def difference(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> Estimate:
        """Linearised, by Student's t over samples."""
        over, under = zip(*(zip(*map(parts, values), strict=True) for values in (ours, theirs)), strict=True)
        if not any(map(any, over)):
            most = None if self.whole is None else self.whole * clopper_pearson(0.0, len(ours), level)[1]
            return Estimate(len(ours), 0.0, None if most is None else -most, most)
        most = _width(self.range)
        return ratios(over, under, bounds=(None if most is None else -most, most), level=level)


@dataclass(frozen=True)
class Decibels(Statistic):
    """Decibels of a ratio to an error, such as a PSNR: infinite for a sample without any error.

    The mean is over the samples with an error; `exact` counts the others, and `joint` is the value of the mean error of all
    samples, which is what some publish as the PSNR of a data set.
    """

    kind: ClassVar[str] = "decibels"
    words: ClassVar[str] = "Student's t"

    @property
    def range(self) -> tuple[float | None, float | None]:
        return None, None

    def estimate(self, values: Sequence[float]) -> Estimate:
        finite = [value for value in values if math.isfinite(value)]
        found = student(finite, None, None) if finite else Estimate(0, None)
        return Estimate(found.n, found.mean, found.low, found.high, len(values) - len(finite), _joint(values))

    def average(self, values: Sequence[float]) -> float | None:
        finite = [value for value in values if math.isfinite(value)]
        return math.fsum(finite) / len(finite) if finite else None

    def level(self, values: Sequence[float | None]) -> float | None:
        """The mean; where some samples are exact, that of the mean error; where all are, `LOSSLESS_DB`."""
        known = [value for value in values if value is not None]
        if not known or not self.allows(known):
            return None
        return self.average(known) if all(map(math.isfinite, known)) else _joint(known) or LOSSLESS_DB

    def allows(self, values: Sequence[float]) -> bool:
        """Whether the values are numbers, or infinite."""
        return not any(math.isnan(value) or value == -math.inf for value in values)

    def difference(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> Estimate:
        """Over the samples with an error on both sides; `exact` counts the others."""
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if math.isfinite(a) and math.isfinite(b)]
        found = student([a - b for a, b in pairs], None, None, level) if pairs else Estimate(0, None)
        return Estimate(found.n, found.mean, found.low, found.high, len(ours) - len(pairs))

    def apart(self, ours: Sequence[float], theirs: Sequence[float], level: float = LEVEL) -> int:
        """As the share of exact samples has it, and the decibels of the others, where they do not contradict each other."""
        exact = Share().apart([float(one == math.inf) for one in ours], [float(one == math.inf) for one in theirs], level)
        others = super().apart(ours, theirs, level)
        return 0 if exact * others < 0 else exact or others


KINDS: dict[str, type[Statistic]] = {one.kind: one for one in (Share, Score, Mean, Ratio, Decibels)}


def statistic_of(described: Mapping[str, Any]) -> Statistic:
    """The statistic that results describe.

    Raises:
        ValueError: there is no such kind, or its numbers are none
    """
    kind = KINDS.get(str(described.get("kind")))
    if kind is None:
        raise ValueError(f"a statistic is of the kind {', '.join(KINDS)}")
    values = {field.name: described.get(field.name) for field in fields(kind)}
    for name, value in values.items():
        if not (isinstance(value, (int, float)) and math.isfinite(value) or value is None and kind in (Mean, Ratio)):
            raise ValueError(f"{name} of a {kind.kind} is not a number")
    if (whole := values.get("whole")) is not None and whole <= 0:
        raise ValueError(f"whole of a {kind.kind} is not above 0")
    return kind(**values)


# ---------------------------------------------------------------------------------------------- helpers


def _joint(values: Sequence[float]) -> float | None:
    """Decibels of the mean error; None without any error."""
    error = math.fsum(10 ** (-value / 10) for value in values) / len(values)
    return -10 * math.log10(error) if error else None


def _width(ends: tuple[float | None, float | None]) -> float | None:
    return None if ends[0] is None or ends[1] is None else ends[1] - ends[0]
