"""Streams as rows of symbols: one row per sample, with its streams one after the other."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from semcore import Layout, Received, Rng, Semantics, Span, Stream, Symbols, Transport
from semcore_channels.transports.interleaving import deinterleave

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Burst:
    """The symbols of one stream of one sample.

    Fields:
        name: name of the stream
        stream: the stream that is sent
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
    """One row per sample: its bursts in order, then zeros.

    A sample without a burst has a row of length 0.
    """
    import torch

    spans, lengths = [], []
    for row, row_bursts in enumerate(bursts):
        start = 0
        for burst in row_bursts:
            stop = start + len(burst.symbols)
            stream = burst.stream
            spans.append(
                Span(
                    row,
                    start,
                    stop,
                    row,
                    burst.name,
                    type(stream),
                    stream.form,
                    burst.bits,
                    burst.uses,
                )
            )
            start = stop
        lengths.append(start)
    values = torch.zeros(len(batch), max(lengths, default=0), dtype=torch.complex64)
    for row, (row_bursts, length) in enumerate(zip(bursts, lengths, strict=True)):
        if row_bursts:
            values[row, :length] = torch.cat([burst.symbols for burst in row_bursts])
    keys = tuple(semantics.key for semantics in batch)
    senders = tuple((semantics.key, semantics.user) for semantics in batch)
    return Symbols(values, Layout(tuple(lengths), tuple(spans), keys, senders))


def received_span(
    span: Span, received: Received, min_noise_var: float = 1e-12
) -> tuple[torch.Tensor, torch.Tensor]:
    """The symbols of a span and the variance of the noise in each, on the CPU, without a gradient.

    NaN and infinity, which a channel may return for a deep fade, become finite: a symbol that is
        not
    a number counts as 0 with noise variance 1e12.

    Args:
        span: columns of a row
        received: what the channel returned
        min_noise_var: smallest noise variance

    Returns:
        complex64 (n,), each part within ±1e6, and float32 (n,), min_noise_var..1e12
    """
    import torch

    place = span.row, slice(span.start, span.stop)
    parts = (
        torch.view_as_real(received.values[place].detach().cpu()).nan_to_num(0.0).clamp_(-1e6, 1e6)
    )
    noise_var = (
        received.noise_var[place].detach().cpu().nan_to_num(1e12).clamp_(min_noise_var, 1e12)
    )
    return torch.view_as_complex(parts.contiguous()), noise_var


def deinterleaved_span(span: Span, received: Received) -> tuple[torch.Tensor, torch.Tensor]:
    """Like `received_span`, of a burst that was sent interleaved; noise variances are 1e-6 at
    least.
    """
    values, noise_var = received_span(span, received, 1e-6)
    return deinterleave(values), deinterleave(noise_var)


@dataclass(frozen=True)
class StreamTransport(Transport, abc.ABC):
    """A transport that sends each stream by itself, independently of the other streams."""

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        bursts = [[self.burst(*item) for item in semantics.streams.items()] for semantics in batch]
        return lay_out(batch, bursts)

    def receive(self, received: Received) -> list[Semantics]:
        spans = received.layout.spans
        streams = {
            (span.sample, span.stream): (self.stream(span, received), None) for span in spans
        }
        return received.layout.semantics(streams)

    @abc.abstractmethod
    def burst(self, name: str, stream: Stream) -> Burst:
        """A stream as symbols of unit power."""

    @abc.abstractmethod
    def stream(self, span: Span, received: Received) -> Stream | None:
        """The stream of a received span, unverified; None: it is lost."""
