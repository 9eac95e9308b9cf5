"""Repetition: copies are paid for, add up, and come only as often as the channel asks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semcore import Bitstream, Features, Rng, Semantics, Text
from semcore_channels.flat import AWGN
from semcore_channels.transports.analog import Analog
from semcore_channels.transports.ldpc import LDPC
from semcore_channels.transports.repeated import Repeated

DATA = np.random.default_rng(0).bytes(300)
BATCH = [
    Semantics("a", {"x": Bitstream(DATA), "y": Text("two streams in a row")}),
    Semantics("b", {"x": Bitstream(DATA[:40])}),
]


@pytest.mark.parametrize(
    ("snr_db", "copies"),
    [(20.0, 1), (3.0, 1), (2.9, 2), (0.0, 2), (-0.1, 3), (-5.0, 7), (-40.0, 32)],
)
def test_copies_make_up_for_the_snr(snr_db: float, copies: int) -> None:
    transport = Repeated(transport=LDPC()).adapted_to(AWGN(snr_db=snr_db))
    assert transport.copies == copies
    assert copies in (1, 32) or 3 <= snr_db + 10 * math.log10(copies) < 3 + 10 * math.log10(
        copies / (copies - 1)
    )


@pytest.mark.parametrize("snr_db", [-6.0, 0.0, 10.0])
def test_every_copy_is_paid_for(snr_db: float) -> None:
    transport = Repeated(transport=LDPC()).adapted_to(AWGN(snr_db=snr_db))
    once, sent = LDPC().send(BATCH, Rng(1)), transport.send(BATCH, Rng(1))
    times = transport.copies
    assert sent.layout.lengths == tuple(times * length for length in once.layout.lengths)
    for span, inner in zip(sent.layout.spans, once.layout.spans, strict=True):
        assert sum(span.uses.values()) == times * (inner.stop - inner.start)
        assert sum(span.bits.values()) == times * sum(inner.bits.values())
        assert {kind: span.uses[kind] for kind in inner.uses if kind != "parity"} == {
            kind: count for kind, count in inner.uses.items() if kind != "parity"
        }


def test_over_a_good_channel_it_is_the_transport_itself() -> None:
    once, sent = (
        LDPC().send(BATCH, Rng(1)),
        Repeated(transport=LDPC()).adapted_to(AWGN(snr_db=10.0)).send(BATCH, Rng(1)),
    )
    assert torch.equal(once.values, sent.values)


def test_what_one_copy_cannot_carry_all_of_them_can() -> None:
    channel = AWGN(snr_db=-6.0)
    alone, many = (
        LDPC(on_error="erase"),
        Repeated(transport=LDPC(on_error="erase")).adapted_to(channel),
    )
    lost = alone.receive(channel.transmit(alone.send(BATCH, Rng(1)), Rng(2)))
    found = many.receive(channel.transmit(many.send(BATCH, Rng(1)), Rng(2)))
    assert not lost[0].streams
    for got, sent in zip(found, BATCH, strict=True):
        assert {name: stream for name, stream in got.streams.items()} == dict(sent.streams)


def test_the_noise_that_is_left_is_that_of_all_copies() -> None:
    """The mean squared error of unbiased estimates falls with the number of copies (Brennan)."""
    values = np.random.default_rng(3).standard_normal(20_000).astype(np.float32)
    channel = AWGN(snr_db=0.0)
    errors = []
    for least in (0.0, 3.0, 6.0):
        transport = Repeated(transport=Analog(mmse=False), least_snr_db=least).adapted_to(channel)
        received = channel.transmit(
            transport.send([Semantics("a", {"x": Features(values)})], Rng(1)), Rng(4)
        )
        found = transport.receive(received)[0].streams["x"]
        assert isinstance(found, Features)
        errors.append(float(np.square(found.values - values).mean()))
    assert errors[0] == pytest.approx(1.0, rel=0.03)
    assert errors[1] == pytest.approx(1 / 2, rel=0.03) and errors[2] == pytest.approx(
        1 / 4, rel=0.03
    )
