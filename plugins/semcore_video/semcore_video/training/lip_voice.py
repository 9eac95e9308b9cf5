"""Recipe of the voice lip-voice: mel spectrograms of lips and phones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from semcore.training import at_place, claim
from semcore_video.speech.networks import EXPANSION, LipVoice
from semcore_video.training.corpus import VOICES
from semcore_video.training.synthetic_lips import speech_with_lips
from semcore_video.training.voices import (
    VoiceRecipe,
    cached_examples,
    mel_errors,
    train,
    training_example,
    typical,
)

ATTENTION_WEIGHT = 0.3
"""Weight of the attention loss; for synthetic speech, the phone spoken at each time is known."""


@dataclass(frozen=True)
class LipVoiceRecipe(VoiceRecipe):
    """Trains the generator lip-voice: lips and phones to a mel spectrogram (eq. 19 to 23), on
    animated portraits.

    Fields:
        data: folder of clips of the GRID corpus, for additional faces and lips
        leave_out: names of clips excluded from training, for testing
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cooke2006audio")

    data: str = ""
    leave_out: tuple[str, ...] = ()

    @at_place
    def train(self, out: Path) -> None:
        """Train the network of V2A into `out`: checkpoints, then config.json, model.safetensors and
        the model card."""
        claim(self, out)
        rng = np.random.Generator(np.random.PCG64(self.seed))
        examples = cached_examples(
            out,
            lambda: [
                training_example(sentence, lips)
                for sentence, lips in speech_with_lips(
                    self.data, self.leave_out, self.sentences, rng
                )
            ],
        )

        def errors(
            network: nn.Module, batch: dict[str, torch.Tensor], true_variance: torch.Tensor | None
        ) -> list[torch.Tensor]:
            interval = torch.stack([batch["durations"][:, 0], batch["ends"]], 1) / EXPANSION
            variance, mel, attention = network(
                batch["lips"],
                batch["text_phones"],
                batch["text_mask"],
                interval,
                batch["voices"],
                true_variance,
            )
            target = batch["attention"][:, : attention.shape[1]]
            attention_loss = -(target * torch.log(attention + 1e-4)).sum() / target.sum()
            return [*mel_errors((variance, mel), batch), ATTENTION_WEIGHT * attention_loss]

        torch.manual_seed(self.seed)
        network = LipVoice(len(VOICES))
        network.typical = typical(examples)
        train(
            self,
            out,
            network,
            examples,
            errors,
            "lip-voice",
            "Lips and phones to a mel spectrogram.",
        )
