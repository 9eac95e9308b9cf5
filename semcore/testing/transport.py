"""The laws of a transport: what is sent arrives, pays for every channel use, and nothing hostile
stops the receiver."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from semcore.interfaces import Transport
from semcore.testing.compare import difference
from semcore.testing.examples import RNG, STREAMS, link
from semcore.testing.law import Given, NotApplicable, require
from semcore.types import (
    STREAM_TYPES,
    Bitstream,
    Features,
    Picture,
    Semantics,
    Span,
    Stream,
    Symbols,
    Text,
    Tokens,
)

QUIET = 1e-6
"""Noise variance of a link that loses nothing."""


def use(transport: Transport, given: Given) -> Any:
    """What is put on the air, and what arrives over a good link (20 dB)."""
    sent = transport.send(sendable(transport), RNG)
    return sent, transport.receive(link(sent, 0.01))


def texts_come_back(transport: Transport, given: Given) -> None:
    """Over a noise-free link every text arrives as it was: empty, of any script, long."""
    _come_back(transport, Text)


def tokens_come_back(transport: Transport, given: Given) -> None:
    """Over a noise-free link all tokens arrive as they were: none, of small and of large
    vocabularies."""
    _come_back(transport, Tokens)


def features_come_back(transport: Transport, given: Given) -> None:
    """Over a noise-free link features arrive in their shape and, to 20 dB, with their values, small
    and large."""
    _come_back(transport, Features)


def pictures_come_back(transport: Transport, given: Given) -> None:
    """Over a noise-free link a picture arrives in its size and, to 20 dB or its own
    `loopback_sdr_db`, with its pixels."""
    _come_back(transport, Picture)


def bytes_come_back(transport: Transport, given: Given) -> None:
    """Over a noise-free link all bytes arrive: none, random ones, all zeros, all ones."""
    _come_back(transport, Bitstream)


def every_column_is_paid_for(transport: Transport, given: Given) -> None:
    """The spans of a row fill it without gap or overlap, so the ledger counts every channel use
    once."""
    layout = transport.send(sendable(transport), RNG).layout
    for row, length in enumerate(layout.lengths):
        column = 0
        for span in sorted(
            (span for span in layout.spans if span.row == row),
            key=lambda span: (span.start, span.stop),
        ):
            require(
                span.start == column,
                f"row {row}: column {min(column, span.start)} belongs to no span or to two",
            )
            column = span.stop
        require(column == length, f"row {row} has {length} symbols, its spans end at {column}")


def payload_bits_are_counted(transport: Transport, given: Given) -> None:
    """A bitstream that is sent as bits stands in the ledger with 8 bits of `data` a byte."""
    if transport.incompatibility(Bitstream):
        raise NotApplicable(f"it {transport.incompatibility(Bitstream)}")
    for stream in STREAMS[Bitstream]:
        assert isinstance(stream, Bitstream)
        for span in transport.send([Semantics("a", {"x": stream})], RNG).layout.spans:
            bits = span.bits.get("data", 0)
            require(
                not span.bits or bits == 8 * len(stream.data),
                f"{len(stream.data)} bytes count {bits} bits of data",
            )


def every_row_has_unit_power(transport: Transport, given: Given) -> None:
    """The mean of |x|^2 over a row is 1 whatever is sent, by itself and not over the batch; behind
    the row is silence."""
    batch = sendable(transport)
    symbols = transport.send(batch, RNG)
    for row, length in enumerate(symbols.layout.lengths):
        require(
            not symbols.values[row, length:].abs().any(),
            f"row {row} goes on sending behind its {length} symbols",
        )
        if length < 64:
            continue
        power = float(symbols.values[row, :length].abs().square().mean())
        bound = 0.01 + 4 / math.sqrt(length)
        require(
            abs(power - 1) < bound,
            f"row {row} ({_kinds(batch, symbols, row)}) has power {power:.3f}, not 1",
        )


def sends_a_sample_the_same_in_any_batch(transport: Transport, given: Given) -> None:
    """A sample's symbols, and what arrives of it over a noisy link (10 dB), do not depend on the
    batch.

    Where samples share channel uses (`group_size`), that holds for a whole group of them.
    """
    batch, size = sendable(transport), transport.group_size
    together = transport.send(batch, RNG)
    arrived = transport.receive(link(together, 0.1))
    for start in reversed(range(0, len(batch), size)):
        group = batch[start : start + size]
        name = f"sample {start}" if size == 1 else f"samples {start} to {start + len(group) - 1}"
        alone = transport.send(group, RNG)
        where = difference(
            _of_samples(together, start, len(group)), _of_samples(alone, 0, len(group)), 1e-5
        )
        require(not where, f"symbols of {name}, sent alone: {where}")
        got = transport.receive(link(alone, 0.1))
        where = difference(arrived[start : start + size], got, 1e-4)
        require(not where, f"what arrives of {name}, sent alone: {where}")


def a_lost_stream_costs_nothing(transport: Transport, given: Given) -> None:
    """A sample without streams takes no channel use and arrives without streams, alone or among
    others."""
    batch = [Semantics("nothing", {}, "anna"), *sendable(transport)[:1]]
    for some in (batch, batch[:1]):
        symbols = transport.send(some, RNG)
        spans = [span for span in symbols.layout.spans if span.sample == 0]
        require(
            not spans,
            f"a sample without streams takes {sum(s.stop - s.start for s in spans)} channel uses",
        )
        require(
            sum(symbols.layout.lengths) > 0 or len(some) == 1, "nothing is sent of the other sample"
        )
        arrived = transport.receive(link(symbols, QUIET))
        require(
            [one.key for one in arrived] == [one.key for one in some],
            "it returns one Semantics a sample, in order",
        )
        require(not arrived[0].streams, "something arrives of a sample of which nothing was sent")


def nothing_hostile_stops_it(transport: Transport, given: Given) -> None:
    """Noise, silence, absurd values and NaN never raise; what arrives has its type and form, and no
    check calls it intact."""
    batch = [Semantics("nothing", {}, "anna"), *sendable(transport)]
    symbols = transport.send(batch, RNG)
    shape = symbols.values.shape
    noise = RNG.at("hostile").complex_normal(symbols.layout.keys, (shape[1],) * shape[0])
    values = {
        "noise": noise,
        "silence": 0 * noise,
        "huge values": 1e30 * noise,
        "NaN": noise * math.nan,
    }
    values["infinite values"] = torch.complex(noise.real * math.inf, noise.imag)
    cases = [(name, 1.0) for name in values] + [
        ("noise", var) for var in (1e-9, 1e9, 0.0, -1.0, math.nan, math.inf)
    ]
    for name, noise_var in (*cases, ("huge values", 1e-9), ("NaN", math.nan)):
        case = f"{name} with noise_var {noise_var}"
        arrived = transport.receive(symbols.received(values[name], noise_var))
        require(
            len(arrived) == len(batch),
            f"{case}: {len(batch)} samples were sent, {len(arrived)} arrive",
        )
        for sent, got in zip(batch, arrived, strict=True):
            _holds_nothing_false(sent, got, case, transport.loopback_sdr_db)


def _holds_nothing_false(
    sent: Semantics, got: Semantics, case: str, loopback_sdr_db: float
) -> None:
    require(
        (sent.key, sent.user) == (got.key, got.user), f"{case}: key and user of a sample are lost"
    )
    for name, found in got.streams.items():
        require(name in sent.streams, f"{case}: a stream {name!r} arrives that was not sent")
        wanted = sent.streams[name]
        right = type(found) is type(wanted) and found.form == wanted.form
        require(
            right,
            f"{case}: {name!r} arrives as {type(found).__name__} {found.form}, not {wanted.form}",
        )
        if isinstance(found, Features):
            require(
                np.isfinite(found.values).all(), f"{case}: {name!r} arrives with NaN or infinity"
            )
        require(
            not got.intact.get(name) or _same(wanted, found, loopback_sdr_db),
            f"{case}: {name!r} is called intact, and is damaged",
        )


LAWS = (
    texts_come_back, tokens_come_back, features_come_back, pictures_come_back, bytes_come_back,
    every_column_is_paid_for, payload_bits_are_counted, every_row_has_unit_power,
    sends_a_sample_the_same_in_any_batch, a_lost_stream_costs_nothing, nothing_hostile_stops_it,
)  # fmt: skip


# ------------------------------------------------------------------------------------------ helpers


def sendable(transport: Transport) -> list[Semantics]:
    """A sample for each example of a stream that the transport carries, and one with a stream of
    every type."""
    types = _carried(transport)
    require(types, "it carries no stream type at all: name them in `carries`")
    alone = [
        Semantics(f"{kind.__name__} {index}", {"x": stream}, "anna")
        for kind in types
        for index, stream in enumerate(STREAMS[kind])
    ]
    return [
        *alone,
        Semantics("all", {kind.__name__.lower(): STREAMS[kind][0] for kind in types}, "bruno"),
    ]


def _carried(transport: Transport) -> list[type[Stream]]:
    """Types that it carries, as it is set up."""
    return [kind for kind in STREAM_TYPES if not transport.incompatibility(kind)]


def _come_back(transport: Transport, kind: type[Stream]) -> None:
    if transport.incompatibility(kind):
        raise NotApplicable(f"it {transport.incompatibility(kind)}")
    batch = [
        Semantics(str(index), {"x": stream}, "anna") for index, stream in enumerate(STREAMS[kind])
    ]
    arrived = transport.receive(link(transport.send(batch, RNG), QUIET))
    require(len(arrived) == len(batch), f"{len(batch)} samples were sent, {len(arrived)} arrive")
    for sent, got in zip(batch, arrived, strict=True):
        stream: Stream | None = got.streams.get("x")
        require(
            (got.key, got.user) == (sent.key, sent.user),
            f"sample {sent.key!r} arrives as {got.key!r}",
        )
        require(type(stream) is kind, f"{_short(sent.streams['x'])} does not arrive")
        require(
            _same(sent.streams["x"], stream, transport.loopback_sdr_db),
            f"{_short(sent.streams['x'])} became {_short(stream)}",
        )
        require(
            got.intact.get("x", True),
            f"{_short(sent.streams['x'])} arrives, but its check says it is damaged",
        )


def _same(sent: Any, got: Any, loopback_sdr_db: float) -> bool:
    """Whether a stream is what was sent, as far as a transport may compress it."""
    if isinstance(sent, Features):
        return _close(sent.values, got.values, loopback_sdr_db)
    return (
        _close(sent.pixels, got.pixels, loopback_sdr_db)
        if isinstance(sent, Picture)
        else not difference(sent, got)
    )


def _close(sent: np.ndarray, got: np.ndarray, loopback_sdr_db: float) -> bool:
    if sent.shape != got.shape:
        return False
    error = np.mean((sent.astype(np.float64) - got) ** 2)
    return bool(error <= 10 ** (-loopback_sdr_db / 10) * np.mean(sent.astype(np.float64) ** 2))


def _of_samples(symbols: Symbols, first: int, count: int) -> list[Any]:
    """What the rows of some samples hold, and how it is laid out."""
    layout, held = symbols.layout, []
    mine = range(first, first + count)
    for row in dict.fromkeys(span.row for span in layout.spans if span.sample in mine):
        spans = [_relative(span, first) for span in layout.spans if span.row == row]
        held.append((layout.keys[row], symbols.values[row, : layout.lengths[row]], spans))
    return held


def _relative(span: Span, first: int) -> Span:
    inner = _relative(span.inner, first) if span.inner else None
    return dataclasses.replace(span, row=0, sample=span.sample - first, inner=inner)


def _kinds(batch: Sequence[Semantics], symbols: Symbols, row: int) -> str:
    return ", ".join(
        _short(batch[s.sample].streams[s.stream]) for s in symbols.layout.spans if s.row == row
    )


def _short(stream: object) -> str:
    words = repr(stream).replace("\n", " ")
    return words if len(words) < 60 else words[:57] + "..."
