"""The ledger: every channel use and channel bit of a transmission."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from semcore.types.symbols import Received


@dataclass(frozen=True)
class Entry:
    """One line of the ledger.

    Fields:
        sample: key of the sample
        stream: name of the stream; `frame`: what a whole row uses
        kind: what they are used for, as in `Ledger`
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

    Kinds: `data` (payload), `parity`, `crc`, `header`, `padding`, `pilots`, `cyclic-prefix`;
    `feedback` counts bits only. What a channel adds to a whole row has the stream `frame`.
    """

    entries: tuple[Entry, ...] = ()

    def __add__(self, other: Ledger) -> Ledger:
        return Ledger(self.entries + other.entries)

    def _matching(
        self, sample: str | None, stream: str | None, kind: str | None
    ) -> Iterable[Entry]:
        for entry in self.entries:
            pairs = ((sample, entry.sample), (stream, entry.stream), (kind, entry.kind))
            if all(want is None or want == have for want, have in pairs):
                yield entry

    def uses(
        self, sample: str | None = None, stream: str | None = None, kind: str | None = None
    ) -> int:
        """Channel uses of the matching entries; None matches all."""
        return sum(entry.uses for entry in self._matching(sample, stream, kind))

    def bits(
        self, sample: str | None = None, stream: str | None = None, kind: str | None = None
    ) -> int:
        """Channel bits of the matching entries; None matches all."""
        return sum(entry.bits for entry in self._matching(sample, stream, kind))

    def shared(self, samples: Sequence[str]) -> Ledger:
        """The same ledger with every entry divided among `samples`; the totals stay."""
        ones, entries = [1] * len(samples), []
        for entry in self.entries:
            uses, bits = apportion(entry.uses, ones), apportion(entry.bits, ones)
            for sample, *counts in zip(samples, uses, bits, strict=True):
                entries.append(Entry(sample, entry.stream, entry.kind, *counts))
        return Ledger(tuple(entries))

    @classmethod
    def of(cls, received: Received) -> Ledger:
        """The ledger of one transmission: what transports laid out and what the channel added."""
        layout, entries = received.layout, []
        keys = [key for key, _ in layout.senders]
        for span in layout.spans:
            for kind in dict.fromkeys((*span.uses, *span.bits)):
                counts = span.uses.get(kind, 0), span.bits.get(kind, 0)
                entries.append(Entry(keys[span.sample], span.stream, kind, *counts))
        for row, spent in enumerate(received.overhead):
            samples = list(dict.fromkeys(keys[s.sample] for s in layout.spans if s.row == row))
            for kind, uses in spent.items():
                entries += cls((Entry("", "frame", kind, uses),)).shared(samples).entries
        return cls(tuple(entries))


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Divide an integer in proportion to `weights`, exactly (largest remainder method)."""
    scale = sum(weights)
    if not weights or scale <= 0:
        return [0] * len(weights)
    exact = [total * weight / scale for weight in weights]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
