"""The conventional link: source coding and channel coding that fit a number of channel uses."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, get_args

import numpy as np
from annotated_types import Ge, Le
from pydantic import BeforeValidator

from semcore import (
    LRU,
    Bitstream,
    ChannelModel,
    Codec,
    ComponentError,
    Layout,
    Picture,
    Received,
    Rng,
    Semantics,
    Span,
    Stream,
    Symbols,
    Transport,
    apportion,
    digest,
)
from semcore_channels.modulation import ModulationName
from semcore_channels.transports.ldpc import LDPC, ratio

Name = Literal[
    "4qam 1/5", "4qam 1/3", "4qam 1/2", "4qam 2/3",
    "16qam 1/2", "16qam 2/3",
    "64qam 1/2", "64qam 2/3", "64qam 5/6",
    "256qam 2/3", "256qam 5/6",
]  # fmt: skip
SCHEMES: dict[str, tuple[ModulationName, Fraction]] = {
    name: (name.split()[0], Fraction(name.split()[1])) for name in get_args(Name)
}
"""Modulation and code rate by name, the most robust first."""
FALLBACK: Name = "4qam 1/2"
"""The scheme of a transmitter that does not know the channel."""
_Pictures = list[tuple[int, Picture]]
"""Pictures that are coded together, each with the index of its sample."""
LOST_BYTES = 16
"""Bytes that a lost picture counts for in the comparison of schemes, by the logarithm of bytes."""


@dataclass(frozen=True)
class Separation(Transport):
    """Separate source and channel coding: a codec with searched quality, then 5G LDPC and QAM.

    A picture takes `cbr` complex channel uses per source value.

    A single modulation and coding scheme does not make a curve: it fails below its SNR and gains
    nothing above. `scheme: best` takes the scheme with the largest mean of log2(bytes / 16) over
    received pictures, a lost one counting zero, as published envelopes take the best point at each
    SNR. The failure rate of a scheme is measured with `trials` of its code blocks over the channel
    of the pipeline, whichever it is, block or fast fading included. So the transmitter knows the
    statistics of the channel, not its state. The scheme follows from what both ends know and is not
    signalled.

    A picture becomes the file of `codec` (one with `quality` 0..100) of the highest quality that
    the payload of the scheme holds; frame, CRCs and coding are those of `ldpc`. If the file of the
    lowest quality is too large, nothing is sent and the picture is lost: files of small pictures
    are mostly header, so codecs can leave it to the session (`header: known`). With `mosaic: n`, n
    consecutive pictures of one size are coded as one large picture, at which a codec is more
    efficient; they are lost together. Kinds in the ledger are those of `ldpc`.

    Fields:
        codec: turns pictures into bytes, at a `quality` of 0..100
        cbr: largest number of complex channel uses per source value, as a number or as a fraction
            such as 1/12
        scheme: modulation and code rate, or `best` for the channel
        mosaic: pictures that are coded as one
        iterations: largest number of iterations of the decoder
        trials: code blocks in the measurement of a scheme's failure rate; at least 20 frames
        channel: channel of that measurement; null: the channel of the pipeline
    """

    reference: ClassVar[str] = (
        "BPG + LDPC as in E. Bourtsoulatze et al., 2019; 3GPP TS 38.212 (LDPC), TS 38.211 (QAM)"
    )
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
                "Separation.codec must have a `quality` that can be searched, such as hevc, webp "
                f"or jpeg, not {type(self.codec).__name__}"
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
            uses = self._uses(sum(picture.pixels.size for picture in pictures))
            link = self.link(uses)
            whole = tiled([picture.pixels for picture in pictures])
            data = self._fitting(whole, link.longest(uses))
            streams: dict[str, Stream] = {name: Bitstream(data)} if data is not None else {}
            key = "+".join(batch[sample].key for sample, _ in group)
            sent = link.send([Semantics(key, streams)], rng)
            length = sent.layout.lengths[0]
            for inner in sent.layout.spans:
                spans += _shares(inner, len(rows), length, name, group)
            rows.append(sent.values[0, :length])
            keys.append(key)
        senders = tuple((semantics.key, semantics.user) for semantics in batch)
        layout = Layout(tuple(map(len, rows)), tuple(spans), tuple(keys), senders)
        values = torch.zeros(0, 0)
        if rows:
            values = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return Symbols(values.to(torch.complex64), layout)

    def receive(self, received: Received) -> list[Semantics]:
        layout = received.layout
        streams: dict[tuple[int, str], tuple[Stream | None, bool | None]] = {}
        ordered = sorted(layout.spans, key=lambda span: (span.row, span.start))
        for row, own in itertools.groupby(ordered, lambda span: span.row):
            spans = list(own)
            first, stop = spans[0], spans[-1].stop
            alone = Received(
                received.values[row : row + 1, :stop],
                received.noise_var[row : row + 1, :stop],
                Layout((stop,), (_shared_file(first),), (layout.keys[row],), (("", ""),)),
                ({},),
                (received.report[row],),
            )
            # The scheme follows from the channel uses granted, not from those that were filled.
            granted = self._uses(sum(math.prod(span.form) for span in spans))
            [semantics] = self.link(granted).receive(alone)
            sizes = [(span.form[0], span.form[1]) for span in spans]
            pictures = self._pictures(semantics.streams.get(first.stream), sizes)
            intact = semantics.intact.get(first.stream, False)
            for span, picture in zip(spans, pictures, strict=True):
                streams[span.sample, span.stream] = (picture, intact)
        return layout.semantics(streams)

    def link(self, uses: int) -> LDPC:
        """The link for a number of channel uses: with the named scheme, or the best for the
        channel.
        """
        if self.scheme != "best":
            return self._ldpc(self.scheme)
        return self._ldpc(FALLBACK if self.channel is None else best_scheme(self, uses))

    def _ldpc(self, name: str) -> LDPC:
        modulation, rate = SCHEMES[name]
        return LDPC(
            rate=float(rate), modulation=modulation, iterations=self.iterations, on_error="deliver"
        )

    def _uses(self, values: int) -> int:
        """Channel uses for a number of source values."""
        return max(int(values * Fraction(self.cbr).limit_denominator(1000)), 1)

    def _groups(self, batch: Sequence[Semantics]) -> Iterator[tuple[str, _Pictures]]:
        """Stream by stream, the pictures that are coded together."""
        for name in dict.fromkeys(name for semantics in batch for name in semantics.streams):
            present = [
                (sample, semantics.streams[name])
                for sample, semantics in enumerate(batch)
                if name in semantics.streams
            ]
            for _, group in itertools.groupby(present, self._group_of):
                yield name, [item for item in group if isinstance(item[1], Picture)]  # type: ignore[misc]

    def _group_of(self, item: tuple[int, Stream]) -> tuple[int, Any]:
        """Pictures with the same value are coded together: the same mosaic, and the same size."""
        sample, stream = item
        return sample // self.mosaic, stream.form

    def _fitting(self, pixels: np.ndarray, longest: int) -> bytes | None:
        """The file of the highest quality in at most `longest` bytes, or None."""
        key = digest(self.codec, pixels, longest)  # a planner tries the same picture repeatedly
        return _fitted.of(key, lambda: _best_fit(self.codec, pixels, longest))

    def _pictures(
        self, stream: Stream | None, sizes: Sequence[tuple[int, int]]
    ) -> list[Picture | None]:
        """The pictures of a file that may be damaged; None where it cannot be decoded."""
        lost: list[Picture | None] = [None] * len(sizes)
        if not isinstance(stream, Bitstream):
            return lost
        rows, columns = _grid(len(sizes))
        height, width = sizes[0]
        whole = self.codec.decode(stream.data, (rows * height, columns * width))
        if whole is None:
            return lost
        parts = whole.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
        parts = parts.reshape(-1, height, width, 3)
        return [Picture(np.ascontiguousarray(part)) for part in parts[: len(sizes)]]


_fitted = LRU[bytes | None](256)
"""Files of recent pictures, by digest of codec, picture and length."""


def _best_fit(codec: Any, pixels: np.ndarray, longest: int) -> bytes | None:
    """Bisection over the quality."""
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
    """The name of the best scheme for `settings.channel` at a number of channel uses."""
    best, chosen = -1.0, next(iter(SCHEMES))
    # By descending payload: it is found once no other could be better even without failures.
    for name in sorted(SCHEMES, key=lambda name: settings._ldpc(name).longest(uses), reverse=True):
        link = settings._ldpc(name)
        worth = math.log2(max(link.longest(uses), 1) / LOST_BYTES)
        if worth <= best:
            break
        assert settings.channel is not None
        value = worth * (1 - failures(link, settings.channel, uses, settings.trials))
        if value > best:
            best, chosen = value, name
    return chosen


@functools.cache
def failures(link: LDPC, channel: ChannelModel, uses: int, trials: int) -> float:
    """The frame error rate of full frames of random bytes over a channel.

    Args:
        link: the scheme
        channel: the channel
        uses: channel uses of a frame
        trials: code blocks of all frames together; at least 20 frames, or as many as trials
    """
    rng, failed = Rng(path=("separation",)), 0
    size = link.longest(uses)
    count = max(trials // link.blocks(uses), min(trials, 20))
    for first in range(0, count, 50):
        frames = []
        for number in range(first, min(first + 50, count)):
            data = rng.at("bytes", number).numpy().bytes(size)
            frames.append(Semantics(str(number), {"frame": Bitstream(data)}))
        sent = link.send(frames, rng.at("send"))
        arrived = link.receive(channel.transmit(sent, rng.at("channel")))
        failed += sum(not semantics.intact.get("frame", False) for semantics in arrived)
    return failed / count


def tiled(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of one size as a mosaic, by rows, uint8 (H, W, 3); the last one fills the rest."""
    rows, columns = _grid(len(pictures))
    height, width, _ = pictures[0].shape
    filled = np.stack([*pictures, *[pictures[-1]] * (rows * columns - len(pictures))])
    lines = filled.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return lines.reshape(rows * height, columns * width, 3)


