"""Motion as spectral coefficients: fewer symbols, and amplitudes of the least error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from semcore import Features, Rng, Semantics
from semcore_channels.flat import AWGN
from semcore_channels.transports.analog import Analog
from semcore_video.transports.dct import DCT
from semcore_video.transports.spectral import _amplitudes

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def motion(seed: int = 1) -> Features:
    """Slowly varying numbers: float32 (75, 12)."""
    rng = np.random.default_rng(seed)
    steps = (
        np.fft.irfft(
            rng.normal(size=(38, 12)) / (1 + np.arange(38)[:, None] / 3) ** 1.2, 75, axis=0
        )
        * 20
    )
    return Features(steps.astype(np.float32))


def error(transport: Any, snr_db: float) -> float:
    channel, sent = AWGN(snr_db=snr_db), [motion(seed) for seed in range(8)]
    ready = transport.adapted_to(channel)
    symbols = ready.send(
        [Semantics(str(at), {"motion": one}) for at, one in enumerate(sent)], Rng(1)
    )
    arrived = ready.receive(channel.transmit(symbols, Rng(1)))
    pairs = zip(sent, arrived, strict=True)
    return float(
        np.mean([np.square(one.values - got.streams["motion"].values).mean() for one, got in pairs])
    )


def test_dct_beats_plain_numbers_with_fewer_symbols_and_gains_with_the_snr() -> None:
    curve = [error(DCT(), snr) for snr in (-5.0, 0.0, 5.0, 10.0, 20.0)]
    assert all(later < earlier for earlier, later in zip(curve, curve[1:], strict=False)), curve
    assert curve[0] < np.mean(
        [np.square(motion(seed).values).mean() for seed in range(8)]
    )  # better than to say nothing
    assert curve[2] < error(Analog(), 5.0)  # which takes 450 channel uses
    layout = DCT().send([Semantics("a", {"motion": motion()})], Rng()).layout
    assert layout.lengths == (332,) and dict(layout.spans[0].uses) == {"header": 32, "data": 300}


@pytest.mark.parametrize("noise", [1e-3, 0.1, 1.0, 10.0])
def test_amplitudes_are_those_of_the_least_error_for_the_power(noise: float) -> None:
    deviations = np.sort(np.random.default_rng(2).exponential(size=40))[::-1]
    best = _amplitudes(deviations, noise, len(deviations) / 2)
    power = np.square(best * deviations)
    assert power.sum() == pytest.approx(len(deviations) / 2)

    def left(powers: np.ndarray) -> float:
        return float((np.square(deviations) * noise / (powers + noise)).sum())

    for _ in range(200):  # no other way to share the power does better
        other = np.random.default_rng(_).dirichlet(np.ones(40)) * power.sum()
        mixed = 0.9 * power + 0.1 * other
        assert left(power) <= left(mixed) + 1e-9
