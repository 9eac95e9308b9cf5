"""What flows between the stages of a pipeline. Everything is frozen and checks itself when made.

    Sample ─ encoder ─ Semantics ─ transport ─ Symbols ─ channel ─ Received ─ transport ─ Semantics ─ generator ─ Candidates

NumPy holds what people look at (pictures, sound, features); PyTorch holds what gradients flow through (symbols).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from semcore.errors import ComponentError

if TYPE_CHECKING:
    import numpy as np
    import torch


def _check_array(owner: object, name: str, value: Any, dtype: str, shape: tuple[object, ...]) -> None:
    """Refuse an array whose dtype or shape is not what the field promises; letters in `shape` match any size."""
    if str(getattr(value, "dtype", type(value).__name__)) != dtype:
        found = getattr(value, "dtype", type(value).__name__)
        raise ComponentError(f"{type(owner).__name__}.{name} must be {dtype}, not {found}")
    fits = len(value.shape) == len(shape) or shape[:1] == ("...",)
    sizes = zip(reversed(value.shape), reversed([size for size in shape if size != "..."]), strict=False)
    if not fits or any(isinstance(want, int) and have != want for have, want in sizes):
        wanted = ", ".join(map(str, shape))
        raise ComponentError(f"{type(owner).__name__}.{name} must have shape ({wanted}), not {tuple(value.shape)}")


@dataclass(frozen=True, eq=False)
class Sample:
    """One source item, or its reconstruction: any of picture, video, sound and text.

    Fields:
        id: name, unique in its source
        user: who sends it; a knowledge base keeps its entries by user, and one user's samples come in order
        image: uint8 (H, W, 3), sRGB
        video: uint8 (T, H, W, 3), sRGB
        fps: frames a second of `video`
        audio: float32 (S,), in -1..1
        sample_rate_hz: samples a second of `audio`
        text: a transcript or a caption that belongs to the item
        label: the class of the item, for metrics only
    """

    id: str
    user: str = ""
    image: np.ndarray | None = None
    video: np.ndarray | None = None
    fps: float | None = None
    audio: np.ndarray | None = None
    sample_rate_hz: int | None = None
    text: str | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if self.image is not None:
            _check_array(self, "image", self.image, "uint8", ("H", "W", 3))
        if self.video is not None:
            _check_array(self, "video", self.video, "uint8", ("T", "H", "W", 3))
            if not self.fps or self.fps <= 0:
                raise ComponentError(f"Sample {self.id!r} has a video, so it needs fps > 0")
        if self.audio is not None:
            _check_array(self, "audio", self.audio, "float32", ("S",))
            if not self.sample_rate_hz or self.sample_rate_hz <= 0:
                raise ComponentError(f"Sample {self.id!r} has sound, so it needs sample_rate_hz > 0")

    @property
    def source_values(self) -> int:
        """Number of source values, the denominator of the CBR: H·W·3 of a picture, T·H·W·3 of a video, S of a sound."""
        return sum(int(part.size) for part in (self.image, self.video, self.audio) if part is not None)

    @property
    def source_bits(self) -> int:
        """Bits of the uncompressed item: 8 a picture or video value, 16 a sound sample, 8 a byte of text alone."""
        visual = sum(int(part.size) for part in (self.image, self.video) if part is not None)
        bits = 8 * visual + 16 * (int(self.audio.size) if self.audio is not None else 0)
        return bits or 8 * len((self.text or "").encode())


# ---------------------------------------------------------------------------------------------- semantics


@dataclass(frozen=True)
class Text:
    """A text stream, for example a caption. `value`: any Unicode text."""

    value: str

    def __post_init__(self) -> None:
        if not isinstance(self.value, str):
            raise ComponentError(f"Text.value must be str, not {type(self.value).__name__}")

    @property
    def form(self) -> tuple[int, ...]:
        """() : a text's length is not known before it is received."""
        return ()


@dataclass(frozen=True, eq=False)
class Tokens:
    """A stream of symbols of a finite alphabet, for example phonemes. `values`: int64 (T,) in 0..vocabulary-1."""

    values: np.ndarray
    vocabulary: int

    def __post_init__(self) -> None:
        _check_array(self, "values", self.values, "int64", ("T",))
        if self.values.size and not (0 <= self.values.min() and self.values.max() < self.vocabulary):
            raise ComponentError(f"Tokens.values must lie in 0..{self.vocabulary - 1}")

    @property
    def form(self) -> tuple[int, ...]:
        """(T, vocabulary)"""
        return (*self.values.shape, self.vocabulary)


@dataclass(frozen=True, eq=False)
class Features:
    """A stream of real numbers, for example a feature vector or face motion. `values`: float32 (..., D)."""

    values: np.ndarray

    def __post_init__(self) -> None:
        _check_array(self, "values", self.values, "float32", ("...", "D"))

    @property
    def form(self) -> tuple[int, ...]:
        """The shape of `values`."""
        return tuple(self.values.shape)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as a stream, for example a reference for the knowledge base. `pixels`: uint8 (H, W, 3), sRGB."""

    pixels: np.ndarray

    def __post_init__(self) -> None:
        _check_array(self, "pixels", self.pixels, "uint8", ("H", "W", 3))

    @property
    def form(self) -> tuple[int, ...]:
        """(H, W, 3)"""
        return tuple(self.pixels.shape)


@dataclass(frozen=True)
class Bitstream:
    """Bytes, for example a compressed picture. A decoder must treat what it receives as hostile input."""

    data: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.data, bytes):
            raise ComponentError(f"Bitstream.data must be bytes, not {type(self.data).__name__}")

    @property
    def form(self) -> tuple[int, ...]:
        """() : a bitstream's length is not known before it is received."""
        return ()


