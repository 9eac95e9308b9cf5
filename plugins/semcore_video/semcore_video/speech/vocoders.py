"""Vocoders: mel spectrograms to sound."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from semcore import (
    Candidates,
    ComponentError,
    Features,
    Generator,
    KnowledgeBase,
    Rng,
    Sample,
    Semantics,
    Stream,
    extra,
)
from semcore.models import Pretrained
from semcore_video.licences import LIBROSA, TRANSFORMERS
from semcore_video.paper import PAPER
from semcore_video.speech.mel import BANDS, HOP, RATE_HZ, in_bands, sound_of

MEL = "mel"
"""Input stream of vocoders: natural logarithms of 80 bands, float32 (T, 80), one row per 10 ms."""


@dataclass(frozen=True)
class Vocoder(Generator, abc.ABC):
    """Makes sound from the stream `mel`; without it there is none.

    Its values are natural logarithms of the magnitudes in 80 mel bands up to 8 kHz, one row per 10
    ms.
    """

    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {MEL: (Features,)}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(received)]) for received in batch]

    def _sample(self, received: Semantics) -> Sample:
        mel = received.streams.get(MEL)
        if not isinstance(mel, Features) or mel.values.shape[1:] != (BANDS,):
            return Sample(received.key, received.user)
        sound, rate_hz = self.sound(np.nan_to_num(mel.values))
        return Sample(received.key, received.user, audio=sound, sample_rate_hz=rate_hz)

    @abc.abstractmethod
    def sound(self, mel: np.ndarray) -> tuple[np.ndarray, int]:
        """The sound of a mel spectrogram (T, 80): float32 (S,), in -1..1, and its sample rate."""


@dataclass(frozen=True)
class GriffinLim(Vocoder):
    """Iterative phase reconstruction from magnitudes; no weights. Voices sound slightly hollow.

    Fields:
        iterations: number of iterations
    """

    licences: ClassVar[tuple[str, ...]] = (LIBROSA,)
    reference: ClassVar[str] = (
        "D. Griffin and J. Lim, IEEE Trans. Acoust., Speech, Signal Process., 1984; librosa"
    )
    cites: ClassVar[tuple[str, ...]] = ("griffin1984signal", "mcfee2015librosa")
    test_settings = ({"iterations": 2},)

    iterations: Annotated[int, Ge(1), Le(10_000)] = 60

    def libraries(self) -> Mapping[str, str]:
        return {"librosa": "semcore-video[speech]"}

    def sound(self, mel: np.ndarray) -> tuple[np.ndarray, int]:
        return sound_of(mel, self.iterations), RATE_HZ


@dataclass(frozen=True)
class HifiGan(Pretrained, Vocoder):
    """HiFi-GAN of transformers, any checkpoint of its `SpeechT5HifiGan`.

    The bands of the stream `mel` are converted to those of the checkpoint by way of the spectrum;
    if its step is not 10 ms, rows are interpolated. The defaults are those of SpeechT5's vocoder.

    Errors: RunError if the model is not on this machine and may not be downloaded.

    Fields:
        model: name on the Hugging Face hub, or folder
        log10: whether it was trained on decimal instead of natural logarithms
        lowest_hz: lower edge of its lowest band, Hz
        highest_hz: upper edge of its highest band, Hz
        floor: minimum magnitude in its training data
    """

    licences: ClassVar[tuple[str, ...]] = (TRANSFORMERS,)
    reference: ClassVar[str] = f"J. Kong et al., HiFi-GAN, NeurIPS 2020; {PAPER}, eq. 16"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "kong2020hifi", "wolf2020transformers")

    model: str = "microsoft/speecht5_hifigan"
    log10: bool = True
    lowest_hz: Annotated[float, Ge(0), Le(8000)] = 80.0
    highest_hz: Annotated[float, Ge(100), Le(8000)] = 7600.0
    floor: Annotated[float, Gt(0), Le(1)] = 1e-10

    def libraries(self) -> Mapping[str, str]:
        return {"transformers": "semcore-video[models]"}

    def check(self) -> None:
        if self.lowest_hz >= self.highest_hz:
            raise ComponentError(
                f"HifiGan.lowest_hz must be below highest_hz, {self.highest_hz:g} Hz, not "
                f"{self.lowest_hz:g}"
            )

    @functools.cached_property
    def _network(self) -> Any:
        with extra("semcore-video[models]", "HiFi-GAN needs transformers"):
            from transformers import SpeechT5HifiGan

        with self.loading(self.place) as folder:
            network: Any = SpeechT5HifiGan.from_pretrained(
                self.place,
                dtype=self.stored_dtype(folder),
                use_safetensors=True,
                trust_remote_code=False,
                **self.hub,
            )
        return network.to(self.torch_device).eval()

    def sound(self, mel: np.ndarray) -> tuple[np.ndarray, int]:
        import torch

        config = self._network.config
        rate_hz, hop = int(config.sampling_rate), int(np.prod(config.upsample_rates))
        count = max(round(len(mel) * HOP / RATE_HZ * rate_hz / hop), 1)
        places = np.linspace(0, len(mel) - 1, count)
        rows = np.stack([np.interp(places, np.arange(len(mel)), band) for band in mel.T], 1)
        bands = in_bands(rows, int(config.model_in_dim), self.lowest_hz, self.highest_hz)
        rows = np.log(np.maximum(bands, self.floor))
        rows = rows / np.log(10) if self.log10 else rows
        with torch.inference_mode():
            wave = self._network(torch.from_numpy(rows).to(self.torch_device, self._network.dtype))
        return wave.float().cpu().numpy().clip(-1, 1).astype(np.float32), rate_hz
