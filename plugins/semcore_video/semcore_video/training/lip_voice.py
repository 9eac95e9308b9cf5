"""Recipe of the voice lip-voice: mel spectrograms of lips and phones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from semcore.training.claim import claim
from semcore_video.speech.networks import EXPANSION, LipVoice
from semcore_video.training.corpus import VOICES
from semcore_video.training.synthetic_lips import seen_saying
from semcore_video.training.voices import VoiceRecipe, kept, lesson, mel_errors, train, typical

ASTRAY = 0.3
"""Weight of attention that looks at other phones than those that are heard: the speech that is
learnt from knows them."""


@dataclass(frozen=True)
class LipVoiceRecipe(VoiceRecipe):
    """Trains the generator lip-voice: lips and phones to a mel spectrogram (eq. 19 to 23), on
    portraits made to speak.

    Fields:
        data: folder of clips of the GRID corpus, whose faces and lips are learnt from, too
        leave_out: clips of these names are left out, to be measured with
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cooke2006audio")

    data: str = ""
    leave_out: tuple[str, ...] = ()

    def train(self, out: Path) -> None:
        """Train the network of V2A into `out`: checkpoints, then config.json, model.safetensors and
        the model card."""
        claim(self, out)
        rng = np.random.Generator(np.random.PCG64(self.seed))
        lessons = kept(
            out,
            lambda: [
                lesson(one, lips)
                for one, lips in seen_saying(self.data, self.leave_out, self.sentences, rng)
            ],
        )

        def errors(
            network: nn.Module, batch: dict[str, torch.Tensor], known: torch.Tensor | None
        ) -> list[torch.Tensor]:
            interval = torch.stack([batch["durations"][:, 0], batch["ends"]], 1) / EXPANSION
            variance, mel, looked = network(
                batch["lips"], batch["spoken"], batch["there"], interval, batch["voices"], known
            )
            owed = batch["looks"][:, : looked.shape[1]]
            astray = -(owed * torch.log(looked + 1e-4)).sum() / owed.sum()
            return [*mel_errors((variance, mel), batch), ASTRAY * astray]

        torch.manual_seed(self.seed)
        network = LipVoice(len(VOICES))
        network.typical = typical(lessons)
        train(
            self,
            out,
            network,
            lessons,
            errors,
            "lip-voice",
            "Lips and phones to a mel spectrogram.",
        )
