"""What transports share: the symbols of each sample's streams, laid one behind the other, become one row a sample."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semcore.interfaces import Transport
from semcore.rng import Rng
from semcore.types import Layout, Received, Semantics, Span, Stream, Symbols

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Burst:
    """The symbols of one stream of one sample.

    Fields:
        name: name of the stream
        stream: what is sent
        symbols: complex64 (n,)
        uses: channel uses by kind; they sum to n
        bits: channel bits by kind; empty for analog streams
    """

    name: str
    stream: Stream
    symbols: torch.Tensor
    uses: Mapping[str, int]
    bits: Mapping[str, int]


def lay_out(batch: Sequence[Semantics], bursts: Sequence[Sequence[Burst]]) -> Symbols:
    """One row a sample of `batch`, filled with its bursts in order, zeros behind them; no burst: a row of length 0."""
    import torch

    spans, lengths = [], []
    for row, mine in enumerate(bursts):
        start = 0
        for burst in mine:
            stop = start + len(burst.symbols)
            stream = burst.stream
            spans.append(Span(row, start, stop, row, burst.name, type(stream), stream.form, burst.bits, burst.uses))
            start = stop
        lengths.append(start)
    values = torch.zeros(len(batch), max(lengths, default=0), dtype=torch.complex64)
    for row, (mine, length) in enumerate(zip(bursts, lengths, strict=True)):
        if mine:
            values[row, :length] = torch.cat([burst.symbols for burst in mine])
    keys = tuple(semantics.key for semantics in batch)
    senders = tuple((semantics.key, semantics.user) for semantics in batch)
    return Symbols(values, Layout(tuple(lengths), tuple(spans), keys, senders))


@dataclass(frozen=True)
class StreamTransport(Transport, abc.ABC):
    """A transport that sends every stream by itself, whatever else its sample or the batch holds."""

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        return lay_out(batch, [[self.burst(*item) for item in semantics.streams.items()] for semantics in batch])

    def receive(self, received: Received) -> list[Semantics]:
        layout = received.layout
        return layout.semantics({(span.sample, span.stream): (self.stream(span, received), None) for span in layout.spans})

    @abc.abstractmethod
    def burst(self, name: str, stream: Stream) -> Burst:
        """A stream as symbols of unit power."""

    @abc.abstractmethod
    def stream(self, span: Span, received: Received) -> Stream | None:
        """The stream of a span again, without a verdict; None: it is lost."""
