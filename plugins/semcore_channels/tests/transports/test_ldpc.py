"""The LDPC transport: what it carries, what it counts, and that no received symbol can hurt it."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semcore import (
    Bitstream,
    Codec,
    ComponentError,
    Features,
    Ledger,
    Picture,
    Rng,
    Semantics,
    Text,
    Tokens,
)
from semcore.testing.internals import limited
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.modulation.registry import BUILT_IN
from semcore_channels.tr38901.cells import UMa
from semcore_channels.transports.ldpc import LDPC

CLEAN = AWGN(snr_db=40.0)
QUICK = 4
"""Iterations that are enough for a clean channel."""
RNG = Rng(7)


def over(transport, channel, *streams):
    """Each stream as a sample of its own, over the link: what was received, and what came out."""
    batch = [Semantics(f"sample{number}", {"s": stream}) for number, stream in enumerate(streams)]
    received = channel.transmit(transport.send(batch, RNG), RNG.at("channel"))
    return received, transport.receive(received)


@settings(max_examples=15)
@given(st.binary(max_size=2000))
@pytest.mark.parametrize("channel", [CLEAN, UMa(block_snr_db=30.0)], ids=["awgn", "uma"])
def test_any_bytes_come_through_a_good_channel(channel, data):
    _, (arrived,) = over(LDPC(iterations=QUICK), channel, Bitstream(data))
    assert arrived.streams["s"] == Bitstream(data)
    assert arrived.intact == {"s": True}


@pytest.mark.parametrize("modulation", BUILT_IN)
@pytest.mark.parametrize("rate", ["1/5", "1/3", 0.66, "8/9"])
@pytest.mark.default_cases(6)
def test_every_rate_and_modulation(rate, modulation):
    transport = LDPC(rate=rate, modulation=modulation, iterations=QUICK)
    streams = [Bitstream(bytes(range(256))[:size]) for size in (0, 3, 40)] + [
        Bitstream(b"\0" * 1100)
    ]
    received, arrived = over(transport, CLEAN, *streams)
    assert [one.streams["s"] for one in arrived] == streams
    for span in received.layout.spans:
        assert (
            sum(span.bits.values())
            == (span.stop - span.start) * BUILT_IN[modulation].bits_per_symbol
        )
        assert span.bits["padding"] >= 0


@pytest.mark.parametrize("modulation", BUILT_IN)
def test_rows_have_unit_power_whatever_the_payload(modulation):
    """Without scrambling, zeros would be sent at a fifth of the power by 16-QAM."""
    symbols = LDPC(modulation=modulation).send(
        [Semantics("a", {"s": Bitstream(b"\0" * 4000)})], RNG
    )
    assert float(symbols.values.abs().square().mean()) == pytest.approx(1, abs=0.05)


def test_all_stream_types_come_through():
    tokens = np.random.default_rng(0).integers(0, 41, 100)
    picture = Picture(np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8))
    _, arrived = over(
        LDPC(codec=Raw(), iterations=QUICK),
        CLEAN,
        Text("Ein brauner Vogel 🐦"),
        Text(""),
        Tokens(tokens, 41),
        picture,
        Tokens(np.zeros(0, np.int64), 41),
        Tokens(np.zeros(5, np.int64), 1),
        Tokens(tokens + 2**60, 2**62),
    )
    got = [one.streams["s"] for one in arrived]
    assert got[:2] == [Text("Ein brauner Vogel 🐦"), Text("")]
    assert (got[2].values == tokens).all() and got[2].vocabulary == 41
    assert (got[3].pixels == picture.pixels).all()
    assert (
        got[4].values.shape == (0,)
        and (got[5].values == 0).all()
        and (got[6].values == tokens + 2**60).all()
    )
    assert all(one.intact["s"] for one in arrived)


def test_several_streams_of_a_sample_and_none():
    batch = [
        Semantics("a", {"x": Text("one"), "y": Bitstream(b"two")}, user="u"),
        Semantics("b"),
        Semantics("c", {"y": Bitstream(b"three")}),
    ]
    transport = LDPC()
    symbols = transport.send(batch, RNG)
    arrived = transport.receive(CLEAN.transmit(symbols, RNG))
    assert symbols.layout.lengths[1] == 0
    assert [dict(one.streams) for one in arrived] == [dict(one.streams) for one in batch]
    assert [(one.key, one.user) for one in arrived] == [("a", "u"), ("b", ""), ("c", "")]
    assert transport.receive(CLEAN.transmit(transport.send([], RNG), RNG)) == []


def test_the_account_is_exact():
    received, _ = over(LDPC(), CLEAN, Text("A brown and white bird perched on a wooden post."))
    (span,), ledger = received.layout.spans, Ledger.of(received)
    size = len("A brown and white bird perched on a wooden post.")
    assert dict(span.bits) == {
        "data": 8 * size, "header": 8, "crc": 24, "padding": 0, "parity": 8 * size + 32
    }  # fmt: skip
    assert ledger.uses() == ledger.bits() // 2 == 8 * size + 32
    assert span.form == ()  # the length of a text is no side information


def test_every_block_of_several_pays_for_its_check():
    received, _ = over(LDPC(), CLEAN, Bitstream(bytes(5000)))
    (span,) = received.layout.spans
    assert span.bits["crc"] == 24 + 5 * 24  # five blocks of at most 8448 bits
    assert sum(span.bits.values()) == 2 * (span.stop - span.start)


@pytest.mark.parametrize(
    ("rate", "payload_bytes", "count", "base_graph"),
    [
        ("1/2", 30, 1, 2),  # at most 292 bits
        ("8/9", 30, 1, 2),
        ("1/2", 470, 1, 2),  # at most 3824 bits, and a rate of at most 0.67
        ("3/4", 470, 1, 1),
        ("1/2", 600, 1, 1),
        ("1/4", 5000, 11, 2),  # blocks of at most 3840 bits
        ("1/2", 5000, 5, 1),
        ("8/9", 100_000, 95, 1),
    ],
)
def test_base_graphs_and_segments_are_those_of_the_standard(rate, payload_bytes, count, base_graph):
    """TS 38.212, 7.2.2 (base graph) and 5.2.2: C = ceil(B / (Kcb - 24)) blocks where B > Kcb."""
    scheme = LDPC(rate=rate).scheme
    bits = 8 * payload_bytes + 24
    blocks = scheme.blocks(scheme.uses(bits))
    largest = {1: 8448, 2: 3840}[base_graph]
    assert (blocks.count, blocks.base_graph) == (count, base_graph)
    assert blocks.count == (1 if bits <= largest else -(-bits // (largest - 24)))


@given(
    st.integers(1, 200_000),
    st.sampled_from(["1/5", "1/3", "1/2", "0.6", "8/9"]),
    st.sampled_from([*BUILT_IN]),
)
def test_both_ends_find_the_same_blocks_from_the_grant_alone(bits, rate, modulation):
    scheme = LDPC(rate=rate, modulation=modulation).scheme
    uses = scheme.uses(bits)
    blocks = scheme.blocks(uses)
    assert blocks.room >= bits and blocks.k <= {1: 8448, 2: 3840}[blocks.base_graph]
    assert blocks.count * blocks.n == uses * scheme.bits_per_symbol
    assert 0 <= blocks.k - scheme.rate * blocks.n < 1
    assert blocks.room - bits < 2 * blocks.k


def test_without_numba_sionna_decodes_and_the_identity_says_so(monkeypatch):
    monkeypatch.setattr("semcore_channels.coding.codes.importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "semcore_channels.coding.compiled", None)
    assert LDPC().identity() == "belief-propagation"
    _, (arrived,) = over(LDPC(iterations=QUICK), CLEAN, Bitstream(bytes(range(99))))
    assert arrived.streams["s"] == Bitstream(bytes(range(99)))
    monkeypatch.undo()
    assert (
        LDPC().identity() == "min-sum"
        and LDPC(decoder="belief-propagation").identity() == "belief-propagation"
    )


def test_threads_change_nothing():
    batch = [
        Semantics(f"sample{number}", {"s": Bitstream(bytes([number] * 300))}) for number in range(7)
    ]
    received = AWGN(snr_db=0.9).transmit(LDPC().send(batch, RNG), RNG.at("channel"))
    arrived = []
    for threads in (1, 3):
        with limited(threads):
            arrived.append(
                [(dict(one.streams), dict(one.intact)) for one in LDPC().receive(received)]
            )
    assert arrived[0] == arrived[1]


def test_results_do_not_depend_on_the_batch():
    streams = [Text("x" * length) for length in (3, 40, 40, 41, 700)]
    channel, transport = AWGN(snr_db=1.0), LDPC()
    batch = [Semantics(f"sample{number}", {"s": stream}) for number, stream in enumerate(streams)]
    together = transport.receive(channel.transmit(transport.send(batch, RNG), RNG))
    apart = [
        transport.receive(channel.transmit(transport.send([one], RNG), RNG))[0] for one in batch
    ]
    assert [dict(one.streams) for one in together] == [dict(one.streams) for one in apart]
    assert [dict(one.intact) for one in together] == [dict(one.intact) for one in apart]
    assert len({one.intact["s"] for one in together}) == 2  # some fail, some do not


def test_a_failed_check_delivers_or_erases():
    noisy = AWGN(snr_db=-1.0)
    text = Text("A brown and white bird perched on a wooden post." * 4)
    _, (delivered,) = over(LDPC(), noisy, text)
    _, (erased,) = over(LDPC(on_error="erase"), noisy, text)
    assert delivered.intact == erased.intact == {"s": False}
    assert erased.streams == {} and not delivered.arrived()
    assert len(delivered.text("s")) > 150 and delivered.text("s") != text.value
    _, (damaged,) = over(LDPC(), noisy, Bitstream(text.value.encode()))
    assert len(damaged.streams["s"].data) == len(
        text.value
    )  # the header is lost, the grant says how much it was


@pytest.mark.parametrize("snr_db", [-10.0, -3.0, 0.0, 1.0])
def test_damaged_streams_keep_their_types_and_sizes(snr_db):
    tokens = np.full(300, 40)
    picture = Picture(np.full((8, 8, 3), 200, np.uint8))
    _, arrived = over(
        LDPC(codec=Raw()), Rayleigh(snr_db=snr_db), Text("ä" * 90), Tokens(tokens, 41), picture
    )
    text, phones, pixels = (one.streams.get("s") for one in arrived)
    assert isinstance(text, Text)
    assert phones.values.shape == (300,) and phones.values.max() < 41
    assert pixels is None or pixels.pixels.shape == (8, 8, 3)


GARBAGE = {
    "noise": lambda shape: torch.randn(
        shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(3)
    ),
    "zeros": lambda shape: torch.zeros(shape, dtype=torch.complex64),
    "ones": lambda shape: torch.ones(shape, dtype=torch.complex64),
    "huge": lambda shape: torch.full(shape, 1e30 + 1e30j, dtype=torch.complex64),
    "nan": lambda shape: torch.full(shape, complex("nan"), dtype=torch.complex64),
    "inf": lambda shape: torch.full(shape, complex("inf"), dtype=torch.complex64),
}


@pytest.mark.parametrize("noise_var", [0.0, 1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_no_symbols_can_hurt_the_receiver(garbage, noise_var):
    for modulation in ("4qam", "64qam"):
        transport = LDPC(modulation=modulation, codec=Raw(), iterations=QUICK)
        streams = [
            Text("a text"),
            Bitstream(bytes(300)),
            Tokens(np.arange(9), 9),
            Picture(np.zeros((4, 4, 3), np.uint8)),
        ]
        batch = [
            Semantics(f"sample{number}", {"s": stream}) for number, stream in enumerate(streams)
        ]
        symbols = transport.send(batch, RNG)
        received = symbols.received(garbage(symbols.values.shape), noise_var)
        for one in transport.receive(received):
            assert one.intact == {"s": False}
            for stream in one.streams.values():
                assert len(getattr(stream, "data", b"")) <= 303


def test_what_it_cannot_send_is_refused_with_a_hint():
    with pytest.raises(ComponentError, match="codec"):
        over(LDPC(), CLEAN, Picture(np.zeros((2, 2, 3), np.uint8)))
    with pytest.raises(ComponentError, match="analog"):
        over(LDPC(), CLEAN, Features(np.zeros(3, np.float32)))
    symbols = LDPC().send([Semantics("a", {"s": Bitstream(bytes(5000))})], RNG)
    with pytest.raises(ComponentError, match="same settings"):
        LDPC(max_code_block_bits=128).receive(CLEAN.transmit(symbols, RNG))


@pytest.mark.parametrize("rate", ["1/6", 0.9, "half", "1/0", True])
def test_rates_that_do_not_exist_are_refused(rate):
    with pytest.raises(ComponentError, match="rate"):
        LDPC(rate=rate)


def test_rates_are_numbers_once_made():
    assert LDPC(rate="1/2") == LDPC(rate=0.5) == LDPC()
    assert LDPC(rate="1/3").settings()["rate"] == 1 / 3


@dataclass(frozen=True)
class Raw(Codec):
    """Pixels as they are."""

    def encode(self, pixels):
        return pixels.tobytes()

    def decode(self, data, size=None):
        whole = len(data) == 3 * size[0] * size[1]
        return np.frombuffer(data, np.uint8).reshape(*size, 3) if whole else None
