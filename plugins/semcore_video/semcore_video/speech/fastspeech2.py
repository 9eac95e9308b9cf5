"""FastSpeech 2 by transformers: a public model that says phones when they were said."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from semcore.errors import RunError
from semcore.interfaces import Generator
from semcore.models.pretrained import Pretrained
from semcore.rng import Rng
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.licences import POCKETSPHINX, TRANSFORMERS
from semcore_video.paper import PAPER
from semcore_video.speech.phones import SILENCE
from semcore_video.speech.streams import SPOKEN, phone_times

PAUSES = (",", "<blank>")
"""What such models call a pause, the likelier first."""


@dataclass(frozen=True)
class FastSpeech2(Pretrained, Generator):
    """Says phones or a text by FastSpeech 2 with its HiFi-GAN: a checkpoint of transformers'
    FastSpeech2ConformerWithHifiGan.

    With `phones` and `durations` every phone lasts as long as it did; of a text the model chooses
    the durations, stretched into the `interval` if there is one. Phones are those of the CMU
    dictionary, vowels with their first stress. Without anything to say there is silence.

    Errors: RunError if the model is not on this machine and may not be downloaded, or knows none of
    the phones.

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

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(got)]) for got in batch]

    @functools.cached_property
    def _parts(self) -> tuple[Any, Mapping[str, int]]:
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
                known: Mapping[str, int] = json.load(file)
        return network.to(self.torch_device).eval(), known

    def _sample(self, got: Semantics) -> Sample:
        network, _ = self._parts
        rate_hz = int(network.vocoder.config.sampling_rate)
        names, ends = phone_times(got)
        begin, sound = self._said(names, ends) if names else (0.0, np.zeros(0, np.float32))
        start = round(begin * rate_hz)
        # As long as the grant tells, or as what is said if nobody tells it.
        whole = np.zeros(round(got.extent.sound_s * rate_hz) or start + len(sound), np.float32)
        part = sound[: max(len(whole) - start, 0)]
        whole[start : start + len(part)] = part
        return Sample(got.key, got.user, audio=whole.clip(-1, 1), sample_rate_hz=rate_hz)

    def _said(self, names: Sequence[str], ends: np.ndarray | None) -> tuple[float, np.ndarray]:
        """When the sound of the phones begins, s, and the sound."""
        import torch

        network, known = self._parts
        ids = torch.tensor(
            [[*(token(name, known) for name in names), known["<sos/eos>"]]],
            device=self.torch_device,
        )
        step_s = (
            float(np.prod(network.vocoder.config.upsample_rates))
            / network.vocoder.config.sampling_rate
        )

        def lasting(predicted: torch.Tensor) -> torch.Tensor:
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
            lambda _, __, predicted: lasting(predicted)
        )
        try:
            with torch.inference_mode():
                wave = network(ids).waveform
        finally:
            hook.remove()
        return 0.0 if ends is None else float(ends[0]), wave.float().flatten().cpu().numpy()


def token(name: str, known: Mapping[str, int]) -> int:
    """The number by which a model knows a phone.

    Raises:
        RunError: it knows no such phone
    """
    tried = PAUSES if name == SILENCE else (name, f"{name}1", f"{name}0")
    for one in tried:
        if one in known:
            return known[one]
    raise RunError(
        f"FastSpeech2: the vocabulary of the model has no phone {name}; it must be that of the CMU "
        "dictionary"
    )
