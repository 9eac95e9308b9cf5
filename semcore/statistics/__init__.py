"""Kinds of metrics, their means and intervals.

To give a metric an interval of another kind, subclass `Statistic` beside it. `student`,
`bootstrapped` and `clopper_pearson` are intervals to build from.
"""

from semcore.statistics.base import Quotient, Statistic, statistic_of
from semcore.statistics.intervals import (
    LEVEL,
    Ends,
    Estimate,
    bootstrapped,
    clopper_pearson,
    student,
)
from semcore.statistics.kinds import Decibels, Mean, Ratio, Score, Share

__all__ = [
    "LEVEL",
    "Decibels",
    "Ends",
    "Estimate",
    "Mean",
    "Quotient",
    "Ratio",
    "Score",
    "Share",
    "Statistic",
    "bootstrapped",
    "clopper_pearson",
    "statistic_of",
    "student",
]
