"""The conventional link at its best: a source code and a channel code that fit a given number of channel uses."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import BeforeValidator

from semcore.component.digest import digest
from semcore.errors import ComponentError
from semcore.interfaces import ChannelModel, Codec, Transport
from semcore.memo import LRU
from semcore.rng import Rng
from semcore.types import Bitstream, Layout, Picture, Received, Semantics, Span, Stream, Symbols, apportion
from semcore_channels.modulation import ModulationName
from semcore_channels.transports.ldpc import LDPC, ratio

_LISTED: tuple[tuple[ModulationName, str], ...] = (
    ("4qam", "1/5"), ("4qam", "1/3"), ("4qam", "1/2"), ("4qam", "2/3"), ("16qam", "1/2"), ("16qam", "2/3"),
    ("64qam", "1/2"), ("64qam", "2/3"), ("64qam", "5/6"), ("256qam", "2/3"), ("256qam", "5/6"),
)  # fmt: skip
SCHEMES = {f"{modulation} {rate}": (modulation, Fraction(rate)) for modulation, rate in _LISTED}
"""Modulation and coding schemes by name, the most robust first."""
Name = Literal[
    "4qam 1/5", "4qam 1/3", "4qam 1/2", "4qam 2/3", "16qam 1/2", "16qam 2/3", "64qam 1/2", "64qam 2/3", "64qam 5/6",
    "256qam 2/3", "256qam 5/6",
]  # fmt: skip
FALLBACK: Name = "4qam 1/2"
"""For a transmitter that knows no channel."""
LOST_BYTES = 16
"""What a lost picture counts as when schemes are compared, whose quality grows with the logarithm of their bytes."""


@dataclass(frozen=True)
class Separation(Transport):
    """Pictures by a codec whose quality is searched to fit, then 5G LDPC and QAM, in `cbr` channel uses per source value.

    One scheme of modulation and coding does not make a curve: it fails below its SNR and gains nothing above. `scheme:
    best` takes for a channel the one with the largest mean of log2(bytes / 16) over received pictures, a lost one
    counting zero, as published envelopes take the best point at each SNR. How often a scheme fails is measured, with
    `trials` code blocks of its own over the very channel of the pipeline: any that is registered, block or fast fading
    included. A transmitter knows its channel on the average, not the fade that comes. The scheme follows from what both
    ends know, so it is not signalled.

    A picture becomes the best file of `codec` (one with `quality` 0..100) that the scheme's payload holds; frame, CRCs
    and coding are those of `ldpc`. If even the worst file is too large, nothing is sent and the picture is lost: files
    of small pictures are mostly header, so codecs can leave it to the session (`header: known`). With `mosaic: n`, n
    consecutive pictures of one size are one large one, in which a codec is at its best; all of them are lost together.
    `ledger` lines are those of `ldpc`.

    Fields:
        codec: turns pictures into bytes, at a `quality` of 0..100
        cbr: most complex channel uses per source value, as a number or as a fraction such as 1/12
        scheme: modulation and code rate, or `best` for the channel
        mosaic: pictures that are coded as one
        iterations: most iterations of the decoder
        trials: code blocks by which the failures of a scheme are measured, and 20 frames at least
        channel: what the schemes are measured over; null: the channel of the pipeline
    """

    reference: ClassVar[str] = "BPG + LDPC as in E. Bourtsoulatze et al., 2019; 3GPP TS 38.212 (LDPC), TS 38.211 (QAM)"
    cites: ClassVar[tuple[str, ...]] = ("ts38212", "ts38211", "shannon1948mathematical")
    carries: ClassVar[tuple[type[Stream], ...]] = (Picture,)
    test_settings = (
        {"codec": {"use": "webp"}, "cbr": 1, "trials": 10},
        {"codec": {"use": "hevc", "header": "known"}, "cbr": 4, "mosaic": 2, "scheme": "4qam 1/2"},
    )

    codec: Codec
    cbr: Annotated[float, BeforeValidator(ratio), Ge(1 / 1000), Le(100)] = 0.083333
    scheme: Literal["best"] | Name = "best"
    mosaic: Annotated[int, Ge(1), Le(4096)] = 1
    iterations: Annotated[int, Ge(1), Le(200)] = 20
    trials: Annotated[int, Ge(1), Le(100_000)] = 200
    channel: ChannelModel | None = None

    def check(self) -> None:
        if not isinstance(getattr(self.codec, "quality", None), int):
            raise ComponentError(
                f"Separation.codec must have a `quality` that can be searched, such as hevc, webp or jpeg, not "
                f"{type(self.codec).__name__}"
            )

    @property
    def group_size(self) -> int:
        return self.mosaic

    def adapted_to(self, channel: ChannelModel) -> Transport:
        return replace(self, channel=channel) if self.channel is None else self

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        import torch

        rows, spans, keys = list[torch.Tensor](), list[Span](), list[str]()
        for name, group in self._groups(batch):
            pictures = [picture for _, picture in group]
            uses = self._uses(sum(one.pixels.size for one in pictures))
            link = self.link(uses)
            data = self._fitting(tiled([one.pixels for one in pictures]), link.longest(uses))
            key = "+".join(batch[sample].key for sample, _ in group)
            sent = link.send([Semantics(key, {name: Bitstream(data)} if data is not None else {})], rng)
            inner = next(iter(sent.layout.spans), None)
            length = sent.layout.lengths[0]
            sizes = apportion(length, [one.pixels.size for one in pictures])
            starts = itertools.accumulate(sizes, initial=0)
            for place, ((sample, picture), start, size) in enumerate(zip(group, starts, sizes, strict=False)):
                if inner is None:
                    continue
                kinds = dict(zip(inner.uses, apportion(size, list(inner.uses.values())), strict=True))
                mine = replace(inner, sample=sample)
                bits = {kind: _share(count, len(group), place) for kind, count in inner.bits.items()}
                spans.append(Span(len(rows), start, start + size, sample, name, Picture, picture.form, bits, kinds, mine))
            rows.append(sent.values[0, :length])
            keys.append(key)
        senders = tuple((semantics.key, semantics.user) for semantics in batch)
        layout = Layout(tuple(map(len, rows)), tuple(spans), tuple(keys), senders)
        values = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True) if rows else torch.zeros(0, 0)
        return Symbols(values.to(torch.complex64), layout)

    def receive(self, received: Received) -> list[Semantics]:
        layout = received.layout
        streams: dict[tuple[int, str], tuple[Stream | None, bool | None]] = {}
        for row, grouped in itertools.groupby(
            sorted(layout.spans, key=lambda span: (span.row, span.start)), lambda span: span.row
        ):
            spans = list(grouped)
            stop = spans[-1].stop
            alone = Received(
                received.values[row : row + 1, :stop], received.noise_var[row : row + 1, :stop],
                Layout((stop,), (_only(spans[0]),), (layout.keys[row],), (("", ""),)), ({},), (received.report[row],),
            )  # fmt: skip
            # What the transmitter was granted, not what it filled, says which scheme is in force.
            got = self.link(self._uses(sum(math.prod(span.form) for span in spans))).receive(alone)[0]
            pixels = self._pictures(got.streams.get(spans[0].stream), [(span.form[0], span.form[1]) for span in spans])
            intact = got.intact.get(spans[0].stream, False)
            for span, one in zip(spans, pixels, strict=True):
                streams[span.sample, span.stream] = (None if one is None else Picture(one), intact)
        return layout.semantics(streams)

    def link(self, uses: int) -> LDPC:
        """What carries the bytes in so many channel uses: the scheme that was named, or the best for the channel."""
        if self.scheme != "best":
            return self._ldpc(self.scheme)
        return self._ldpc(FALLBACK if self.channel is None else best_scheme(self, uses))

    def _ldpc(self, name: str) -> LDPC:
        modulation, rate = SCHEMES[name]
        return LDPC(rate=float(rate), modulation=modulation, iterations=self.iterations, on_error="deliver")

    def _uses(self, values: int) -> int:
        return max(int(values * Fraction(self.cbr).limit_denominator(1000)), 1)

    def _groups(self, batch: Sequence[Semantics]) -> Iterator[tuple[str, list[tuple[int, Picture]]]]:
        """The pictures that are coded together, with the index of their sample, stream by stream."""
        for name in dict.fromkeys(name for one in batch for name in one.streams):
            there = [(index, one.streams[name]) for index, one in enumerate(batch) if name in one.streams]
            for _, group in itertools.groupby(there, lambda item: (item[0] // self.mosaic, item[1].form)):
                yield name, [(index, stream) for index, stream in group if isinstance(stream, Picture)]

    def _fitting(self, pixels: np.ndarray, longest: int) -> bytes | None:
        """The file of the highest quality in at most `longest` bytes, or None."""
        # A planner tries the same picture again and again.
        return _fitted.of(digest(self.codec, pixels, longest), lambda: _best_fit(self.codec, pixels, longest))

    def _pictures(self, stream: Stream | None, sizes: Sequence[tuple[int, int]]) -> list[np.ndarray | None]:
        """The pictures of a file that may be damaged; None where nothing can be decoded."""
        if not isinstance(stream, Bitstream):
            return [None] * len(sizes)
        rows, columns = _grid(len(sizes))
        height, width = sizes[0]
        whole = self.codec.decode(stream.data, (rows * height, columns * width))
        if whole is None:
            return [None] * len(sizes)
        parts = whole.reshape(rows, height, columns, width, 3).swapaxes(1, 2).reshape(-1, height, width, 3)
        return [np.ascontiguousarray(part) for part in parts[: len(sizes)]]


_fitted = LRU[bytes | None](256)
"""The files of the last pictures, by digest of codec, picture and length."""


def _best_fit(codec: Any, pixels: np.ndarray, longest: int) -> bytes | None:
    low, high, best = 0, 100, None
    while low <= high:
        middle = (low + high) // 2
        data = at_quality(codec, middle).encode(pixels)
        if len(data) <= longest:
            low, best = middle + 1, data
        else:
            high = middle - 1
    return best


def at_quality(codec: Any, quality: int) -> Codec:
    """The codec at another quality."""
    return dataclasses.replace(codec, quality=quality)


@functools.cache
def best_scheme(settings: Separation, uses: int) -> str:
    """The name of the scheme that serves `settings.channel` best in so many channel uses."""
    best, chosen = -1.0, next(iter(SCHEMES))
    # From the largest payload down: as soon as none that is left could do better without any failure, it is found.
    for name in sorted(SCHEMES, key=lambda name: settings._ldpc(name).longest(uses), reverse=True):
        link = settings._ldpc(name)
        worth = math.log2(max(link.longest(uses), 1) / LOST_BYTES)
        if worth <= best:
            break
        if (value := worth * (1 - failures(link, settings.channel, uses, settings.trials))) > best:
            best, chosen = value, name
    return chosen


@functools.cache
def failures(link: LDPC, channel: ChannelModel, uses: int, trials: int) -> float:
    """The share of full frames of random bytes that fail over a channel, by as many as have `trials` code blocks."""
    rng, failed = Rng(path=("separation",)), 0
    size = link.longest(uses)
    trials = max(trials // link.blocks(uses), min(trials, 20))  # a long frame fails with any of its blocks
    for first in range(0, trials, 50):
        numbers = range(first, min(first + 50, trials))
        frames = [
            Semantics(str(number), {"frame": Bitstream(rng.at("bytes", number).numpy().bytes(size))}) for number in numbers
        ]
        arrived = link.receive(channel.transmit(link.send(frames, rng.at("send")), rng.at("channel")))
        failed += sum(not one.intact.get("frame", False) for one in arrived)
    return failed / trials


def tiled(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of one size as one, row by row, the last of them again where places are left over: uint8 (H, W, 3)."""
    rows, columns = _grid(len(pictures))
    height, width, _ = pictures[0].shape
    filled = np.stack([*pictures, *[pictures[-1]] * (rows * columns - len(pictures))])
    return filled.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)


def _grid(count: int) -> tuple[int, int]:
    """Rows and columns of a nearly square mosaic."""
    columns = math.ceil(math.sqrt(count))
    return -(-count // columns), columns


def _only(span: Span) -> Span:
    """The span of the file that pictures share, alone in its row."""
    assert span.inner is not None
    return replace(span.inner, row=0, sample=0, stream=span.stream)


def _share(count: int, parts: int, place: int) -> int:
    return count // parts + (place < count % parts)
