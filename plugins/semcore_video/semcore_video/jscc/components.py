"""Encoders and generators of joint source-channel coding: DeepWiVe for frames, DeepSC-S for
sound."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from semcore import (
    Candidates,
    Component,
    ComponentError,
    Features,
    Generator,
    KnowledgeBase,
    Rng,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
)
from semcore_video.resampling import USUAL_FPS, resample_audio
from semcore_video.weights import digest, network

if TYPE_CHECKING:
    import torch

FRAMES, WAVEFORM = "frames", "waveform"
"""Names of the streams."""
RATE_HZ = 16_000
"""Sample rate of the networks."""
BLOCK = 16
"""Sides of frames are padded to multiples of this."""
OUTPUT_RMS = 0.1
"""Root mean square of decoded sound: the level is not sent."""
DEEPWIVE, DEEPSC_S = "deepwive", "deepsc-s"
"""Names of the recipes, and of the shipped weights."""
TUNG = "T.-Y. Tung and D. Gunduz, DeepWiVe, IEEE J. Sel. Areas Commun. 40(9), 2022"
WENG = "Z. Weng and Z. Qin, DeepSC-S, IEEE J. Sel. Areas Commun. 39(8), 2021"


@dataclass(frozen=True)
class PairedNetwork(Component):
    """One half of an encoder and decoder that were trained jointly.

    Fields:
        weights: folder written by the recipe; null: the shipped one
    """

    pair: ClassVar[str]
    """Name of the recipe, and of the shipped weights."""

    weights: str | None = None

    def identity(self) -> Any:
        """The digest of the weights."""
        return digest(self.pair, self.weights)

    @functools.cached_property
    def network(self) -> Any:
        """Both halves; the weights are loaded on first use."""
        from semcore_video.jscc.networks import FrameCode, WaveCode

        build = {DEEPWIVE: FrameCode, DEEPSC_S: WaveCode}[self.pair]
        return network(build, self.pair, self.weights, self.pair)


@dataclass(frozen=True)
class DeepWiVeEncoder(PairedNetwork, SemanticEncoder):
    """The frames of a video as numbers for an analog transport: groups of five frames are coded
    jointly.

    A square of 16 x 16 pixels of a group becomes 30 real numbers, 15 channel uses: 57,600 for 3 s
    of 256 x 256. The paper's baseline uses 59,392. DeepWiVe interpolates between key frames and
    learns the bandwidth of each; here convolutions along time in a small network replace both.
    Incomplete groups and squares are padded with the last frame and with the edge pixels.
    """

    reference: ClassVar[str] = TUNG
    cites: ClassVar[tuple[str, ...]] = ("tung2022deepwive", "liu2026semantic")
    pair: ClassVar[str] = DEEPWIVE

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {FRAMES: Features}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {FRAMES: Features(self._numbers(sample))}, sample.user)
            for sample in samples
        ]

    def _numbers(self, sample: Sample) -> np.ndarray:
        import torch

        if sample.video is None or not len(sample.video):
            raise ComponentError(
                f"DeepWiVeEncoder encodes videos, and sample {sample.id!r} has none"
            )
        count, height, width = sample.video.shape[:3]
        room = -count % self.network.group, -height % BLOCK, -width % BLOCK
        whole = np.pad(sample.video, [*((0, more) for more in room), (0, 0)], "edge")
        frames = torch.from_numpy(whole).permute(0, 3, 1, 2)[None].float() / 255
        with torch.inference_mode():
            numbers: torch.Tensor = self.network.encode(frames)[0]
        return numbers.numpy()


@dataclass(frozen=True)
class DeepWiVeGenerator(PairedNetwork, Generator):
    """The frames of a video from the numbers of the encoder `deepwive`; without them there is no
    video.

    The grant states number and size of the frames; otherwise groups and squares are complete.
    """

    reference: ClassVar[str] = TUNG
    cites: ClassVar[tuple[str, ...]] = ("tung2022deepwive", "liu2026semantic")
    pair: ClassVar[str] = DEEPWIVE
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {FRAMES: (Features,)}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(received)]) for received in batch]

    def _sample(self, received: Semantics) -> Sample:
        import torch

        numbers = received.streams.get(FRAMES)
        usable = (
            isinstance(numbers, Features)
            and numbers.values.ndim == 4
            and numbers.values.shape[1] == self.network.latent
        )
        if not usable or not isinstance(numbers, Features) or not numbers.values.size:
            return Sample(received.key, received.user)
        values = torch.from_numpy(np.nan_to_num(numbers.values).clip(-20, 20))[None]
        with torch.inference_mode():
            video = self.network.decode(values)[0].permute(0, 2, 3, 1)
        pixels = (video * 255).round().clamp(0, 255).to(torch.uint8).numpy()
        extent = received.extent
        height, width = extent.size if extent.frames else pixels.shape[1:3]
        video = pixels[: extent.frames or len(pixels), :height, :width]
        return Sample(
            received.key,
            received.user,
            video=np.ascontiguousarray(video),
            fps=extent.fps or USUAL_FPS,
        )


@dataclass(frozen=True)
class DeepSCSEncoder(PairedNetwork, SemanticEncoder):
    """A sound as numbers for an analog transport, at 16 kHz.

    64 samples become 86 real numbers, 43 channel uses: 32,250 for 3 s. The paper's baseline uses
    32,768. DeepSC-S uses squeeze-and-excitation residual networks; here blocks of depthwise
    convolutions replace them, in a small network.
    """

    reference: ClassVar[str] = WENG
    cites: ClassVar[tuple[str, ...]] = ("weng2021semantic", "liu2026semantic")
    pair: ClassVar[str] = DEEPSC_S

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {WAVEFORM: Features}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {WAVEFORM: Features(self._numbers(sample))}, sample.user)
            for sample in samples
        ]

    def _numbers(self, sample: Sample) -> np.ndarray:
        import torch

        if sample.audio is None or not sample.sample_rate_hz or not len(sample.audio):
            raise ComponentError(
                f"DeepSCSEncoder encodes sounds, and sample {sample.id!r} has none"
            )
        sound = unit_power(resample_audio(sample.audio, sample.sample_rate_hz, RATE_HZ))
        sound = np.pad(sound, (0, -len(sound) % self.network.hop))
        with torch.inference_mode():
            numbers: torch.Tensor = self.network.encode(torch.from_numpy(sound)[None])[0]
        return numbers.numpy()


@dataclass(frozen=True)
class DeepSCSGenerator(PairedNetwork, Generator):
    """The sound from the numbers of the encoder `deepsc-s`; without them there is none. Its level
    is not sent.

    The grant states its length; otherwise it is a whole number of steps.
    """

    reference: ClassVar[str] = WENG
    cites: ClassVar[tuple[str, ...]] = ("weng2021semantic", "liu2026semantic")
    pair: ClassVar[str] = DEEPSC_S
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {WAVEFORM: (Features,)}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(received)]) for received in batch]

    def _sample(self, received: Semantics) -> Sample:
        import torch

        numbers = received.streams.get(WAVEFORM)
        usable = (
            isinstance(numbers, Features)
            and numbers.values.ndim == 2
            and numbers.values.shape[1] == self.network.latent
        )
        if not usable or not isinstance(numbers, Features) or not len(numbers.values):
            return Sample(received.key, received.user)
        values = torch.from_numpy(np.nan_to_num(numbers.values).clip(-20, 20))[None]
        with torch.inference_mode():
            sound = self.network.decode(values)[0].numpy() * np.float32(OUTPUT_RMS)
        if count := round(received.extent.sound_s * RATE_HZ):
            sound = np.pad(sound[:count], (0, max(count - len(sound), 0)))
        return Sample(received.key, received.user, audio=sound.clip(-1, 1), sample_rate_hz=RATE_HZ)


def unit_power(sound: np.ndarray) -> np.ndarray:
    """A sound float32 (S,) scaled to unit power."""
    loud = float(np.sqrt(np.square(sound, dtype=np.float64).mean()))
    return (sound / max(loud, 1e-5)).astype(np.float32)
