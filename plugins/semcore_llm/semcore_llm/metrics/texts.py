"""The texts of a record, for metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from semcore import Record, Text

if TYPE_CHECKING:
    pass


def texts(record: Record) -> Iterator[tuple[str, str | None]]:
    """(sent, received) text of each text stream; None for a lost one."""
    for name, stream in record.sent.streams.items():
        if isinstance(stream, Text):
            yield stream.value, record.arrived.text(name)


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
