"""Headers: right, or lost with their stream; wrong at most once in a million, on any link."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from semcore import ChannelModel, Features, Layout, Rng, Semantics, Span, Symbols
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.transports import header_code, scale
from semcore_channels.transports.analog import COPIES, Analog
from semcore_channels.transports.interleaving import deinterleave, interleave, positions

COUNT = 600
HEADER = COPIES * header_code.WORD_USES


def test_all_words_are_a_kerdock_code() -> None:
    """4096 words of 64 places, of which any two differ in 28, 32, 36 or 64."""
    every = torch.view_as_real(header_code.code_words(header_code.SETS)).flatten(1)
    for some in every.split(512):
        alike = (some @ every.T).round().int()  # of 32: every real place has a power of 1/2
        assert set(alike.unique().tolist()) == {-32, -4, 0, 4, 32}
    assert (torch.linalg.matrix_norm(every) ** 2).item() == pytest.approx(32 * 4096)


@pytest.mark.parametrize("length", [1, 2, 64, 65, 100, 997])
def test_symbols_of_the_header_lie_far_apart_in_the_burst(length: int) -> None:
    values = torch.arange(length)
    assert torch.equal(deinterleave(interleave(values)), values)
    if length > HEADER:
        places = positions(length)[:HEADER].sort().values
        assert int(places.diff().max()) <= 2 * length // HEADER + 2


def headers(channel: ChannelModel, count: int, seed: int = 0) -> tuple[float, float]:
    """Shares of headers of random numbers that are lost, and that are misread."""
    rng = Rng(seed)
    numbers = rng.at("numbers").numpy().integers(0, 4096, count).tolist()
    values = torch.stack(
        [header_code.encode(number, header_code.SETS, COPIES) for number in numbers]
    )
    keys = tuple(map(str, range(count)))
    spans = tuple(Span(row, 0, HEADER, row, "s", Features) for row in range(count))
    received = channel.transmit(
        Symbols(values, Layout((HEADER,) * count, spans, keys, tuple((key, "") for key in keys))),
        rng,
    )
    found = [
        header_code.decode(*pair, header_code.SETS)
        for pair in zip(received.values, received.noise_var, strict=True)
    ]
    wrong = sum(
        one is not None and one != number for one, number in zip(found, numbers, strict=True)
    )
    return sum(one is None for one in found) / count, wrong / count


@pytest.mark.parametrize("coherence", ["none", "symbol", "block", "frame"])
@pytest.mark.parametrize("snr_db", [-10.0, -5.0, 0.0, 5.0, 10.0, 20.0])
@pytest.mark.default_cases(8)
def test_no_header_is_misread_and_few_are_lost(coherence: str, snr_db: float) -> None:
    channel = (
        AWGN(snr_db=snr_db) if coherence == "none" else Rayleigh(snr_db=snr_db, coherence=coherence)
    )  # type: ignore[arg-type]
    lost, wrong = headers(channel, COUNT)
    assert wrong == 0
    # Lost if the log-likelihood ratio to the nearest words, of mean and half variance 56 SNR a
    # copy, is below ln(10^6 n).
    mean = 2 * 56 * 10 ** (snr_db / 10)
    if coherence == "none":
        likely = 2108 * stats.norm.cdf(
            (np.log(1e6) + np.log(2108) - mean) / np.sqrt(2 * mean)
        )  # union bound over 28 and 32
        assert lost <= min(likely, 1) + 4 / np.sqrt(COUNT) * (likely > 1e-3)
        assert lost == 0 or snr_db < 0
    elif coherence != "symbol":
        least = np.log(1e6) / mean  # weaker than this on average, a header says too little
        assert 1 - np.exp(-least) - 0.08 < lost < 1 - np.exp(-4 * least) + 0.05


def test_a_stream_whose_header_is_lost_is_lost_and_never_absurd() -> None:
    """Block fading at 0 dB: what arrives has the right scale; once a third had another, by a factor
    of up to 2^32.
    """
    batch = [
        Semantics(str(number), {"s": Features(np.full(400, 3.0, np.float32))})
        for number in range(300)
    ]
    sent = Analog().send(batch, Rng(1))
    arrived = Analog().receive(
        Rayleigh(snr_db=0.0, coherence="block", block_symbols=66).transmit(sent, Rng(2))
    )
    there = [one.streams["s"].values for one in arrived if one.streams]  # type: ignore[union-attr]
    assert 0.9 * len(batch) < len(there) and all(not one.intact for one in arrived)
    assert max(float(np.abs(one).mean()) for one in there) < 3 * 2


@pytest.mark.parametrize("snr_db", [-10.0, -5.0, 0.0, 10.0])
def test_where_the_snr_is_known_to_be_low_the_header_is_longer_and_few_streams_are_lost(
    snr_db: float,
) -> None:
    channel = AWGN(snr_db=snr_db)
    transport = Analog().adapted_to(channel)
    batch = [
        Semantics(str(number), {"s": Features(np.full(40, 3.0, np.float32))})
        for number in range(200)
    ]
    sent = transport.send(batch, Rng(1))
    header = 32 * max(int(np.ceil(2 * 10 ** (-snr_db / 10))), 2)
    assert all(span.uses["header"] == header for span in sent.layout.spans)
    arrived = transport.receive(channel.transmit(sent, Rng(2)))
    assert sum(bool(one.streams) for one in arrived) >= 198


@pytest.mark.parametrize("gain", [0.01, 1.0, 50.0])
def test_a_scale_that_both_ends_know_takes_no_header_and_cannot_be_lost(gain: float) -> None:
    values = (gain * np.random.default_rng(0).normal(size=999)).astype(np.float32)
    transport = Analog(rms=float(np.sqrt(np.square(values).mean())), repetition=2)
    sent = transport.adapted_to(AWGN(snr_db=-10.0)).send(
        [Semantics("a", {"s": Features(values)})], Rng(1)
    )
    assert sent.layout.spans[0].uses == {"data": 500, "parity": 500}
    assert float(sent.values.abs().square().mean()) == pytest.approx(1, abs=1e-3)
    [clean] = transport.receive(sent.received(sent.values, 1e-9))
    assert np.allclose(clean.streams["s"].values, values, atol=1e-2 * gain)  # type: ignore[union-attr]
    [noisy] = transport.receive(AWGN(snr_db=-30.0).transmit(sent, Rng(2)))
    assert np.abs(noisy.streams["s"].values).max() < gain  # type: ignore[union-attr]


@pytest.mark.parametrize("power", [1e-3, 1.0, 1e3, 1e12])
def test_noise_that_nobody_knew_of_is_not_taken_for_a_word(power: float) -> None:
    """A jammer: the receiver believes in 30 dB less noise than there is."""
    for number in range(200):
        values = power**0.5 * Rng(3).complex_normal((str(number),), (HEADER,))[0]
        assert (
            header_code.decode(values, torch.full((HEADER,), 1e-3 * power), header_code.SETS)
            is None
        )


def test_scales_have_as_many_levels_as_there_are_words() -> None:
    assert scale.LEVELS == header_code.SETS * header_code.SET_SIZE
