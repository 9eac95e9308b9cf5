"""95 % confidence intervals by SciPy's functions; `semcore.statistics.kinds` chooses among them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Ends = tuple[float | None, float | None]
"""The least and the greatest possible value; None: unbounded."""
LEVEL = 0.95
RESAMPLES, SEED = 2000, 20
"""Of a bootstrap. The seed is fixed, so that an interval depends on the values alone."""
FEW, MANY = 20, 2000
"""Numbers of samples: below `FEW` a bootstrap interval is too short, and is united with Student's
t; from `MANY` on both are practically equal, and Student's t is taken."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval.

    Fields:
        n: number of samples in the mean
        mean: the estimate; for shares and ratios the ratio of the sums; None without a finite value
        low: lower end of the interval; None without an interval, as for a single sample
        high: upper end of the interval
        exact: number of samples without any error, whose decibels are infinite; not in the mean
        joint: decibels of the mean error of all samples, exact ones included; None for other kinds
    """

    n: int
    mean: float | None
    low: float | None = None
    high: float | None = None
    exact: int = 0
    joint: float | None = None


def _within(value: float, low: float | None, high: float | None) -> float:
    value = value if low is None else max(value, low)
    return value if high is None else min(value, high)


def student(
    values: Sequence[float], low: float | None, high: float | None, level: float = LEVEL
) -> Estimate:
    """Mean and Student's t interval, cut at the ends of the range; no interval for a single value.

    Args:
        values: at least one, finite
        low: least possible value; None: unbounded
        high: greatest possible value; None: unbounded
        level: confidence level, 0..1
    """
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(n, mean)
    from scipy.special import stdtrit

    mean = min(max(mean, min(values)), max(values))  # against rounding
    half = float(stdtrit(n - 1, (1 + level) / 2)) * math.sqrt(
        math.fsum((v - mean) ** 2 for v in values) / (n - 1) / n
    )
    return Estimate(n, mean, _within(mean - half, low, high), _within(mean + half, low, high))


def ratios(
    over: Sequence[Sequence[float]],
    under: Sequence[Sequence[float]],
    bounds: Ends,
    level: float = LEVEL,
) -> Estimate:
    """A ratio of sums, or the first of two minus the second, with its interval (delta method).

    Args:
        over: numerators by sample, of one ratio or two
        under: denominators by sample
        bounds: range of the result
        level: confidence level, 0..1
    """
    mean, shifts = 0.0, [0.0] * len(over[0])
    for sign, a, b in zip((1, -1), over, under, strict=False):
        ratio, middle = math.fsum(a) / math.fsum(b), math.fsum(b) / len(b)
        mean += sign * ratio
        shifts = [
            shift + sign * (one - ratio * other) / middle
            for shift, one, other in zip(shifts, a, b, strict=True)
        ]
    found = student([mean + shift for shift in shifts], *bounds, level)
    if found.low is None or found.high is None:
        return Estimate(found.n, mean)
    return Estimate(found.n, mean, min(found.low, mean), max(found.high, mean))  # against rounding


def clopper_pearson(share: float, trials: float, level: float) -> tuple[float, float]:
    """Clopper–Pearson's interval of a share of independent trials.

    Quantiles of beta distributions, as in `scipy.stats.binomtest`; but the number of trials need
    not be an integer.

    Args:
        share: of events in trials, 0..1
        trials: number of trials, above 0
        level: confidence level, 0..1
    """
    from scipy.special import betaincinv

    events, tail = share * trials, (1 - level) / 2
    low = betaincinv(events, trials - events + 1, tail) if events > 0 else 0.0
    high = betaincinv(events + 1, trials - events, 1 - tail) if share < 1 else 1.0
    return float(low), float(high)


def independent(events: Sequence[float], trials: Sequence[float]) -> float:
    """The effective number of independent trials of clustered ones.

    It is at least one per cluster, and at most the number of all trials.

    Args:
        events: number of events by cluster
        trials: number of trials by cluster
    """
    n, total = len(events), math.fsum(trials)
    if max(trials) == 1 and all(event in (0, 1) for event in events):
        return n
    share = math.fsum(events) / total
    squares = math.fsum((k - share * m) ** 2 for k, m in zip(events, trials, strict=True))
    fewest = total**2 / math.fsum(m * m for m in trials)
    if n == 1 or squares < 1e-18 * total:
        return fewest
    from scipy.special import stdtrit

    variance = n / (n - 1) * squares / total**2
    tail = (1 + LEVEL) / 2
    wider = float(stdtrit(max(total - 1, n - 1), tail) / stdtrit(n - 1, tail)) ** 2
    found = share * (1 - share) / variance * wider
    return max(found if max(trials) == 1 else min(found, total), fewest)


def bootstrapped(
    of: Callable[..., np.ndarray],
    data: Sequence[Sequence[float]],
    student: Estimate,
    bounds: Ends,
) -> Estimate:
    """The BCa bootstrap interval of a statistic.

    Args:
        of: the statistic of arrays, along an `axis`
        data: the arguments of `of`, paired by sample
        student: the estimate by Student's t
        bounds: range of the statistic
    """
    if (
        student.low is None
        or student.high is None
        or student.low == student.high
        or student.n >= MANY
    ):
        return student
    import numpy as np
    from scipy import stats

    arrays = [np.asarray(values, np.float64) for values in data]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about degenerate data, handled below
        found = stats.bootstrap(
            arrays,
            of,
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=max(1, 2_000_000 // student.n),
            confidence_level=LEVEL,
            method="BCa",
            random_state=np.random.default_rng(SEED),
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return student
    if student.n < FEW:
        low, high = min(low, student.low), max(high, student.high)
    assert student.mean is not None
    low, high = min(low, student.mean), max(high, student.mean)
    return Estimate(student.n, student.mean, _within(low, *bounds), _within(high, *bounds))
