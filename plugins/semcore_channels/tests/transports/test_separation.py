"""The conventional baseline: it fits its channel uses, finds the scheme that its channel bears, and
counts everything.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from semcore import ConfigError, Ledger, Picture, Rng, Semantics
from semcore.testing.internals import build
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.transports.separation import SCHEMES, Separation, best_scheme, failures, tiled
from semcore_image.codecs.hevc import HevcIntra
from semcore_image.codecs.jpeg import Jpeg
from semcore_image.codecs.webp import WebP
from semcore_image.sources.samples import SamplePictures

PICTURES = [one.image for one in SamplePictures(limit=8).samples() if one.image is not None]
BATCH = [
    Semantics(f"s{index}", {"picture": Picture(pixels)}) for index, pixels in enumerate(PICTURES)
]


def over(
    transport: Separation, channel: AWGN | Rayleigh, seed: int = 1
) -> tuple[float, Ledger, list[Semantics]]:
    """Mean PSNR (a lost picture is grey), the ledger and what arrived."""
    ready = transport.adapted_to(channel)
    received = channel.transmit(ready.send(BATCH, Rng(seed)), Rng(seed))
    arrived = ready.receive(received)
    values = []
    for pixels, one in zip(PICTURES, arrived, strict=True):
        stream = one.streams.get("picture")
        shown = stream.pixels if isinstance(stream, Picture) else np.full_like(pixels, 128)
        values.append(
            10 * np.log10(255**2 / max(np.mean((pixels.astype(float) - shown) ** 2), 1e-3))
        )
    return float(np.mean(values)), Ledger.of(received), arrived


@pytest.mark.parametrize(
    "codec", [HevcIntra(header="known"), WebP(header="known"), Jpeg(optimise=False, header="known")]
)
@pytest.mark.parametrize("mosaic", [1, 4])
@pytest.mark.default_cases(2)
def test_it_never_takes_more_channel_uses_than_it_may(codec: HevcIntra, mosaic: int) -> None:
    psnr, ledger, _ = over(
        Separation(codec, cbr=1 / 6, mosaic=mosaic, trials=20), AWGN(snr_db=15.0)
    )
    if mosaic == 1:
        assert all(ledger.uses(sample=one.key) <= 512 for one in BATCH)
    assert 0 < ledger.uses() <= 512 * len(BATCH) and psnr > 20
    spent = {
        kind: ledger.bits(kind=kind) for kind in ("data", "header", "crc", "parity", "padding")
    }
    assert spent["data"] > spent["crc"] > 0 and sum(spent.values()) >= 2 * ledger.uses()


@pytest.mark.slow
def test_a_better_channel_bears_a_faster_scheme() -> None:
    names = list(SCHEMES)
    chosen = [
        names.index(best_scheme(Separation(WebP(), channel=AWGN(snr_db=snr), trials=50), 512))
        for snr in (0.0, 6.0, 12.0, 20.0)
    ]
    assert chosen == sorted(chosen) and len(set(chosen)) == 4


@pytest.mark.parametrize(
    "channel",
    [
        pytest.param(AWGN(snr_db=4.0), marks=pytest.mark.slow),
        pytest.param(AWGN(snr_db=11.0), marks=pytest.mark.slow),
        Rayleigh(snr_db=14.0, coherence="symbol"),
    ],
)
def test_the_best_scheme_is_on_the_envelope(channel: AWGN) -> None:
    """No fixed scheme gives better pictures over the same channel, to half a decibel."""
    best = Separation(WebP(header="known"), cbr=1 / 3, trials=100)
    reached = over(best, channel)[0]
    fixed = [over(dataclasses.replace(best, scheme=name), channel)[0] for name in SCHEMES]
    assert reached >= max(fixed) - 0.5


def test_failures_are_those_of_the_waterfall() -> None:
    link = Separation(WebP(), scheme="4qam 1/2").link(512)
    rates = [failures(link, AWGN(snr_db=snr), 512, 100) for snr in (-3.0, 1.0, 6.0)]
    assert rates[0] == 1 and 0 < rates[1] < 1 and rates[2] == 0


def test_a_picture_that_cannot_fit_is_lost_and_costs_nothing() -> None:
    _, ledger, arrived = over(Separation(Jpeg(), cbr=1 / 12, scheme="4qam 1/2"), AWGN(snr_db=20.0))
    assert ledger.uses() == 0 and not any(one.streams for one in arrived)


def test_a_mosaic_lives_and_dies_together() -> None:
    transport = Separation(HevcIntra(header="known"), cbr=1 / 6, mosaic=8, scheme="16qam 1/2")
    alive, dead = over(transport, AWGN(snr_db=12.0))[2], over(transport, AWGN(snr_db=0.0))[2]
    assert all(one.intact["picture"] for one in alive) and not any(
        one.intact["picture"] for one in dead
    )
    apart = over(dataclasses.replace(transport, mosaic=1), AWGN(snr_db=12.0))[0]
    assert (
        over(transport, AWGN(snr_db=12.0))[0] > apart + 1
    )  # one large picture is what a codec is made for


def test_tiles_lie_row_by_row() -> None:
    whole = tiled(PICTURES[:3])
    assert whole.shape == (64, 64, 3)
    np.testing.assert_array_equal(whole[:32, 32:], PICTURES[1])
    np.testing.assert_array_equal(whole[32:, :32], PICTURES[2])


def test_a_codec_without_a_quality_is_refused() -> None:
    with pytest.raises(
        ConfigError,
        match="must have a `quality` that can be searched, such as hevc, webp or jpeg, not Png",
    ):
        build("transport", {"use": "separation", "codec": {"use": "png"}})
