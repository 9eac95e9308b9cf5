"""Several streams on one channel, each with its transport."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from semcore.errors import ComponentError
from semcore.interfaces import ChannelModel, Transport
from semcore.rng import Rng
from semcore.types import Layout, Received, Semantics, Span, Stream, Symbols

ANY = "*"
"""Key of the transport for all other streams."""


@dataclass(frozen=True)
class Multiplex:
    """The transports of a pipeline by stream name. Rows with the same key become one row."""

    transports: Mapping[str, Transport]

    def of(self, stream: str) -> Transport:
        """The transport that carries `stream`."""
        transport = self.transports.get(stream) or self.transports.get(ANY)
        if transport is None:
            fix = f"name one under transport.{stream}"
            raise ComponentError(f"no transport carries the stream {stream!r}: {fix}")
        return transport

    @property
    def group_size(self) -> int:
        """Samples per group: the least common multiple of those of the transports."""
        return math.lcm(*(transport.group_size for transport in self.transports.values()))

    def adapted_to(self, channel: ChannelModel) -> Multiplex:
        """The transports as set up for this channel, see `Transport.adapted_to`."""
        transports = self.transports.items()
        return Multiplex({name: transport.adapted_to(channel) for name, transport in transports})

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols | None:
        """The symbols of all streams of a batch, or None if there is nothing to send."""
        import torch

        order = [list(semantics.streams) for semantics in batch]
        pieces: dict[str, list[tuple[torch.Tensor, list[Span]]]] = {}
        for stream in dict.fromkeys(name for semantics in batch for name in semantics.streams):
            alone = [semantics.only([stream]) for semantics in batch]
            part = self.of(stream).send(alone, rng.at(stream))
            for row, key in enumerate(part.layout.keys):
                if length := part.layout.lengths[row]:
                    spans = [span for span in part.layout.spans if span.row == row]
                    pieces.setdefault(key, []).append((part.values[row, :length], spans))
        if not pieces:
            return None

        rows, spans = [], []
        for row, parts in enumerate(pieces.values()):
            start = 0
            # In the order of the sample's streams, so that the noise does not depend on the batch.
            parts.sort(key=lambda part: [order[s.sample].index(s.stream) for s in part[1]][:1])
            for values, own in parts:
                for s in own:
                    spans.append(replace(s, row=row, start=s.start + start, stop=s.stop + start))
                start += len(values)
            rows.append(torch.cat([values for values, _ in parts]))
        lengths = tuple(len(row) for row in rows)
        senders = tuple((semantics.key, semantics.user) for semantics in batch)
        layout = Layout(lengths, tuple(spans), tuple(pieces), senders)
        return Symbols(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), layout)

    def receive(self, received: Received) -> list[Semantics]:
        """What arrived of each sample of the batch."""
        spans = received.layout.spans
        names = dict.fromkeys(s.stream for s in spans)
        arrived = {name: self.of(name).receive(_part(received, name)) for name in names}
        merged = []
        for sample, (key, user) in enumerate(received.layout.senders):
            streams: dict[str, Stream] = {}
            intact: dict[str, bool] = {}
            for name in dict.fromkeys(s.stream for s in spans if s.sample == sample):
                streams.update(arrived[name][sample].streams)
                intact.update(arrived[name][sample].intact)
            merged.append(Semantics(key, streams, user, intact))
        return merged


def _part(received: Received, stream: str) -> Received:
    """The rows and columns of one stream, laid out as its transport sent them."""
    import torch

    spans = [span for span in received.layout.spans if span.stream == stream]
    rows = list(dict.fromkeys(span.row for span in spans))
    first = {row: min(span.start for span in spans if span.row == row) for row in rows}
    last = {row: max(span.stop for span in spans if span.row == row) for row in rows}
    moved = []
    for s in spans:
        start = first[s.row]
        row = rows.index(s.row)
        moved.append(replace(s, row=row, start=s.start - start, stop=s.stop - start))
    lengths = tuple(last[row] - first[row] for row in rows)
    keys = tuple(received.layout.keys[row] for row in rows)
    layout = replace(received.layout, lengths=lengths, keys=keys, spans=tuple(moved))
    reports = tuple(received.report[row] for row in rows)
    empty: tuple[Mapping[str, int], ...] = ({},) * len(rows)
    # If the stream takes all rows and columns, nothing is copied: a picture can be large.
    if layout == received.layout and received.values.shape[1] == max(lengths):
        return Received(received.values, received.noise_var, layout, empty, reports)

    def cut(whole: torch.Tensor) -> torch.Tensor:
        parts = [whole[row, first[row] : last[row]] for row in rows]
        return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)

    return Received(cut(received.values), cut(received.noise_var), layout, empty, reports)