def _grid(count: int) -> tuple[int, int]:
    """Rows and columns of a nearly square mosaic."""
    columns = math.ceil(math.sqrt(count))
    return -(-count // columns), columns


def _shares(inner: Span, row: int, length: int, name: str, group: _Pictures) -> list[Span]:
    """The span of a file, divided among its pictures in proportion to their size."""
    sizes = apportion(length, [picture.pixels.size for _, picture in group])
    starts = itertools.accumulate(sizes, initial=0)
    spans = []
    for place, ((sample, picture), start, size) in enumerate(
        zip(group, starts, sizes, strict=False)
    ):
        uses = dict(zip(inner.uses, apportion(size, list(inner.uses.values())), strict=True))
        bits = {kind: _share(count, len(group), place) for kind, count in inner.bits.items()}
        spans.append(
            Span(
                row=row,
                start=start,
                stop=start + size,
                sample=sample,
                stream=name,
                type=Picture,
                form=picture.form,
                bits=bits,
                uses=uses,
                inner=replace(inner, sample=sample),
            )
        )
    return spans


def _shared_file(span: Span) -> Span:
    """The span of the file that pictures share, alone in its row."""
    assert span.inner is not None
    return replace(span.inner, row=0, sample=0, stream=span.stream)


def _share(count: int, parts: int, place: int) -> int:
    """The part of `count` at a place, of nearly equal whole parts."""
    return count // parts + (place < count % parts)
