"""Share of the characters that arrived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semcore import Record, Score, Statistic
from semcore.metrics import RecordMetric

if TYPE_CHECKING:
    pass
from semcore_llm.metrics.texts import mean, texts


@dataclass(frozen=True)
class CharAccuracy(RecordMetric):
    """Character accuracy, 1 − edit distance / length of the longer text, 0..1.

    The mean over the text streams; a lost stream counts 0, equal texts 1. None if no text was sent.
    """

    statistic: ClassVar[Statistic] = Score(0.0, 1.0)
    method: ClassVar[str] = "levenshtein/max-length,streams=mean,lost=0"

    def value(self, record: Record) -> float | None:
        return mean([self._score(sent, arrived) for sent, arrived in texts(record)])

    def _score(self, sent: str, arrived: str | None) -> float:
        if arrived is None:
            return 0.0
        return 1 - edit_distance(sent, arrived) / max(len(sent), len(arrived), 1)


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance: number of characters to insert, delete or substitute."""
    import numpy as np

    codes = np.array([ord(character) for character in other], dtype=np.int64)
    steps = np.arange(len(other) + 1)
    row = steps
    for index, character in enumerate(one, start=1):
        best = np.minimum(row[1:] + 1, row[:-1] + (codes != ord(character)))
        # An insertion costs one more than the column before: a running minimum of the cost above
        # the diagonal.
        row = np.minimum.accumulate(np.concatenate([[index], best]) - steps) + steps
    return int(row[-1])
