"""Trained transports: transmitted symbols, and gain of the training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcore import Features, Rng, Semantics, Stream, Text, Tokens, Transport
from semcore.testing.internals import link
from semcore_channels.ntn.channels import Satellite
from semcore_channels.transports.interleaving import deinterleave, interleave, positions
from semcore_channels.transports.ldpc import LDPC
from semcore_video.speech.phones import NUMBERS
from semcore_video.speech.visemes import motion_of
from semcore_video.transports.companded_quantiser import levels, quantise
from semcore_video.transports.dct import DCT
from semcore_video.transports.spectral import Plan, Prior, _amplitudes
from semcore_video.transports.temporal import (
    TemporalDurations,
    TemporalMotion,
    TemporalPhones,
    TemporalText,
)

SNRS = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
SENTENCES = (
    "lay blue by d six soon",
    "set green at v nine please",
    "place white in o zero now",
    "bin red with j three again",
)


def through(transport: Transport, stream: Stream, snr_db: float, seed: int) -> Stream | None:
    """The received stream over the satellite channel, with every slot at an SNR."""
    channel = Satellite(block_snr_db=snr_db)
    adapted = transport.adapted_to(channel)
    sent = adapted.send([Semantics("a", {"x": stream})], Rng(seed))
    return adapted.receive(channel.transmit(sent, Rng(seed).at("channel")))[0].streams.get("x")


def motion(seed: int) -> np.ndarray:
    """A head that sways and speaks a few phones, (75, 12)."""
    rng = np.random.default_rng(seed)
    names = [list(NUMBERS)[int(index)] for index in rng.integers(1, 40, 18)]
    found = motion_of(names, np.linspace(0.5, 2.4, 19), 75, 25.0) * 1.2
    for axis in range(6):
        found[:, axis] += rng.uniform(1, 4) * np.sin(
            2 * np.pi * rng.uniform(0.2, 0.7) * np.arange(75) / 25 + rng.uniform(0, 6)
        )
    return found.astype(np.float32)


def squared(sent: np.ndarray, got: Stream | None) -> float:
    return float(np.square(sent - (got.values if isinstance(got, Features) else 0)).mean())


@pytest.mark.parametrize(
    "snr_db", [pytest.param(one, marks=() if one in (0, 15) else pytest.mark.slow) for one in SNRS]
)
def test_the_trained_code_of_motion_beats_the_untrained_one(snr_db: float) -> None:
    clips = [motion(seed) for seed in range(8)]
    ours, theirs = (
        np.mean(
            [
                squared(one, through(code, Features(one), snr_db, seed))
                for seed, one in enumerate(clips)
            ]
        )
        for code in (TemporalMotion(), DCT())
    )
    assert ours < 0.97 * theirs


@pytest.mark.parametrize("snr_db", SNRS)
def test_the_trained_code_of_durations_beats_the_untrained_one(snr_db: float) -> None:
    rng = np.random.default_rng(5)
    rows = [
        np.concatenate([[40], rng.lognormal(2.0, 0.5, 20).round(), [60]]).astype(np.float32)
        for _ in range(8)
    ]
    ours, theirs = (
        np.mean(
            [
                squared(one, through(code, Features(one), snr_db, seed))
                for seed, one in enumerate(rows)
            ]
        )
        for code in (TemporalDurations(), DCT())
    )
    assert ours < 0.8 * theirs


def test_trained_words_arrive_where_bits_are_lost() -> None:
    """300 symbols and a header of 64, compared with LDPC at rate 1/3 in the same number of
    symbols."""

    def wrong(code: Transport) -> float:
        found = []
        for seed, sentence in enumerate(SENTENCES * 2):
            got = through(code, Text(sentence), 0.0, seed)
            there = got.value if isinstance(got, Text) else ""
            found.append(
                np.mean(
                    [
                        a != b
                        for a, b in zip(
                            sentence, there.ljust(len(sentence))[: len(sentence)], strict=True
                        )
                    ]
                )
            )
        return float(np.mean(found))

    assert wrong(TemporalText()) < 0.2 < 0.5 < wrong(LDPC(rate=1 / 3))
    assert all(through(TemporalText(), Text(one), 15.0, 1) == Text(one) for one in SENTENCES)


def test_phones_and_texts_of_any_length_take_the_symbols_they_are_given() -> None:
    for symbols in (100, 300, 1000):
        sent = TemporalPhones(symbols=symbols).send(
            [Semantics("a", {"x": Tokens(np.arange(20), 40)})], Rng()
        )
        assert sent.layout.lengths == (symbols,)
    long = Text("many words " * 40)
    sent = TemporalText().send([Semantics("a", {"x": long})], Rng())
    assert sent.layout.lengths == (
        2 * 32 + 4 * len(long.value),
    )  # two words of header, four symbols a byte
    assert TemporalText().receive(link(sent, 1e-6))[0].streams["x"] == long


def test_a_stream_whose_header_drowns_is_lost_and_not_absurd() -> None:
    sent, lost = TemporalMotion().send([Semantics("a", {"x": Features(motion(1))})], Rng()), 0
    for seed in range(20):
        noise = Rng(seed).complex_normal(
            sent.layout.keys, sent.layout.lengths, sent.values.shape[1]
        )
        got = TemporalMotion().receive(sent.received(noise, 1.0))[0].streams.get("x")
        assert got is None or np.abs(got.values).max() < 1e3
        lost += got is None
    assert lost >= 10


# ------------------------------------------------------------------------------------------- bursts


@pytest.mark.parametrize("length", [1, 2, 33, 332, 1000])
def test_symbols_are_spread_and_gathered(length: int) -> None:
    there = positions(length)
    assert sorted(there.tolist()) == list(range(length))
    values = torch.randn(2, length, dtype=torch.complex64)
    assert torch.equal(deinterleave(interleave(values)), values)
    if length > 100:
        assert (there.diff().abs() > length / 4).all()


@pytest.mark.parametrize(("count", "length"), [(40, 40), (40, 100), (100, 100)])
def test_coefficients_are_estimated_with_the_least_error(count: int, length: int) -> None:
    rng = np.random.default_rng(0)
    deviations = np.sort(rng.lognormal(0, 1, count))[::-1]
    plan = Plan(
        np.arange(count),
        _amplitudes(deviations, 0.05, length / 2),
        np.square(deviations),
        length,
    )
    same = np.full(length, 0.05)
    spectrum = deviations * rng.standard_normal(count)
    received = plan.encode(spectrum) + 0.05**0.5 * rng.standard_normal(length)
    # With the same noise everywhere the estimate is Wiener's, one by one.
    gains = plan.variances * plan.amplitudes / (plan.variances * plan.amplitudes**2 + 0.05)
    assert np.allclose(
        plan.estimate(received, same), gains * plan_project(plan, received), atol=1e-9
    )
    # A symbol that says nothing costs a little of many, and not all of a few.
    faded = np.where(np.arange(length) % 10 == 0, 1e6, 1e-6)
    strong = plan.amplitudes > 0
    off = (
        plan.estimate(plan.encode(spectrum) + faded**0.5 * rng.standard_normal(length), faded)
        - spectrum
    )
    assert np.square(off[strong]).sum() < 0.5 * np.square(spectrum[strong]).sum()


def plan_project(plan: Plan, received: np.ndarray) -> np.ndarray:
    """The received symbols times the transpose of the spreading matrix."""
    found = np.zeros(len(plan.chosen))
    for numbers, coefficients, turned in plan._blocks():
        found[coefficients] = turned.T @ received[numbers]
    return found


def test_plans_foretell_their_error() -> None:
    code, prior = DCT(snr_db=5.0), Prior(np.random.default_rng(1).lognormal(0, 1, (75, 12)))
    plan, found = code.plan(prior), []
    rng = np.random.default_rng(2)
    predicted = []
    for _ in range(20):
        spectrum = (np.sqrt(prior.variances) * rng.standard_normal((75, 12))).ravel()
        row = plan.encode(spectrum)
        scale = np.sqrt(2 * np.square(row).mean())
        noise = 10**-0.5 / 2
        received = row / scale + noise**0.5 * rng.standard_normal(len(row))
        got = np.zeros(900)
        got[plan.chosen] = plan.estimate(received, np.full(len(row), noise)) * scale
        found.append(np.square(got - spectrum).sum())
        predicted.append(plan.error(spectrum, noise))
    assert np.mean(predicted) == pytest.approx(np.mean(found), rel=0.05)


def test_levels_lie_denser_near_zero() -> None:
    known = levels(256)
    assert (np.diff(known) > 0).all() and np.allclose(known, -known[::-1], atol=1e-5)
    assert (quantise(known, 256) == np.arange(256)).all()
    assert np.diff(known)[127] < 0.1 * np.diff(known)[0]
