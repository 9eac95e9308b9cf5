"""Symbols, what is received of them, and their layout, which both ends know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from semcore.errors import ComponentError
from semcore.types.arrays import check_array
from semcore.types.semantics import Semantics, Stream

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Span:
    """Position of one stream of one sample in `Symbols`: the scheduling grant, known to both ends.

    It holds shapes and types, never values: the length of a text or bitstream is in its header.

    Fields:
        row: row of the symbol matrix
        start: first column
        stop: column after the last
        sample: index of the sample in the batch
        stream: name of the stream
        type: class of the stream
        form: the stream's `form`
        bits: channel bits by kind (data, parity, crc, header, padding); empty for analog streams
        uses: channel uses by kind; they sum to `stop - start`
        inner: span of the inner transport, where one wraps another and users share a row
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
        columns = self.stop - self.start
        if sum(self.uses.values()) != columns:
            uses = f"the channel uses {dict(self.uses)} of stream {self.stream!r}"
            raise ComponentError(f"{uses} do not sum to its {columns} columns")


@dataclass(frozen=True)
class Layout:
    """What both ends know of a transmission beforehand; it holds no values.

    Fields:
        lengths: channel uses of each row
        spans: positions of all streams
        keys: per row, the address of its random numbers
        senders: per sample of the batch, its (key, user), which are pseudonyms
    """

    lengths: tuple[int, ...]
    spans: tuple[Span, ...]
    keys: tuple[str, ...]
    senders: tuple[tuple[str, str], ...]

    def semantics(
        self, streams: Mapping[tuple[int, str], tuple[Stream | None, bool | None]]
    ) -> list[Semantics]:
        """One `Semantics` per sample from what was decoded.

        Args:
            streams: (sample index, stream name) -> (stream, or None if lost; its check, or None)
        """
        batch = []
        for index, (key, user) in enumerate(self.senders):
            own = {name: pair for (sample, name), pair in streams.items() if sample == index}
            arrived = {name: stream for name, (stream, _) in own.items() if stream is not None}
            intact = {name: check for name, (_, check) in own.items() if check is not None}
            batch.append(Semantics(key, arrived, user, intact))
        return batch


@dataclass(frozen=True, eq=False)
class Symbols:
    """What a transport sends.

    Fields:
        values: complex64 (rows, n), unit average power per row over its length, then zeros
        layout: positions of the streams
    """

    values: torch.Tensor
    layout: Layout

    def __post_init__(self) -> None:
        check_array(self, "values", self.values, "torch.complex64", ("rows", "n"))
        rows, width = self.values.shape
        lengths = self.layout.lengths
        if not (len(lengths) == len(self.layout.keys) == rows):
            raise ComponentError(
                f"Symbols has {rows} rows, but its layout describes {len(lengths)}"
            )
        if any(length > width for length in lengths):
            raise ComponentError(f"a row of {max(lengths)} symbols exceeds the {width} columns")

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
            noise_var: variance of the complex noise in them, in any shape that broadcasts to theirs
            overhead: as in `Received`; by default none
            report: as in `Received`; by default empty

        Raises:
            ComponentError: a shape or type is wrong
        """
        import torch

        var = torch.as_tensor(noise_var, dtype=torch.float32, device=values.device)
        none: tuple[dict[str, Any], ...] = ({},) * len(self.layout.lengths)
        spent, seen = tuple(overhead or none), tuple(report or none)
        return Received(values, var.expand(values.shape), self.layout, spent, seen)


@dataclass(frozen=True, eq=False)
class Received:
    """What comes out of a channel.

    Fields:
        values: complex64 (rows, n), equalised: sent symbol plus noise
        noise_var: float32 (rows, n), variance of the complex noise in `values`
        layout: positions of the streams
        overhead: per row, channel uses that the channel adds, by kind (pilots, padding)
        report: per row, what the channel reports: `snr_db`, `duration_s`, `doppler_hz`, ...
    """

    values: torch.Tensor
    noise_var: torch.Tensor
    layout: Layout
    overhead: tuple[Mapping[str, int], ...]
    report: tuple[Mapping[str, float], ...]

    def __post_init__(self) -> None:
        rows = len(self.layout.lengths)
        check_array(self, "values", self.values, "torch.complex64", (rows, "n"))
        check_array(self, "noise_var", self.noise_var, "torch.float32", tuple(self.values.shape))
        if not (len(self.overhead) == len(self.report) == rows):
            raise ComponentError("Received.overhead and Received.report need one entry per row")