Stream = Text | Tokens | Features | Picture | Bitstream
STREAM_TYPES: tuple[type[Stream], ...] = (Text, Tokens, Features, Picture, Bitstream)


@dataclass(frozen=True, eq=False)
class Semantics:
    """What is sent of one sample, or what arrived of it: ordered, named streams.

    Fields:
        key: an opaque name of the sample; addresses random numbers and says nothing of the content
        user: whose entries of the knowledge base apply
        streams: name -> stream; a stream that was lost on the way is absent
        intact: name -> the verdict of the transport's own check (CRC); a stream without a check has none
    """

    key: str
    streams: Mapping[str, Stream] = field(default_factory=dict)
    user: str = ""
    intact: Mapping[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, stream in self.streams.items():
            if not isinstance(stream, STREAM_TYPES):
                raise ComponentError(f"stream {name!r} is a {type(stream).__name__}, not one of the stream types")

    def text(self, name: str) -> str | None:
        """The text of stream `name`, or None if it is not there."""
        stream = self.streams.get(name)
        return stream.value if isinstance(stream, Text) else None

    def arrived(self) -> bool:
        """Whether anything came through and no check failed: what an acknowledgement says."""
        return bool(self.streams) and all(self.intact.get(name, True) for name in self.streams)

    def only(self, names: Iterable[str]) -> Semantics:
        """The same sample with the streams in `names` alone."""
        kept = {name: self.streams[name] for name in names if name in self.streams}
        return replace(self, streams=kept, intact={name: ok for name, ok in self.intact.items() if name in kept})


# ---------------------------------------------------------------------------------------------- symbols


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
        senders: per sample of the batch, its (key, user)
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
        _check_array(self, "values", self.values, "torch.complex64", ("rows", "n"))
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
        """What a channel returns: equalised `values`, the noise left in them, and what it spent and saw (per row)."""
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
        _check_array(self, "values", self.values, "torch.complex64", (len(self.layout.lengths), "n"))
        _check_array(self, "noise_var", self.noise_var, "torch.float32", tuple(self.values.shape))
        if not (len(self.overhead) == len(self.report) == len(self.layout.lengths)):
            raise ComponentError("Received.overhead and Received.report need one entry a row")


# ---------------------------------------------------------------------------------------------- reconstruction


@dataclass(frozen=True, eq=False)
class Candidates:
    """What a generator makes of one sample.

    Fields:
        samples: one or more reconstructions, each with the sample's key as its id
    """

    samples: tuple[Sample, ...]

    def __post_init__(self) -> None:
        if not self.samples:
            raise ComponentError("a generator must return at least one candidate a sample")


# ---------------------------------------------------------------------------------------------- knowledge base


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """What one end of the link has been told: streams by user, oldest first. Frozen: adding makes a new one.

    Fields:
        entries: user -> streams (reference pictures, ...), oldest first
    """

    entries: Mapping[str, tuple[Stream, ...]] = field(default_factory=dict)

    def of(self, user: str) -> tuple[Stream, ...]:
        """The entries of `user`, oldest first."""
        return self.entries.get(user, ())

    def add(self, user: str, stream: Stream) -> KnowledgeBase:
        """The same knowledge base with one more entry."""
        return KnowledgeBase({**self.entries, user: (*self.of(user), stream)})


@dataclass(frozen=True, eq=False)
class Knowledge:
    """The knowledge bases of both ends: `tx` believes what was acknowledged, `rx` holds what arrived."""

    tx: KnowledgeBase = field(default_factory=KnowledgeBase)
    rx: KnowledgeBase = field(default_factory=KnowledgeBase)


# ---------------------------------------------------------------------------------------------- planning


@dataclass(frozen=True)
class Scenario:
    """What a planner knows before a segment.

    Fields:
        segment: index of the segment, from 0
        task: what the user wants done, in the user's words
        preferences: what the user cares about, in the user's words
        environment: the state of the world by dotted path, for example `{"channel.snr_db": 3.0}`
    """

    segment: int = 0
    task: str = ""
    preferences: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a planner decides for a segment.

    Fields:
        overrides: settings by dotted path, for example `{"workflow": "a2v"}`; empty: the pipeline as written
        reasons: why, one sentence each
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------- accounts


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: what `stream` of `sample` cost for `kind`, in channel uses and in channel bits."""

    sample: str
    stream: str
    kind: str
    uses: int
    bits: int = 0


@dataclass(frozen=True)
class Ledger:
    """Every channel use and channel bit of a transmission, by sample, stream and kind.

    Kinds: `data` (payload), `parity`, `crc`, `header`, `padding`, `pilots`; `feedback` counts bits alone. What a channel
    spends for a whole row (pilots, padding of the grid) stands under the stream `frame`.
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
        """Channel uses of the entries that match."""
        return sum(entry.uses for entry in self._matching(sample, stream, kind))

    def bits(self, sample: str | None = None, stream: str | None = None, kind: str | None = None) -> int:
        """Channel bits of the entries that match."""
        return sum(entry.bits for entry in self._matching(sample, stream, kind))

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
            samples = dict.fromkeys(span.sample for span in layout.spans if span.row == row)
            for kind, uses in spent.items():
                shares = split(uses, [1] * len(samples))
                entries += [
                    Entry(layout.senders[sample][0], "frame", kind, share)
                    for sample, share in zip(samples, shares, strict=True)
                ]
        return cls(tuple(entries))


def split(total: int, weights: Sequence[float]) -> list[int]:
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
