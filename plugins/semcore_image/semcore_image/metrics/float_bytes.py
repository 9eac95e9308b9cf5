"""Bytes of the numbers that were sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from semcore import Mean, Record, Statistic
from semcore.metrics import RecordMetric


@dataclass(frozen=True)
class FloatBytes(RecordMetric):
    """Bytes of the real numbers that were sent, 4 each: the overhead C1 of eq. 31 and C2 of eq. 32.

    Counted from the ledger: a channel use of kind `data` without bits carries two real numbers.
    Headers, repetitions and pilots are not included (see `channel-uses`). None if a stream was sent
    as bits, or nothing was sent.
    """

    unit: ClassVar[str] = "byte"
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    cost: ClassVar[bool] = True
    method: ClassVar[str] = "ledger-data,2x4bytes/use"
    reference: ClassVar[str] = "MMSemCom, section V-A, eq. 31-32"
    cites: ClassVar[tuple[str, ...]] = ("liang2024image",)

    def value(self, record: Record) -> float | None:
        uses = record.ledger.uses(kind="data")
        return 8.0 * uses if uses and not record.ledger.bits(kind="data") else None
