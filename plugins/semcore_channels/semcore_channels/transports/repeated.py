"""Repetition of another transport's symbols, for coverage at low SNR."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from semcore import (
    LEAST_SNR_DB,
    MOST_SNR_DB,
    Adaptive,
    ChannelModel,
    ComponentError,
    Layout,
    Received,
    Rng,
    Semantics,
    Span,
    Stream,
    Symbols,
    Transport,
)
from semcore_channels.transports.stream_layout import received_span

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Repeated(Adaptive):
    """Repeats the symbols of another transport as often as the mean SNR requires, and combines
    them.

    At `least_snr_db` or more they are sent once, below it so often that all copies together have
    that SNR, 10·log10(copies) dB more than one; the receiver weighs them with 1/noise_var (maximum
    ratio combining). Both ends know the mean SNR (or `snr_db`), so the number of copies is not
    signalled.

    Channel uses by kind: those of the transport, and its copies as parity.

    Fields:
        transport: transport whose symbols are sent
        least_snr_db: Es/N0 that it needs, dB
        most: largest number of copies
    """

    reference: ClassVar[str] = (
        "3GPP TS 38.214, 6.1.2.1 (repetition); D. G. Brennan, Proc. IRE 47(6), 1959"
    )
    cites: ClassVar[tuple[str, ...]] = ("ts38214", "brennan1959linear")
    test_settings = (
        {"transport": {"use": "ldpc"}},
        {"transport": {"use": "analog"}, "snr_db": -3.0},
    )

    transport: Transport = field(kw_only=True)
    least_snr_db: Annotated[float, Ge(LEAST_SNR_DB), Le(MOST_SNR_DB)] = 3.0
    most: Annotated[int, Ge(1), Le(1024)] = 32

    def adapted_to(self, channel: ChannelModel) -> Repeated:
        return replace(super().adapted_to(channel), transport=self.transport.adapted_to(channel))

    @property
    def group_size(self) -> int:
        return self.transport.group_size

    def incompatibility(self, stream: type[Stream]) -> str:
        return self.transport.incompatibility(stream)

    @property
    def copies(self) -> int:
        """Number of times symbols are sent."""
        missing_db = self.least_snr_db - self.design_snr_db
        return min(max(math.ceil(10 ** (missing_db / 10) - 1e-9), 1), self.most)

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        import torch

        inner, copies = self.transport.send(batch, rng), self.copies
        lengths = tuple(copies * length for length in inner.layout.lengths)
        values = torch.zeros(len(lengths), max(lengths, default=0), dtype=torch.complex64)
        spans = [self._repeated(span, copies) for span in inner.layout.spans]
        for outer in spans:
            span = _inner(outer)
            # The copies of a span follow each other, so that a fade misses some of them.
            once = inner.values[span.row, span.start : span.stop]
            values[span.row, outer.start : outer.stop] = once.repeat(copies)
        layout = Layout(lengths, tuple(spans), inner.layout.keys, inner.layout.senders)
        return Symbols(values, layout)

    def receive(self, received: Received) -> list[Semantics]:
        import torch

        layout, copies = received.layout, self.copies
        lengths = tuple(length // copies for length in layout.lengths)
        values = torch.zeros(len(lengths), max(lengths, default=0), dtype=torch.complex64)
        noise_var = torch.ones(values.shape)
        for outer in layout.spans:
            span = _inner(outer)
            place = span.row, slice(span.start, span.stop)
            values[place], noise_var[place] = _combined(outer, received, copies)
        spans = tuple(map(_inner, layout.spans))
        inner = Layout(lengths, spans, layout.keys, layout.senders)
        once = Received(values, noise_var, inner, received.overhead, received.report)
        return self.transport.receive(once)

    def _repeated(self, span: Span, copies: int) -> Span:
        """The span of all copies, with the transport's own span inside."""
        uses, bits = dict(span.uses), dict(span.bits)
        more = (copies - 1) * (span.stop - span.start)
        if more:
            uses["parity"] = uses.get("parity", 0) + more
        if more and bits:
            bits["parity"] = bits.get("parity", 0) + (copies - 1) * sum(bits.values())
        start, stop = copies * span.start, copies * span.stop
        return replace(span, start=start, stop=stop, uses=uses, bits=bits, inner=span)


def _inner(span: Span) -> Span:
    if span.inner is None:
        raise ComponentError("Repeated received what it did not send")
    return span.inner


def _combined(span: Span, received: Received, copies: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The copies of a span combined with weights 1/noise_var, and the noise variance left."""
    import torch

    if copies == 1:
        place = span.row, slice(span.start, span.stop)
        return received.values[place].detach().cpu(), received.noise_var[place].detach().cpu()
    values, noise_var = received_span(span, received)
    parts = torch.view_as_real(values.reshape(copies, -1))
    weights = 1 / noise_var.reshape(copies, -1)
    total = weights.sum(0)
    combined = (parts * weights[..., None]).sum(0) / total[..., None]
    return torch.view_as_complex(combined), 1 / total
