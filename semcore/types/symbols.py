"""What is on the air: symbols, what came of them, and what both ends know of their layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from semcore.errors import ComponentError
from semcore.types.arrays import check_array
from semcore.types.semantics import Semantics, Stream

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Span:
    """Where one stream of one sample lies in `Symbols`: the scheduling grant, known to both ends.

    It holds extents and types, never values: a text's or bitstream's length travels in its own header.

    Fields:
        row: row of the symbol matrix
        start: first column
        stop: column behind the last
        sample: index of the sample in the batch
        stream: name of the stream
        type: class of the stream
        form: the stream's `form`, known from the session
        bits: channel bits by kind (data, parity, crc, header, padding); empty for analog streams
        uses: channel uses by kind; they sum to `stop - start`
        inner: where a transport inside of another laid the stream, for one whose users share a row
    """

    row: int
    start: int
    stop: int
    sample: int
    stream: str
    type: type
    form: tuple[int, ...] = ()
    bits: Mapping[str, int] = field(default_factory=dict)
    uses: Mapping[str, int] = field(default_factory=dict)
    inner: Span | None = None

    def __post_init__(self) -> None:
        if not self.uses:
            object.__setattr__(self, "uses", {"data": self.stop - self.start})
        if sum(self.uses.values()) != self.stop - self.start:
            raise ComponentError(
                f"the channel uses {dict(self.uses)} of stream {self.stream!r} do not sum to its "
                f"{self.stop - self.start} columns"
            )


@dataclass(frozen=True)
class Layout:
    """What both ends know of a transmission before it is received: who sends what where. It holds no values.

    Fields:
        lengths: channel uses of each row
        spans: which columns of which row carry which stream of which sample
        keys: per row, the address of its random numbers
        senders: per sample of the batch, its (key, user): pseudonyms, which the receiver reads, too
    """

    lengths: tuple[int, ...]
    spans: tuple[Span, ...]
    keys: tuple[str, ...]
    senders: tuple[tuple[str, str], ...]

    def semantics(self, streams: Mapping[tuple[int, str], tuple[Stream | None, bool | None]]) -> list[Semantics]:
        """One `Semantics` a sample from what was decoded.

        Args:
            streams: (sample index, stream name) -> (the stream, or None if it is lost; its check, or None)
        """
        batch = []
        for index, (key, user) in enumerate(self.senders):
            mine = {name: got for (sample, name), got in streams.items() if sample == index}
            batch.append(
                Semantics(
                    key,
                    {name: stream for name, (stream, _) in mine.items() if stream is not None},
                    user,
                    {name: intact for name, (_, intact) in mine.items() if intact is not None},
                )
            )
        return batch


@dataclass(frozen=True, eq=False)
class Symbols:
    """What a transport puts on the air.

    Fields:
        values: complex64 (rows, n); every row has unit average power over its own length, zeros behind it
        layout: what lies where
    """

    values: torch.Tensor
    layout: Layout

    def __post_init__(self) -> None:
        check_array(self, "values", self.values, "torch.complex64", ("rows", "n"))
        rows, width = self.values.shape
        if not (len(self.layout.lengths) == len(self.layout.keys) == rows):
            raise ComponentError(f"Symbols has {rows} rows, but its layout describes {len(self.layout.lengths)}")
        if any(length > width for length in self.layout.lengths):
            raise ComponentError(f"a row of {max(self.layout.lengths)} symbols exceeds the {width} columns")

    def received(
        self,
        values: torch.Tensor,
        noise_var: torch.Tensor | float,
        *,
        overhead: Sequence[Mapping[str, int]] | None = None,
        report: Sequence[Mapping[str, float]] | None = None,
    ) -> Received:
        """What a channel returns.

        Args:
            values: complex64 (rows, n), equalised
            noise_var: variance of the complex noise left in them: one number, or any shape that extends to that of `values`
            overhead: per row, channel uses that the channel itself spent, by kind; by default none
            report: per row, what the channel knows of itself; by default nothing

        Raises:
            ComponentError: a shape or type is not as above
        """
        import torch

        var = torch.as_tensor(noise_var, dtype=torch.float32).expand(values.shape)
        rows = len(self.layout.lengths)
        return Received(values, var, self.layout, tuple(overhead or ({},) * rows), tuple(report or ({},) * rows))


@dataclass(frozen=True, eq=False)
class Received:
    """What comes out of a channel.

    Fields:
        values: complex64 (rows, n), equalised: sent symbol plus noise
        noise_var: float32 (rows, n), variance of the complex noise left in `values` after equalisation
        layout: what lies where
        overhead: per row, channel uses that the channel itself spent, by kind (pilots, padding)
        report: per row, what the channel knows of itself: `snr_db`, `duration_s`, `doppler_hz`, ...
    """

    values: torch.Tensor
    noise_var: torch.Tensor
    layout: Layout
    overhead: tuple[Mapping[str, int], ...]
    report: tuple[Mapping[str, float], ...]

    def __post_init__(self) -> None:
        check_array(self, "values", self.values, "torch.complex64", (len(self.layout.lengths), "n"))
        check_array(self, "noise_var", self.noise_var, "torch.float32", tuple(self.values.shape))
        if not (len(self.overhead) == len(self.report) == len(self.layout.lengths)):
            raise ComponentError("Received.overhead and Received.report need one entry a row")
