"""Any transport with its symbols sent several times over a bad channel: coverage by repetition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from semcore.errors import ComponentError
from semcore.interfaces import ChannelModel, Transport
from semcore.link.adaptation import LEAST_SNR_DB, MOST_SNR_DB, Adaptive
from semcore.rng import Rng
from semcore.types import Layout, Received, Semantics, Span, Stream, Symbols

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Repeated(Adaptive):
    """Sends the symbols of another transport as often as the mean SNR asks for, and adds up what arrives.

    Over a channel of `least_snr_db` or more they are sent once. Over a worse one they are sent often enough that all copies
    together have that SNR, 10·log10(copies) dB more than one; the receiver weighs them with 1/noise_var (maximum ratio).
    Both ends know the mean SNR (or `snr_db`), so nothing tells how many there are.

    Channel uses by kind: those of the transport, and its copies as parity.

    Fields:
        transport: whose symbols are sent
        least_snr_db: Es/N0 that it needs, dB
        most: most copies
    """

    reference: ClassVar[str] = "3GPP TS 38.214, 6.1.2.1 (repetition); D. G. Brennan, Proc. IRE 47(6), 1959"
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
        """How often symbols are sent."""
        short_db = self.least_snr_db - self.design_snr_db
        return min(max(math.ceil(10 ** (short_db / 10) - 1e-9), 1), self.most)

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        import torch

        inner, times = self.transport.send(batch, rng), self.copies
        lengths = tuple(times * length for length in inner.layout.lengths)
        values = torch.zeros(len(lengths), max(lengths, default=0), dtype=torch.complex64)
        spans = [self._longer(span, times) for span in inner.layout.spans]
        for outer in spans:
            span = _inside(outer)
            # A copy of the whole span behind the other, so that one fade does not take all copies of a symbol.
            values[span.row, outer.start : outer.stop] = inner.values[span.row, span.start : span.stop].repeat(times)
        return Symbols(values, Layout(lengths, tuple(spans), inner.layout.keys, inner.layout.senders))

    def receive(self, received: Received) -> list[Semantics]:
        import torch

        layout, times = received.layout, self.copies
        lengths = tuple(length // times for length in layout.lengths)
        values = torch.zeros(len(lengths), max(lengths, default=0), dtype=torch.complex64)
        noise_var = torch.ones(values.shape)
        for outer in layout.spans:
            span, at = _inside(outer), (outer.row, slice(outer.start, outer.stop))
            one, variance = _combined(received.values[at], received.noise_var[at], times)
            values[span.row, span.start : span.stop], noise_var[span.row, span.start : span.stop] = one, variance
        inner = Layout(lengths, tuple(_inside(outer) for outer in layout.spans), layout.keys, layout.senders)
        return self.transport.receive(Received(values, noise_var, inner, received.overhead, received.report))

    def _longer(self, span: Span, times: int) -> Span:
        """The span of all copies, which holds the one that the transport knows."""
        uses, bits = dict(span.uses), dict(span.bits)
        more = (times - 1) * (span.stop - span.start)
        if more:
            uses["parity"] = uses.get("parity", 0) + more
        if more and bits:
            bits["parity"] = bits.get("parity", 0) + (times - 1) * sum(bits.values())
        return replace(span, start=times * span.start, stop=times * span.stop, uses=uses, bits=bits, inner=span)


def _inside(span: Span) -> Span:
    if span.inner is None:
        raise ComponentError("Repeated received what it did not send")
    return span.inner


def _combined(values: torch.Tensor, noise_var: torch.Tensor, times: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Copies behind each other (times x n,) as one: weighted with 1/noise_var, and the noise variance that is left."""
    import torch

    if times == 1:
        return values.detach().cpu(), noise_var.detach().cpu()
    parts = torch.nan_to_num(torch.view_as_real(values.detach().cpu().reshape(times, -1)), nan=0.0).clamp(-1e6, 1e6)
    weights = 1 / torch.nan_to_num(noise_var.detach().cpu().reshape(times, -1), nan=1e12).clamp(1e-12, 1e12)
    total = weights.sum(0)
    return torch.view_as_complex((parts * weights[..., None]).sum(0) / total[..., None]), 1 / total
