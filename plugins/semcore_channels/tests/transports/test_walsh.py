"""Walsh codes: orthogonal users, their SNR, what each pays, over any transport."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semcore import Bitstream, ComponentError, Features, Ledger, Rng, Semantics, Text, Transport
from semcore.testing.internals import Multiplex
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.transports.analog import Analog
from semcore_channels.transports.ldpc import LDPC
from semcore_channels.transports.uncoded import Uncoded
from semcore_channels.transports.walsh import Walsh

RNG = Rng(11)


def users(count: int, *sizes: int) -> list[Semantics]:
    """`count` users with different features."""
    rng = np.random.default_rng(0)
    sizes = sizes or (400,) * count
    return [
        Semantics(
            f"s{number}",
            {"v": Features(rng.standard_normal(size).astype(np.float32))},
            f"user{number}",
        )
        for number, size in zip(range(count), sizes, strict=True)
    ]


@pytest.mark.parametrize("length", [1, 2, 8, 64])
def test_codes_are_orthogonal(length):
    """W W^T = d I (MMSemCom, section IV)."""
    codes = Walsh(Analog(), length).codes
    assert torch.equal(codes @ codes.T, length * torch.eye(length))
    assert set(codes.unique().tolist()) <= {1.0, -1.0}


@pytest.mark.parametrize("count", [1, 3, 8])
def test_users_do_not_hear_each_other(count):
    batch = users(count)
    transport = Walsh(Analog(mmse=False), code_length=8, users=count)
    arrived = transport.receive(AWGN(snr_db=90.0).transmit(transport.send(batch, RNG), RNG))
    for sent, got in zip(batch, arrived, strict=True):
        np.testing.assert_allclose(got.streams["v"].values, sent.streams["v"].values, atol=2e-3)


def error_power(transport: Transport, batch: list[Semantics], channel: AWGN) -> np.ndarray:
    """Mean squared error of each user's features, in units of their power."""
    arrived = transport.receive(channel.transmit(transport.send(batch, RNG), RNG.at("noise")))
    return np.array(
        [
            np.mean((got.streams["v"].values - sent.streams["v"].values) ** 2)
            / np.mean(sent.streams["v"].values ** 2)
            for sent, got in zip(batch, arrived, strict=True)
        ]
    )


@pytest.mark.parametrize(("count", "length"), [(8, 8), (2, 8), (4, 16)])
def test_at_equal_energy_a_feature_every_user_has_the_snr_of_a_single_one(count, length):
    """A symbol of a group has length / count times the energy of a symbol alone; at that energy the
    SNR is the same.
    """
    batch = users(count, *(200_000,) * count)
    single = error_power(
        Analog(mmse=False), batch, AWGN(snr_db=10.0 + 10 * math.log10(length / count))
    )
    shared = error_power(Walsh(Analog(mmse=False), length, count), batch, AWGN(snr_db=10.0))
    assert np.abs(10 * np.log10(shared / single)).max() < 0.05


def test_the_noise_that_is_left_is_told_to_the_transport_inside(monkeypatch):
    seen = []
    receive = Analog.receive
    monkeypatch.setattr(
        Analog, "receive", lambda self, received: seen.append(received) or receive(self, received)
    )
    transport, batch = Walsh(Analog(), 8, 4), users(4, *(20_000,) * 4)
    sent = Analog().send(batch, RNG).values
    transport.receive(
        Rayleigh(snr_db=12.0, coherence="symbol").transmit(
            transport.send(batch, RNG), RNG.at("noise")
        )
    )
    [received] = seen
    ratio = (received.values - sent).abs().square() / received.noise_var
    assert float(ratio.mean()) == pytest.approx(1, abs=0.03)


def test_every_chip_is_paid_for_once_by_what_each_user_sends():
    batch = [*users(3, 100, 300, 50), Semantics("idle", {}, "nobody"), *users(2, 40, 40)]
    transport = Walsh(Analog(), code_length=4, users=4)
    symbols = transport.send(batch, RNG)
    ledger = Ledger.of(symbols.received(symbols.values, 1.0))
    assert ledger.uses() == sum(symbols.layout.lengths)
    uses = {key: ledger.uses(key) for key in ("s0", "s1", "s2", "idle")}
    assert uses["s1"] > uses["s0"] > uses["s2"] > 0 == uses["idle"]
    header = 64  # of the scale
    longest = 300 // 2 + header
    assert symbols.layout.lengths == (4 * longest, 4 * (20 + header))
    assert float(symbols.values[0].abs().square().mean()) == pytest.approx(1, abs=1e-3)
    arrived = transport.receive(AWGN(snr_db=60.0).transmit(symbols, RNG))
    assert [sorted(one.streams) for one in arrived] == [["v"], ["v"], ["v"], [], ["v"], ["v"]]


def test_over_any_transport_and_several_streams():
    batch = [
        Semantics(
            "a", {"words": Text("a brown bird"), "v": Features(np.ones(7, np.float32))}, "anna"
        ),
        Semantics(
            "b",
            {"words": Text("a green frog on a leaf"), "v": Features(np.full(30, -2, np.float32))},
            "bruno",
        ),
    ]
    link = Multiplex({"words": Walsh(LDPC(), 2), "v": Walsh(Analog(), 4, 2)})
    symbols = link.send(batch, RNG)
    assert (
        symbols is not None and len(symbols.layout.lengths) == 1
    )  # both streams of both users in one row
    for one, sent in zip(
        link.receive(AWGN(snr_db=30.0).transmit(symbols, RNG)), batch, strict=True
    ):
        assert one.text("words") == sent.text("words") and one.intact == {"words": True}
        np.testing.assert_allclose(one.streams["v"].values, sent.streams["v"].values, atol=0.2)


def test_bits_are_bits():
    batch = [
        Semantics(name, {"x": Bitstream(name.encode() * 30)}, name)
        for name in ("anna", "bruno", "clara")
    ]
    transport = Walsh(Uncoded("16qam"), 4, 3)
    arrived = transport.receive(AWGN(snr_db=30.0).transmit(transport.send(batch, RNG), RNG))
    assert [one.streams["x"] for one in arrived] == [one.streams["x"] for one in batch]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Walsh(Analog(), 6), "code_length must be a power of two, not 6"),
        (lambda: Walsh(Analog(), 4, 5), "users must not be more than the 4 codes"),
        (lambda: Walsh(Walsh(Analog(), 2), 2), "shares channel uses itself"),
    ],
)
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(ComponentError, match=words):
        make()
