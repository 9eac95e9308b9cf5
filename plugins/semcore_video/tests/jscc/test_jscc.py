"""DeepWiVe and DeepSC-S: graceful degradation with the SNR, and channel uses that match the
shapes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semcore import ComponentError, Extent, Features, KnowledgeBase, Rng, Sample, Semantics
from semcore_channels.flat import AWGN
from semcore_channels.transports.analog import Analog
from semcore_video.jscc.components import (
    FRAMES,
    RATE_HZ,
    WAVEFORM,
    DeepSCSEncoder,
    DeepSCSGenerator,
    DeepWiVeEncoder,
    DeepWiVeGenerator,
)
from semcore_video.sources.talking_samples import TalkingSamples

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
KB = KnowledgeBase()


@pytest.fixture(scope="module")
def clip() -> Sample:
    """0.4 s of pictures, 128 x 128, and 3 s of sound."""
    found = TalkingSamples(limit=1, size=(128, 128)).samples()[0]
    assert found.video is not None
    return replace(found, video=found.video[20:30])


def over(sent: Semantics, snr_db: float) -> tuple[Semantics, int]:
    """The received streams over AWGN, with the header that the channel requires, and the channel
    uses of the data."""
    channel = AWGN(snr_db=snr_db)
    transport = Analog().adapted_to(channel)
    symbols = transport.send([sent], Rng(1))
    return transport.receive(channel.transmit(symbols, Rng(2)))[0], sum(
        span.uses["data"] for span in symbols.layout.spans
    )


def test_frames_come_back_the_better_the_channel(clip: Sample) -> None:
    [sent] = DeepWiVeEncoder().encode([clip], KB)
    numbers = sent.streams[FRAMES]
    assert isinstance(numbers, Features) and numbers.values.shape == (2, 30, 8, 8)
    assert np.square(numbers.values).mean() == pytest.approx(1, rel=1e-3)
    psnr = []
    for snr_db in (-5, 5, 20):
        arrived, uses = over(sent, snr_db)
        assert uses == 15 * 2 * 8 * 8
        made = DeepWiVeGenerator().generate([arrived], KB, Rng())[0].samples[0].video
        assert made is not None and clip.video is not None and made.shape == clip.video.shape
        psnr.append(-10 * np.log10(np.square((made.astype(float) - clip.video) / 255).mean()))
    assert psnr[0] + 0.5 < psnr[1] < psnr[2] and psnr[0] > 14


def test_a_video_of_any_length_keeps_it_where_both_ends_know_it(clip: Sample) -> None:
    assert clip.video is not None
    part = replace(clip, video=clip.video[:7])
    [sent] = DeepWiVeEncoder().encode([part], KB)
    both = [sent, replace(sent, extent=Extent.of(part))]
    assert [len(one.samples[0].video) for one in DeepWiVeGenerator().generate(both, KB, Rng())] == [
        10,
        7,
    ]


def test_a_video_of_any_size_keeps_it(clip: Sample) -> None:
    assert clip.video is not None
    part = replace(clip, video=clip.video[:5, :119, :97], fps=30.0)
    [sent] = DeepWiVeEncoder().encode([part], KB)
    [made] = DeepWiVeGenerator().generate([replace(sent, extent=Extent.of(part))], KB, Rng())
    assert made.samples[0].video.shape == part.video.shape and made.samples[0].fps == 30.0
    assert np.abs(made.samples[0].video.astype(float) - part.video).mean() < 30


def test_sound_comes_back_the_better_the_channel_however_loud(clip: Sample) -> None:
    [sent] = DeepSCSEncoder().encode([clip], KB)
    assert clip.audio is not None
    [quiet] = DeepSCSEncoder().encode([replace(clip, audio=clip.audio * np.float32(0.05))], KB)
    numbers, others = sent.streams[WAVEFORM], quiet.streams[WAVEFORM]
    assert isinstance(numbers, Features) and isinstance(others, Features)
    np.testing.assert_allclose(others.values, numbers.values, atol=1e-3)
    assert numbers.values.shape == (750, 86)
    from semcore_video.resampling import resample_audio

    true = resample_audio(clip.audio, clip.sample_rate_hz, RATE_HZ)
    found = []
    for snr_db in (-5, 5, 20):
        arrived, uses = over(sent, snr_db)
        assert uses == 750 * 43
        sample = (
            DeepSCSGenerator()
            .generate([replace(arrived, extent=Extent.of(clip))], KB, Rng())[0]
            .samples[0]
        )
        assert (
            sample.audio is not None
            and sample.sample_rate_hz == RATE_HZ
            and len(sample.audio) == 48000
        )
        found.append(float(np.corrcoef(sample.audio, true[:48000])[0, 1]))
    assert found[0] < found[1] < found[2] and 1 - found[2] ** 2 < 0.6 * (1 - found[0] ** 2)


def test_what_cannot_be_sent_is_refused_and_what_did_not_arrive_is_not_there(clip: Sample) -> None:
    assert clip.video is not None
    with pytest.raises(ComponentError, match="has none"):
        DeepSCSEncoder().encode([Sample("a")], KB)
    for made in (DeepWiVeGenerator(), DeepSCSGenerator()):
        for streams in (
            {},
            {
                FRAMES: Features(np.zeros((3, 2), np.float32)),
                WAVEFORM: Features(np.zeros((3, 2), np.float32)),
            },
        ):
            sample = made.generate([Semantics("a", streams)], KB, Rng())[0].samples[0]
            assert sample.video is None and sample.audio is None
