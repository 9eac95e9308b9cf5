"""Several streams on one channel: each goes through the transport that the pipeline names for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from semcore.errors import ComponentError
from semcore.interfaces import ChannelModel, Transport
from semcore.rng import Rng
from semcore.types import Layout, Received, Semantics, Span, Symbols

ANY = "*"
"""The key of the transport for every stream without one of its own."""


@dataclass(frozen=True)
class Multiplex:
    """The transports of a pipeline by stream name. Rows of different streams with the same key become one row."""

    transports: Mapping[str, Transport]

    def of(self, stream: str) -> Transport:
        """The transport that carries `stream`."""
        transport = self.transports.get(stream) or self.transports.get(ANY)
        if transport is None:
            raise ComponentError(f"no transport carries the stream {stream!r}: name one under transport.{stream}")
        return transport

    @property
    def group_size(self) -> int:
        """How many consecutive samples of a batch share channel uses, so that whole groups of any transport fit."""
        return math.lcm(*(transport.group_size for transport in self.transports.values()))

    def adapted_to(self, channel: ChannelModel) -> Multiplex:
        """The same transports, set up by a transmitter that knows the channel's mean SNR."""
        return Multiplex({name: transport.adapted_to(channel) for name, transport in self.transports.items()})

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols | None:
        """The symbols of all streams of a batch, or None if there is nothing to send."""
        import torch

        places = [{name: place for place, name in enumerate(semantics.streams)} for semantics in batch]
        pieces: dict[str, list[tuple[torch.Tensor, list[Span]]]] = {}
        for stream in dict.fromkeys(name for semantics in batch for name in semantics.streams):
            part = self.of(stream).send([semantics.only([stream]) for semantics in batch], rng.at(stream))
            for row, key in enumerate(part.layout.keys):
                if length := part.layout.lengths[row]:
                    spans = [span for span in part.layout.spans if span.row == row]
                    pieces.setdefault(key, []).append((part.values[row, :length], spans))
        if not pieces:
            return None

        rows, spans = [], []
        for row, parts in enumerate(pieces.values()):
            start = 0
            # In the sample's own order of streams: the batch it came in must not change which noise a stream meets.
            parts.sort(key=lambda part: [places[span.sample][span.stream] for span in part[1]][:1])
            for values, own in parts:
                spans += [replace(s, row=row, start=s.start + start, stop=s.stop + start) for s in own]
                start += len(values)
            rows.append(torch.cat([values for values, _ in parts]))
        lengths = tuple(len(row) for row in rows)
        senders = tuple((semantics.key, semantics.user) for semantics in batch)
        layout = Layout(lengths, tuple(spans), tuple(pieces), senders)
        return Symbols(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), layout)

    def receive(self, received: Received) -> list[Semantics]:
        """What arrived of each sample of the batch."""
        spans = received.layout.spans
        arrived = {name: self.of(name).receive(_part(received, name)) for name in dict.fromkeys(s.stream for s in spans)}
        merged = []
        for sample, (key, user) in enumerate(received.layout.senders):
            own = [arrived[name][sample] for name in dict.fromkeys(s.stream for s in spans if s.sample == sample)]
            streams = {name: stream for one in own for name, stream in one.streams.items()}
            merged.append(Semantics(key, streams, user, {name: ok for one in own for name, ok in one.intact.items()}))
        return merged


def _part(received: Received, stream: str) -> Received:
    """The rows and columns of one stream, laid out as its transport sent them."""
    import torch

    spans = [span for span in received.layout.spans if span.stream == stream]
    rows = list(dict.fromkeys(span.row for span in spans))
    first = {row: min(span.start for span in spans if span.row == row) for row in rows}
    last = {row: max(span.stop for span in spans if span.row == row) for row in rows}
    layout = replace(
        received.layout,
        lengths=tuple(last[row] - first[row] for row in rows),
        keys=tuple(received.layout.keys[row] for row in rows),
        spans=tuple(
            replace(s, row=rows.index(s.row), start=s.start - first[s.row], stop=s.stop - first[s.row]) for s in spans
        ),
    )
    reports = tuple(received.report[row] for row in rows)
    whole_air = (layout.lengths, layout.keys, layout.spans) == (
        received.layout.lengths, received.layout.keys, received.layout.spans
    )  # fmt: skip
    if whole_air and received.values.shape[1] == max(layout.lengths):  # of a large picture a copy is large, too
        return Received(received.values, received.noise_var, layout, ({},) * len(rows), reports)
    values, noise_var = (
        torch.nn.utils.rnn.pad_sequence([whole[row, first[row] : last[row]] for row in rows], batch_first=True)
        for whole in (received.values, received.noise_var)
    )
    return Received(values, noise_var, layout, ({},) * len(rows), reports)
