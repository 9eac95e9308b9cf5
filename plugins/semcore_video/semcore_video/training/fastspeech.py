"""Recipe of the voice fastspeech: mel spectrograms of phones and durations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from semcore.training import at_place, claim
from semcore_video.speech.networks import MelVoice
from semcore_video.training.corpus import VOICES, sentences, spoken
from semcore_video.training.voices import (
    VoiceRecipe,
    cached_examples,
    mel_errors,
    train,
    training_example,
    typical,
)


@dataclass(frozen=True)
class MelVoiceRecipe(VoiceRecipe):
    """Trains the generator fastspeech: phones and durations to a mel spectrogram (eq. 16), on
    speech of eSpeak NG."""

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "ren2021fastspeech")

    @at_place
    def train(self, out: Path) -> None:
        """Train G_mel of A2V into `out`: checkpoints, then config.json, model.safetensors and the
        model card."""
        claim(self, out)
        rng = np.random.Generator(np.random.PCG64(self.seed))
        examples = cached_examples(
            out,
            lambda: [
                training_example(sentence)
                for sentence in spoken(sentences(self.sentences, rng), rng)
            ],
        )

        def errors(
            network: nn.Module, batch: dict[str, torch.Tensor], true_variance: torch.Tensor | None
        ) -> list[torch.Tensor]:
            return mel_errors(
                network(batch["phones"], batch["durations"], batch["voices"], true_variance), batch
            )

        torch.manual_seed(self.seed)
        network = MelVoice(len(VOICES))
        network.typical = typical(examples)
        train(
            self,
            out,
            network,
            examples,
            errors,
            "fastspeech",
            "Phones and durations to a mel spectrogram.",
        )
