"""Voices that were trained here: mel spectrograms of phones and durations (A2V), or of lips and
words (V2A)."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from semcore.errors import ComponentError
from semcore.interfaces import Generator
from semcore.rng import Rng
from semcore.types import Candidates, Features, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.licences import MEDIAPIPE, POCKETSPHINX
from semcore_video.paper import PAPER
from semcore_video.speech.lips import HEIGHT, WIDTH, evened
from semcore_video.speech.mel import BANDS, HOP, LEAST, RATE_HZ
from semcore_video.speech.monotone import paced
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE
from semcore_video.speech.streams import INTERVAL, SPOKEN, TEXT, phone_times
from semcore_video.speech.vocoders import MEL
from semcore_video.weights import digest, network

LIPS = "lips"
"""Name of the stream that the rendered video gives: grey pictures of the mouth, float32 (T, 24,
32), 0..255, LIPS_FPS a second."""
LIPS_FPS = 25.0
Voice = Literal["en-us", "en-us+m3", "en-us+f3", "en-us+f2", "en-gb-x-rp"]
"""The voices that the networks learnt from, by their names in eSpeak NG."""
LONGEST_S = 600.0
"""Longer speech is taken for damage, where nobody says how long the sound is."""
MARGIN_S, TYPICAL_S = 0.2, 0.08
"""Silence before and behind speech of which nobody says when it is, and how long a phone is
about."""
UNEVEN, LONGEST = 0.5, 60
"""Spread of the logarithm of a phone's duration about what it typically is, and the longest, frames
of 10 ms."""


@dataclass(frozen=True)
class MelVoiced(Generator, abc.ABC):
    """A network that makes a mel spectrogram, and a vocoder that makes a sound of it.

    Fields:
        vocoder: makes the sound of a stream `mel`
        voice: who speaks, by its name in eSpeak NG
        weights: folder that the recipe wrote; null: the shipped one
    """

    shipped: ClassVar[str]
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
                f"{type(self).__name__}.vocoder must take a stream {MEL!r}, as griffin-lim does; "
                f"{name} does not"
            )

    def identity(self) -> Any:
        """The digest of the weights."""
        return digest(self.shipped, self.weights)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        mels = [
            replace(
                got, streams={MEL: Features(_whole(self.mel(got), got.extent.sound_s))}, intact={}
            )
            for got in batch
        ]
        sounds = self.vocoder.generate(mels, kb, rng.at("vocoder"))
        return [
            Candidates([_fitted(one.samples[0], got.extent.sound_s)])
            for one, got in zip(sounds, batch, strict=True)
        ]

    @abc.abstractmethod
    def mel(self, got: Semantics) -> np.ndarray:
        """What is said, as a mel spectrogram float32 (T, 80); what is behind the end of the sound
        need not be there."""

    @property
    def speaker(self) -> int:
        """The number of the voice."""
        from typing import get_args

        return get_args(Voice).index(self.voice)


def _whole(mel: np.ndarray, length_s: float) -> np.ndarray:
    """A mel spectrogram as long as the sound, silence behind it; as long as it is if nobody says
    how long that is (0)."""
    count = round(length_s * RATE_HZ / HOP) + 1 if length_s else max(len(mel), 2)
    whole = np.full((count, BANDS), np.log(LEAST), np.float32)
    whole[: len(mel)] = mel[: len(whole)]
    return whole


def _fitted(sample: Sample, length_s: float) -> Sample:
    """A sound as long as both ends know; as it is if nobody says how long that is (0)."""
    if sample.audio is None or sample.sample_rate_hz is None or not length_s:
        return sample
    count = round(length_s * sample.sample_rate_hz)
    return replace(
        sample, audio=np.pad(sample.audio[:count], (0, max(count - len(sample.audio), 0)))
    )


@dataclass(frozen=True)
class FastSpeech(MelVoiced):
    """Says phones or a text: a small network after FastSpeech 2, trained on eSpeak NG.

    With `phones` and `durations` every phone lasts as long as it did. With `text`, phones are those
    of the dictionary, each as long as it is on average, all stretched alike into the `interval` if
    there is one. What is damaged beyond use is left out; without anything to say there is silence.
    """

    licences: ClassVar[tuple[str, ...]] = (POCKETSPHINX,)
    reference: ClassVar[str] = f"{PAPER}, eq. 16; Y. Ren et al., FastSpeech 2, ICLR 2021"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "ren2021fastspeech")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = SPOKEN
    shipped: ClassVar[str] = "fastspeech"

    @functools.cached_property
    def network(self) -> Any:
        """The network; its weights are loaded on first use."""
        from semcore_video.speech.networks import MelVoice

        return network(MelVoice, self.shipped, self.weights, self.shipped)

    def mel(self, got: Semantics) -> np.ndarray:
        names, ends = phone_times(got)
        if not names:
            return np.zeros((0, BANDS), np.float32)
        if ends is None or len(ends) != len(names) + 1:
            typical = (
                np.cumsum([0.0, *(float(self.network.typical[NUMBERS[name]]) for name in names)])
                * FRAME_S
            )
            first, last = (MARGIN_S, MARGIN_S + typical[-1]) if ends is None else ends
            ends = first + typical * (last - first) / max(float(typical[-1]), FRAME_S)
            names, ends = [SILENCE, *names], np.concatenate([[0.0], ends])
        bounds = np.round(np.minimum(ends, got.extent.sound_s or LONGEST_S) / FRAME_S).astype(
            np.int64
        )
        return said(self.network, names, np.diff(bounds).tolist(), self.speaker)


def said(network: Any, names: Sequence[str], frames: Sequence[int], speaker: int) -> np.ndarray:
    """Phones by the network of `fastspeech`, each as many frames of 10 ms long: a mel spectrogram,
    float32 (T, 80)."""
    import torch

    with torch.inference_mode():
        phones = torch.tensor([[NUMBERS[name] for name in names]])
        found: np.ndarray = network(phones, torch.tensor([frames]), torch.tensor([speaker]))[1][
            0
        ].numpy()
    return found


@dataclass(frozen=True)
class LipVoice(MelVoiced):
    """Says a text in time with lips that move: the attention network of V2A, trained on portraits
    that eSpeak NG speaks for.

    It takes `lips`, 25 a second, which `talking-head` cuts out of the rendered video, the `text`,
    and the `interval` in which it is spoken; without lips they are taken to be at rest, without an
    interval it is all of the sound, without a text there is silence.

    The attention says which phone each frame of the lips looks at. Read as a `monotone` alignment,
    it tells how long every phone lasts, and the network of `fastspeech` says them so (eq. 22 with
    the lips' timing); `soft`, what it hears goes on through the network's own expansion and mel
    decoder (eq. 21 and 22), which blurs what it is not sure of.

    Fields:
        alignment: how the attention is read
        spoken_by: folder that the recipe `fastspeech` wrote, for `monotone`; null: the shipped one
    """

    licences: ClassVar[tuple[str, ...]] = (POCKETSPHINX, MEDIAPIPE)
    reference: ClassVar[str] = f"{PAPER}, section III-C2, eq. 19 to 23"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cong2023learning")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {
        LIPS: (Features,), TEXT: SPOKEN[TEXT], INTERVAL: SPOKEN[INTERVAL],
    }  # fmt: skip
    shipped: ClassVar[str] = "lip-voice"
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

        return network(Network, self.shipped, self.weights, self.shipped)

    def mel(self, got: Semantics) -> np.ndarray:
        import torch

        from semcore_video.speech.networks import EXPANSION

        names, ends = phone_times(got.only([TEXT, INTERVAL]))
        if not names:
            return np.zeros((0, BANDS), np.float32)
        fps = RATE_HZ / HOP / EXPANSION
        lips = got.streams.get(LIPS)
        if (
            isinstance(lips, Features)
            and lips.values.shape[1:] == (HEIGHT, WIDTH)
            and len(lips.values)
        ):
            seen = evened(np.nan_to_num(lips.values).clip(0, 255))
        else:
            usual = MARGIN_S + len(names) * TYPICAL_S if ends is None else float(ends[-1])
            seen = np.zeros(
                (round((got.extent.sound_s or usual + MARGIN_S) * fps), HEIGHT, WIDTH), np.float32
            )
        length_s = got.extent.sound_s or len(seen) / fps
        interval = (
            np.array([MARGIN_S, max(length_s - MARGIN_S, 2 * MARGIN_S)]) if ends is None else ends
        )
        with torch.inference_mode():
            phones = torch.tensor([[NUMBERS[name] for name in names]])
            when = torch.from_numpy((interval * fps).astype(np.float32))[None]
            there = torch.ones_like(phones, dtype=torch.bool)
            asked = torch.from_numpy(seen)[None], phones, there, when, torch.tensor([self.speaker])
            if self.alignment == "soft":
                found: np.ndarray = self.network(*asked)[1][0].numpy()
                return found
            _, looked = self.network.attend(*asked)
        first, last = (round(float(one) * RATE_HZ / HOP) for one in interval)
        return self._said(names, looked[0].numpy(), first, last, round(length_s * RATE_HZ / HOP))

    def _said(
        self, names: Sequence[str], looked: np.ndarray, first: int, last: int, count: int
    ) -> np.ndarray:
        """Phones between two mel frames, each as long as the lips look at it, as a mel spectrogram
        (T, 80).

        Args:
            names: of the phones
            looked: how much each frame of video looks at each of them, float32 (frames, phones)
            count: frames of the whole
        """
        from semcore_video.speech.networks import EXPANSION

        # Text that was damaged may be of any length: what does not fit into the sound is not said.
        names = names[: max(count - first, 1)]
        looked, last = looked[:, : len(names)], max(last, first + len(names))
        times = (np.arange(first, last) + 0.5) / EXPANSION - 0.5
        sure = np.log(looked + 1e-4)
        scores = np.stack([np.interp(times, np.arange(len(sure)), column) for column in sure.T], 1)
        usual = np.array([float(self.network.typical[NUMBERS[name]]) for name in names])
        durations = paced(scores, usual * (last - first) / usual.sum(), UNEVEN, LONGEST)
        behind = max(count - last, 1)
        return said(
            self.speaking,
            (SILENCE, *names, SILENCE),
            [first, *durations.tolist(), behind],
            self.speaker,
        )

    @functools.cached_property
    def speaking(self) -> Any:
        """The network of `fastspeech`; its weights are loaded on first use."""
        from semcore_video.speech.networks import MelVoice

        return network(MelVoice, "fastspeech", self.spoken_by, "fastspeech")
