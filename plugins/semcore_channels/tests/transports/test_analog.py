"""The analog transport against the laws of linear estimation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from semcore import ComponentError, Features, Picture, Rng, Semantics, Text
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.snr import noise_variance
from semcore_channels.tr38901.cells import UMa
from semcore_channels.transports import scale
from semcore_channels.transports.analog import Analog

RNG = Rng(11)


def over(transport, channel, *streams):
    batch = [Semantics(f"sample{number}", {"s": stream}) for number, stream in enumerate(streams)]
    received = channel.transmit(transport.send(batch, RNG), RNG.at("channel"))
    return received, [one.streams["s"] for one in transport.receive(received)]


def normal(*shape, scale=1.0):
    return Features((scale * np.random.default_rng(0).normal(size=shape)).astype(np.float32))


@pytest.mark.parametrize(
    "channel", [AWGN(snr_db=90.0), UMa(snr_db=90.0, csi="perfect")], ids=["awgn", "uma"]
)
@pytest.mark.parametrize("size", [(1,), (2,), (5, 77), (3, 4, 5), (0,)])
@pytest.mark.parametrize("gain", [1e-3, 1.0, 300.0])
def test_numbers_come_through_a_good_channel(size, gain, channel):
    sent = normal(*size, scale=gain)
    received, (arrived,) = over(Analog(), channel, sent)
    assert arrived.form == size
    np.testing.assert_allclose(arrived.values, sent.values, rtol=1e-2, atol=1e-3 * gain)
    power = received.layout.lengths[0], dict(received.layout.spans[0].uses)
    count = -(-sent.values.size // 2)
    assert power == (count + 64, {"header": 64, "data": count, "parity": 0})


@pytest.mark.parametrize("repetition", [1, 4])
@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_the_mean_square_error_is_what_theory_says(snr_db, repetition):
    """v without and v / (1 + v) with the linear estimate, v = N0 / repetition, relative to the
    power of the numbers.
    """
    sent = normal(100_000, scale=7.0)
    noise_var = noise_variance(snr_db) / repetition
    for mmse, theory in ((False, noise_var), (True, noise_var / (1 + noise_var))):
        _, (arrived,) = over(Analog(repetition=repetition, mmse=mmse), AWGN(snr_db=snr_db), sent)
        error = np.mean((arrived.values - sent.values) ** 2) / np.mean(sent.values**2)
        assert error == pytest.approx(theory, rel=0.03)


def test_repetitions_that_fade_are_combined_by_their_reliability():
    """Four independent fades: the combination is better than the best of them alone would be on
    average.
    """
    sent = normal(20_000)
    errors = []
    for repetition in (1, 2, 4):
        fading = Rayleigh(snr_db=10.0, coherence="symbol")
        _, (arrived,) = over(Analog(repetition=repetition), fading, sent)
        errors.append(np.mean((arrived.values - sent.values) ** 2))
    assert errors[1] < errors[0] / 1.9 and errors[2] < errors[1] / 1.9


def test_pictures_arrive_as_pictures():
    picture = Picture(np.random.default_rng(0).integers(0, 256, (16, 12, 3), dtype=np.uint8))
    _, (arrived,) = over(Analog(), AWGN(snr_db=70.0), picture)
    assert (arrived.pixels == picture.pixels).all()
    _, (noisy,) = over(Analog(), AWGN(snr_db=-3.0), picture)
    assert noisy.pixels.shape == (16, 12, 3)


@pytest.mark.parametrize("gain", [0.02, 1.0, 5000.0])
def test_rows_have_unit_power(gain):
    symbols = Analog().send([Semantics("a", {"s": normal(999, scale=gain)})], RNG)
    assert 10 * np.log10(float(symbols.values.abs().square().mean())) == pytest.approx(0, abs=0.025)


def test_samples_do_not_share_their_power_or_their_noise():
    small, large = normal(300, scale=0.01), normal(40, scale=100.0)
    channel = AWGN(snr_db=5.0)
    batch = [Semantics("a", {"s": small}), Semantics("b"), Semantics("c", {"s": large})]
    together = Analog().receive(channel.transmit(Analog().send(batch, RNG), RNG))
    for one, whole in zip(batch, together, strict=True):
        (alone,) = Analog().receive(channel.transmit(Analog().send([one], RNG), RNG))
        assert alone.streams.keys() == whole.streams.keys()
        for name in alone.streams:
            assert (alone.streams[name].values == whole.streams[name].values).all()


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e-3, 1.0, 3.7, 6e4, 1e30])
def test_scales_are_kept_to_the_resolution_of_the_header(value):
    kept = scale.scale_of(scale.level_of(value))
    inside = min(max(value, scale.SMALLEST), scale.scale_of(scale.LEVELS - 1))
    assert abs(np.log2(kept / inside)) <= 0.5 / scale.STEPS_PER_OCTAVE + 1e-9


@pytest.mark.parametrize("noise_var", [0.0, 1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("value", [0.0, 1e30, complex("nan"), complex("inf")])
def test_no_symbols_can_hurt_the_receiver(value, noise_var):
    symbols = Analog(repetition=3).send([Semantics("a", {"s": normal(9)})], RNG)
    received = symbols.received(torch.full_like(symbols.values, value), noise_var)
    (arrived,) = Analog(repetition=3).receive(received)
    assert not arrived.streams


def test_what_it_cannot_send_is_refused_with_a_hint():
    with pytest.raises(ComponentError, match="ldpc"):
        over(Analog(), AWGN(), Text("a"))
    with pytest.raises(ComponentError, match="NaN"):
        over(Analog(), AWGN(), Features(np.full(3, np.nan, np.float32)))
    for value in (
        1e5,
        1e30,
    ):  # sent as they are, they would have more than unit power: 10 dB that nobody pays for
        with pytest.raises(ComponentError, match="scale them"):
            over(Analog(), AWGN(), Features(np.full(64, value, np.float32)))


def test_zeros_are_sent_as_silence_behind_the_header():
    _, (arrived,) = over(Analog(), AWGN(snr_db=10.0), Features(np.zeros(64, np.float32)))
    assert np.abs(arrived.values).max() < 1e-3
