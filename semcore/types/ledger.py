"""The account of every channel use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semcore.types.symbols import Received


@dataclass(frozen=True)
class Entry:
    """One line of the ledger.

    Fields:
        sample: key of the sample
        stream: name of the stream; `frame`: what a whole row cost
        kind: what it was spent on, as in `Ledger`
        uses: channel uses
        bits: channel bits; 0 for analog symbols
    """

    sample: str
    stream: str
    kind: str
    uses: int
    bits: int = 0


@dataclass(frozen=True)
class Ledger:
    """Every channel use and channel bit of a transmission, by sample, stream and kind.

    Kinds: `data` (payload), `parity`, `crc`, `header`, `padding`, `pilots`, `cyclic-prefix`; `feedback` counts bits alone.
    What a channel spends for a whole row (pilots, prefixes, padding of the grid) stands under the stream `frame`.
    """

    entries: tuple[Entry, ...] = ()

    def __add__(self, other: Ledger) -> Ledger:
        return Ledger(self.entries + other.entries)

    def _matching(self, sample: str | None, stream: str | None, kind: str | None) -> Iterable[Entry]:
        for entry in self.entries:
            if all(
                want is None or want == have
                for want, have in ((sample, entry.sample), (stream, entry.stream), (kind, entry.kind))
            ):
                yield entry

    def uses(self, sample: str | None = None, stream: str | None = None, kind: str | None = None) -> int:
        """Channel uses of the entries that match; None matches all."""
        return sum(entry.uses for entry in self._matching(sample, stream, kind))

    def bits(self, sample: str | None = None, stream: str | None = None, kind: str | None = None) -> int:
        """Channel bits of the entries that match; None matches all."""
        return sum(entry.bits for entry in self._matching(sample, stream, kind))

    def shared(self, samples: Sequence[str]) -> Ledger:
        """The same account with every line shared out among `samples`; the totals stay."""
        ones = [1] * len(samples)
        return Ledger(
            tuple(
                Entry(sample, entry.stream, entry.kind, uses, bits)
                for entry in self.entries
                for sample, uses, bits in zip(samples, apportion(entry.uses, ones), apportion(entry.bits, ones), strict=True)
            )
        )

    @classmethod
    def of(cls, received: Received) -> Ledger:
        """The account of one transmission: what the transports laid out plus what the channel spent."""
        layout = received.layout
        entries = [
            Entry(layout.senders[span.sample][0], span.stream, kind, span.uses.get(kind, 0), span.bits.get(kind, 0))
            for span in layout.spans
            for kind in dict.fromkeys((*span.uses, *span.bits))
        ]
        for row, spent in enumerate(received.overhead):
            samples = list(dict.fromkeys(layout.senders[span.sample][0] for span in layout.spans if span.row == row))
            for kind, uses in spent.items():
                entries += cls((Entry("", "frame", kind, uses),)).shared(samples).entries
        return cls(tuple(entries))


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Share an integer out in proportion to `weights`; the shares sum to `total` exactly (largest remainder)."""
    scale = sum(weights)
    if not weights or scale <= 0:
        return [0] * len(weights)
    exact = [total * weight / scale for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
