"""Voices trained by this package: mel spectrograms from phones and durations (A2V), or from lips
and text (V2A)."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

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
)
from semcore_video.licences import MEDIAPIPE, POCKETSPHINX
from semcore_video.paper import PAPER
from semcore_video.speech.lips import HEIGHT, WIDTH, normalised
from semcore_video.speech.mel import BANDS, HOP, LEAST, RATE_HZ
from semcore_video.speech.monotone import durations_by_viterbi
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE
from semcore_video.speech.streams import INTERVAL, SPOKEN, TEXT, phone_times
from semcore_video.speech.vocoders import MEL
from semcore_video.weights import digest, network

LIPS = "lips"
"""Name of the stream of the rendered video: grey crops of the mouth, float32 (T, 24, 32), 0..255,
LIPS_FPS per second."""
LIPS_FPS = 25.0
Voice = Literal["en-us", "en-us+m3", "en-us+f3", "en-us+f2", "en-gb-x-rp"]
"""Voices in the training data, by their names in eSpeak NG."""
LONGEST_S = 600.0
"""Speech longer than this is truncated if the length of the sound is not known, s."""
MARGIN_S, TYPICAL_S = 0.2, 0.08
"""Assumed silence before and after speech of unknown timing, and typical duration of a phone, s."""
UNEVEN, LONGEST = 0.5, 60
"""Standard deviation of the logarithm of a phone duration about its typical value, and maximum
duration, frames of 10 ms."""


@dataclass(frozen=True)
class MelVoiced(Generator, abc.ABC):
    """A network that makes a mel spectrogram, and a vocoder.

    Fields:
        vocoder: makes the sound from a stream `mel`
        voice: speaker, by its name in eSpeak NG
        weights: folder written by the recipe; null: the shipped one
    """

    shipped_weights: ClassVar[str]
    """Name of the shipped weights."""
    test_settings: ClassVar[tuple[dict[str, Any], ...]] = (
        {"vocoder": {"use": "griffin-lim", "iterations": 2}},
    )

    vocoder: Generator
    voice: Voice = "en-us"
    weights: str | None = None

    def check(self) -> None:
        if MEL not in self.vocoder.accepts:
            name = type(self.vocoder).__name__
            raise ComponentError(
                f"{type(self).__name__}.vocoder must accept a stream {MEL!r}, as griffin-lim does; "
                f"{name} does not"
            )

    def identity(self) -> Any:
        """The digest of the weights."""
        return digest(self.shipped_weights, self.weights)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        mels = [
            replace(
                received,
                streams={MEL: Features(_padded(self.mel(received), received.extent.sound_s))},
                intact={},
            )
            for received in batch
        ]
        sounds = self.vocoder.generate(mels, kb, rng.at("vocoder"))
        return [
            Candidates([_trimmed(candidates.samples[0], received.extent.sound_s)])
            for candidates, received in zip(sounds, batch, strict=True)
        ]

    @abc.abstractmethod
    def mel(self, received: Semantics) -> np.ndarray:
        """The speech as a mel spectrogram float32 (T, 80); frames after the end of the sound may be
        missing."""

    @property
    def speaker(self) -> int:
        """Index of the voice."""
        from typing import get_args

        return get_args(Voice).index(self.voice)


def _padded(mel: np.ndarray, length_s: float) -> np.ndarray:
    """A mel spectrogram of the length of the sound, padded with silence; unchanged if the length is
    unknown (0)."""
    count = round(length_s * RATE_HZ / HOP) + 1 if length_s else max(len(mel), 2)
    whole = np.full((count, BANDS), np.log(LEAST), np.float32)
    whole[: len(mel)] = mel[: len(whole)]
    return whole


def _trimmed(sample: Sample, length_s: float) -> Sample:
    """A sound of the granted length; unchanged if the length is unknown (0)."""
    if sample.audio is None or sample.sample_rate_hz is None or not length_s:
        return sample
    count = round(length_s * sample.sample_rate_hz)
    return replace(
        sample, audio=np.pad(sample.audio[:count], (0, max(count - len(sample.audio), 0)))
    )


@dataclass(frozen=True)
class FastSpeech(MelVoiced):
    """Speaks phones or a text by a small network after FastSpeech 2, trained on eSpeak NG.

    With `phones` and `durations` each phone has its given duration. With `text`, phones are those
    of the dictionary with average durations, scaled to the `interval` if there is one. Streams that
    are damaged beyond use are ignored; without phones or text the sound is silence.
    """

    licences: ClassVar[tuple[str, ...]] = (POCKETSPHINX,)
    reference: ClassVar[str] = f"{PAPER}, eq. 16; Y. Ren et al., FastSpeech 2, ICLR 2021"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "ren2021fastspeech")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = SPOKEN
    shipped_weights: ClassVar[str] = "fastspeech"

    @functools.cached_property
    def network(self) -> Any:
        """The network; its weights are loaded on first use."""
        from semcore_video.speech.networks import MelVoice

        return network(MelVoice, self.shipped_weights, self.weights, self.shipped_weights)

    def mel(self, received: Semantics) -> np.ndarray:
        names, ends = phone_times(received)
        if not names:
            return np.zeros((0, BANDS), np.float32)
        if ends is None or len(ends) != len(names) + 1:
            durations = [float(self.network.typical[NUMBERS[name]]) for name in names]
            typical = np.cumsum([0.0, *durations]) * FRAME_S
            first, last = (MARGIN_S, MARGIN_S + typical[-1]) if ends is None else ends
            ends = first + typical * (last - first) / max(float(typical[-1]), FRAME_S)
            names, ends = [SILENCE, *names], np.concatenate([[0.0], ends])
        bounds = np.round(np.minimum(ends, received.extent.sound_s or LONGEST_S) / FRAME_S).astype(
            np.int64
        )
        return speak_phones(self.network, names, np.diff(bounds).tolist(), self.speaker)


def speak_phones(
    network: Any, names: Sequence[str], frames: Sequence[int], speaker: int
) -> np.ndarray:
    """Phones with durations, in frames of 10 ms, by the network of `fastspeech`: a mel spectrogram,
    float32 (T, 80)."""
    import torch

    with torch.inference_mode():
        phones = torch.tensor([[NUMBERS[name] for name in names]])
        _, mel = network(phones, torch.tensor([frames]), torch.tensor([speaker]))
    found: np.ndarray = mel[0].numpy()
    return found


@dataclass(frozen=True)
class LipVoice(MelVoiced):
    """Speaks a text in time with moving lips: the attention network of V2A, trained on portraits
    animated to eSpeak NG.

    Its inputs are `lips`, 25 per second, which `talking-head` crops from the rendered video, the
    `text`, and the `interval` of the speech. Missing lips are replaced by still ones, and a missing
    interval by the whole sound; without a text the sound is silence.

    The attention relates each frame of the lips to a phone. With `monotone`, an alignment derived
    from it gives the duration of every phone, and the network of `fastspeech` speaks them (eq. 22
    with the timing of the lips); with `soft`, the attended features pass through the network's own
    expansion and mel decoder (eq. 21 and 22), which blurs uncertain parts.

    Fields:
        alignment: use of the attention
        spoken_by: folder written by the recipe `fastspeech`, for `monotone`; null: the shipped one
    """

    licences: ClassVar[tuple[str, ...]] = (POCKETSPHINX, MEDIAPIPE)
    reference: ClassVar[str] = f"{PAPER}, section III-C2, eq. 19 to 23"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cong2023learning")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {
        LIPS: (Features,), TEXT: SPOKEN[TEXT], INTERVAL: SPOKEN[INTERVAL],
    }  # fmt: skip
    shipped_weights: ClassVar[str] = "lip-voice"
    test_settings = (
        {"vocoder": {"use": "griffin-lim", "iterations": 2}},
        {"vocoder": {"use": "griffin-lim", "iterations": 2}, "alignment": "soft"},
    )

    alignment: Literal["monotone", "soft"] = "monotone"
    spoken_by: str | None = None

    def identity(self) -> Any:
        """The digests of the weights."""
        return [super().identity(), digest("fastspeech", self.spoken_by)]

    @functools.cached_property
    def network(self) -> Any:
        """The network; its weights are loaded on first use."""
        from semcore_video.speech.networks import LipVoice as Network

        return network(Network, self.shipped_weights, self.weights, self.shipped_weights)

    def mel(self, received: Semantics) -> np.ndarray:
        import torch

        from semcore_video.speech.networks import EXPANSION

        names, ends = phone_times(received.only([TEXT, INTERVAL]))
        if not names:
            return np.zeros((0, BANDS), np.float32)
        fps = RATE_HZ / HOP / EXPANSION
        lips = received.streams.get(LIPS)
        if (
            isinstance(lips, Features)
            and lips.values.shape[1:] == (HEIGHT, WIDTH)
            and len(lips.values)
        ):
            crops = normalised(np.nan_to_num(lips.values).clip(0, 255))
        else:
            usual = MARGIN_S + len(names) * TYPICAL_S if ends is None else float(ends[-1])
            frames = round((received.extent.sound_s or usual + MARGIN_S) * fps)
            crops = np.zeros((frames, HEIGHT, WIDTH), np.float32)
        length_s = received.extent.sound_s or len(crops) / fps
        interval = (
            np.array([MARGIN_S, max(length_s - MARGIN_S, 2 * MARGIN_S)]) if ends is None else ends
        )
        with torch.inference_mode():
            phones = torch.tensor([[NUMBERS[name] for name in names]])
            when = torch.from_numpy((interval * fps).astype(np.float32))[None]
            mask = torch.ones_like(phones, dtype=torch.bool)
            inputs = torch.from_numpy(crops)[None], phones, mask, when, torch.tensor([self.speaker])
            if self.alignment == "soft":
                found: np.ndarray = self.network(*inputs)[1][0].numpy()
                return found
            _, attention = self.network.attend(*inputs)
        first, last = (round(float(end) * RATE_HZ / HOP) for end in interval)
        return self._speak(
            names, attention[0].numpy(), first, last, round(length_s * RATE_HZ / HOP)
        )

    def _speak(
        self, names: Sequence[str], attention: np.ndarray, first: int, last: int, count: int
    ) -> np.ndarray:
        """Phones between two mel frames, with durations from the attention, as a mel spectrogram
        (T, 80).

        Args:
            names: of the phones
            attention: of each frame of video to each phone, float32 (frames, phones)
            count: total number of frames
        """
        from semcore_video.speech.networks import EXPANSION

        # Damaged text may have any length: phones that do not fit into the sound are dropped.
        names = names[: max(count - first, 1)]
        attention, last = attention[:, : len(names)], max(last, first + len(names))
        times = (np.arange(first, last) + 0.5) / EXPANSION - 0.5
        sure = np.log(attention + 1e-4)
        scores = np.stack([np.interp(times, np.arange(len(sure)), column) for column in sure.T], 1)
        usual = np.array([float(self.network.typical[NUMBERS[name]]) for name in names])
        durations = durations_by_viterbi(
            scores, usual * (last - first) / usual.sum(), UNEVEN, LONGEST
        )
        after = max(count - last, 1)
        return speak_phones(
            self.fastspeech_network,
            (SILENCE, *names, SILENCE),
            [first, *durations.tolist(), after],
            self.speaker,
        )

    @functools.cached_property
    def fastspeech_network(self) -> Any:
        """The network of `fastspeech`; its weights are loaded on first use."""
        from semcore_video.speech.networks import MelVoice

        return network(MelVoice, "fastspeech", self.spoken_by, "fastspeech")
