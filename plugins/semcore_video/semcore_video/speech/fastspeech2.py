"""FastSpeech 2 of transformers: a public text-to-speech model with given phone durations."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semcore import (
    Candidates,
    Generator,
    KnowledgeBase,
    Rng,
    RunError,
    Sample,
    Semantics,
    Stream,
    extra,
)
from semcore.models import Pretrained
from semcore_video.licences import POCKETSPHINX, TRANSFORMERS
from semcore_video.paper import PAPER
from semcore_video.speech.phones import SILENCE
from semcore_video.speech.streams import SPOKEN, phone_times

PAUSES = (",", "<blank>")
"""Names of a pause in the vocabularies of such models, most likely first."""


@dataclass(frozen=True)
class FastSpeech2(Pretrained, Generator):
    """Speaks phones or a text by FastSpeech 2 with HiFi-GAN: a checkpoint of transformers'
    FastSpeech2ConformerWithHifiGan.

    With `phones` and `durations` each phone has its given duration; for a text the model predicts
    the durations, scaled to the `interval` if there is one. Phones are those of the CMU dictionary,
    vowels with primary stress. Without phones or text the sound is silence.

    Errors: RunError if the model is not on this machine and may not be downloaded, or lacks a
    phone.

    Fields:
        model: name on the Hugging Face hub, or folder, with its vocab.json
    """

    licences: ClassVar[tuple[str, ...]] = (TRANSFORMERS, POCKETSPHINX)
    reference: ClassVar[str] = f"Y. Ren et al., FastSpeech 2, ICLR 2021; {PAPER}, eq. 16"
    cites: ClassVar[tuple[str, ...]] = (
        "ren2021fastspeech",
        "liu2026semantic",
        "wolf2020transformers",
    )
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = SPOKEN

    model: str = "espnet/fastspeech2_conformer_with_hifigan"

    def libraries(self) -> Mapping[str, str]:
        return {"transformers": "semcore-video[models]"}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(received)]) for received in batch]

    @functools.cached_property
    def _parts(self) -> tuple[Any, Mapping[str, int]]:
        with extra("semcore-video[models]", "FastSpeech 2 needs transformers"):
            from transformers import FastSpeech2ConformerWithHifiGan
            from transformers.utils.hub import cached_file

        with self.loading(self.place) as folder:
            network: Any = FastSpeech2ConformerWithHifiGan.from_pretrained(
                self.place,
                dtype=self.stored_dtype(folder),
                use_safetensors=True,
                trust_remote_code=False,
                **self.hub,
            )
            place = cached_file(self.place, "vocab.json", **self.hub)
            with open(str(place), encoding="utf-8") as file:
                vocabulary: Mapping[str, int] = json.load(file)
        return network.to(self.torch_device).eval(), vocabulary

    def _sample(self, received: Semantics) -> Sample:
        network, _ = self._parts
        rate_hz = int(network.vocoder.config.sampling_rate)
        names, ends = phone_times(received)
        begin, sound = self._synthesise(names, ends) if names else (0.0, np.zeros(0, np.float32))
        start = round(begin * rate_hz)
        # As long as granted, or without a grant as long as the speech.
        whole = np.zeros(round(received.extent.sound_s * rate_hz) or start + len(sound), np.float32)
        part = sound[: max(len(whole) - start, 0)]
        whole[start : start + len(part)] = part
        return Sample(received.key, received.user, audio=whole.clip(-1, 1), sample_rate_hz=rate_hz)

    def _synthesise(
        self, names: Sequence[str], ends: np.ndarray | None
    ) -> tuple[float, np.ndarray]:
        """Start of the sound, s, and the sound."""
        import torch

        network, vocabulary = self._parts
        ids = torch.tensor(
            [[*(token(name, vocabulary) for name in names), vocabulary["<sos/eos>"]]],
            device=self.torch_device,
        )
        step_s = (
            float(np.prod(network.vocoder.config.upsample_rates))
            / network.vocoder.config.sampling_rate
        )

        def durations_of(predicted: torch.Tensor) -> torch.Tensor:
            """Frames of each phone: those that were sent, or the model's own."""
            if ends is None:
                return predicted.clamp(min=1)
            if len(ends) == len(names) + 1:
                bounds = np.round(ends / step_s)
            else:
                shares = np.concatenate(
                    [[0], np.cumsum(predicted[0, :-1].clamp(min=1).cpu().numpy())]
                )
                bounds = np.round((ends[0] + (ends[1] - ends[0]) * shares / shares[-1]) / step_s)
            frames = torch.from_numpy(np.diff(bounds, append=bounds[-1]).astype(np.int64))[None]
            return frames.to(predicted.device)

        hook = network.model.duration_predictor.register_forward_hook(
            lambda _, __, predicted: durations_of(predicted)
        )
        try:
            with torch.inference_mode():
                wave = network(ids).waveform
        finally:
            hook.remove()
        return 0.0 if ends is None else float(ends[0]), wave.float().flatten().cpu().numpy()


def token(name: str, vocabulary: Mapping[str, int]) -> int:
    """The index of a phone in the vocabulary of a model.

    Raises:
        RunError: the vocabulary lacks the phone
    """
    spellings = PAUSES if name == SILENCE else (name, f"{name}1", f"{name}0")
    for spelling in spellings:
        if spelling in vocabulary:
            return vocabulary[spelling]
    raise RunError(
        f"FastSpeech2: the vocabulary of the model lacks the phone {name}; it must be that of the "
        "CMU dictionary"
    )
