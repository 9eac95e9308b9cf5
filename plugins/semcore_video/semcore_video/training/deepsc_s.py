"""Recipe of DeepSC-S: waveforms through encoder, noisy channel and decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from semcore import Rng
from semcore.training import at_place
from semcore_video.jscc.components import RATE_HZ, unit_power
from semcore_video.jscc.networks import WaveCode
from semcore_video.resampling import resample_audio
from semcore_video.sources.clips import Clips
from semcore_video.training.corpus import sentences, spoken
from semcore_video.training.jscc import Excerpts, JSCCRecipe, over, train

SECONDS = 1.0
"""Length of the excerpts of sound, s."""
SENTENCES, SPOKEN_SHARE = 300, 0.5
"""Number of sentences by eSpeak NG, and their share in a batch; the rest is from the clips."""
SCALES = (256, 512, 1024)
"""Window lengths of the spectrograms in the loss, samples."""


@dataclass(frozen=True)
class DeepSCSRecipe(JSCCRecipe):
    """Trains the encoder and generator deepsc-s: a waveform to numbers and back, through a noisy
    channel."""

    cites: ClassVar[tuple[str, ...]] = ("weng2021semantic", "cooke2006audio")

    @at_place
    def train(self, out: Path) -> None:
        """Train `deepsc-s` into `out`: checkpoints, then config.json, model.safetensors and the
        model card."""
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        rng = np.random.Generator(np.random.PCG64(self.seed))
        clips = Clips(self.data).samples()
        recorded = {
            clip.user: unit_power(_at_rate(clip.audio, clip.sample_rate_hz))
            for clip in clips
            if clip.audio is not None
        }
        training_sounds = [sound for user, sound in recorded.items() if user not in self.leave_out]
        synthetic = [
            unit_power(_at_rate(sentence.audio, sentence.sample_rate_hz))
            for sentence in spoken(sentences(SENTENCES, rng), rng)
        ]
        network, count = WaveCode(), int(SECONDS * RATE_HZ) // 64 * 64

        spoken_ones = round(self.batch_size * SPOKEN_SHARE)
        rows = [
            _Parts(synthetic if row < spoken_ones else training_sounds, count)
            for row in range(self.batch_size)
        ]

        def loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
            wave = (found - true).square().mean() / true.square().mean()
            spectral = torch.stack([_spectral(found, true, size) for size in SCALES]).mean()
            return wave + 0.2 * spectral

        def ratio_db(average: WaveCode, snr_db: float) -> float:
            left_out = [sound for user, sound in recorded.items() if user in self.leave_out]
            test_sounds = left_out or training_sounds[:1]
            found = []
            for number, sound in enumerate(test_sounds):
                true = torch.from_numpy(np.pad(sound, (0, -len(sound) % average.hop)))[None]
                decoded = average.decode(
                    over(self.channel, average.encode(true), [snr_db], Rng(1).at("measure", number))
                )
                found.append(
                    10 * np.log10(float(true.square().mean() / (decoded - true).square().mean()))
                )
            return float(np.mean(found))

        name = (
            "deepsc-s",
            "signal-to-error ratio of speech of unseen speakers, dB",
            "A waveform at 16 kHz to numbers and back.",
        )
        train(self, out, network, rows, loss, ratio_db, name)


def _at_rate(sound: np.ndarray, sample_rate_hz: int | None) -> np.ndarray:
    return resample_audio(sound, sample_rate_hz or RATE_HZ, RATE_HZ)


@dataclass(frozen=True, eq=False)
class _Parts(Excerpts):
    """Random excerpts of sounds: float32 (count,)."""

    sounds: Sequence[np.ndarray]
    count: int

    def draw(self, generator: torch.Generator) -> Any:
        number = int(torch.randint(len(self.sounds), (), generator=generator))
        latest = max(len(self.sounds[number]) - self.count, 0)
        return number, int(torch.randint(latest + 1, (), generator=generator))

    def excerpt(self, place: Any) -> torch.Tensor:
        number, start = place
        sound = self.sounds[number]
        sound = np.pad(sound, (0, max(self.count - len(sound), 0)))
        return torch.from_numpy(np.ascontiguousarray(sound[start : start + self.count]))


def _spectral(found: torch.Tensor, true: torch.Tensor, size: int) -> torch.Tensor:
    """Mean absolute difference of log magnitude spectrograms."""
    window = torch.hann_window(size, device=found.device)
    found_magnitudes, true_magnitudes = (
        torch.stft(x, size, size // 4, window=window, return_complex=True).abs()
        for x in (found, true)
    )
    return (torch.log(found_magnitudes + 0.1) - torch.log(true_magnitudes + 0.1)).abs().mean()
