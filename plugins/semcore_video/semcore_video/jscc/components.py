"""DeepWiVe and DeepSC-S as encoders and generators: what lies between them is an analog
transport."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from semcore.errors import ComponentError
from semcore.interfaces import Component, Generator, SemanticEncoder
from semcore.rng import Rng
from semcore.types import Candidates, Features, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.resampling import USUAL_FPS, resampled
from semcore_video.weights import digest, network

if TYPE_CHECKING:
    import torch

FRAMES, WAVEFORM = "frames", "waveform"
"""Names of the streams."""
RATE_HZ = 16_000
"""Of the sound that the networks know."""
SQUARE = 16
"""Sides of frames are multiples of this."""
LOUD = 0.1
"""Root mean square of a sound that was decoded: how loud it was is not sent."""
DEEPWIVE, DEEPSC_S = "deepwive", "deepsc-s"
"""Names of the pairs."""
TUNG = "T.-Y. Tung and D. Gunduz, DeepWiVe, IEEE J. Sel. Areas Commun. 40(9), 2022"
WENG = "Z. Weng and Z. Qin, DeepSC-S, IEEE J. Sel. Areas Commun. 39(8), 2021"


@dataclass(frozen=True)
class ByNetwork(Component):
    """One half of a pair that was trained together.

    Fields:
        weights: folder that the recipe wrote; null: the shipped one
    """

    pair: ClassVar[str]
    """Name of the recipe, and of the shipped weights."""

    weights: str | None = None

    def identity(self) -> Any:
        """The digest of the weights."""
        return digest(self.pair, self.weights)

    @functools.cached_property
    def network(self) -> Any:
        """Both halves; their weights are loaded on first use."""
        from semcore_video.jscc.networks import FrameCode, WaveCode

        return network(
            {DEEPWIVE: FrameCode, DEEPSC_S: WaveCode}[self.pair], self.pair, self.weights, self.pair
        )


@dataclass(frozen=True)
class DeepWiVeEncoder(ByNetwork, SemanticEncoder):
    """The frames of a video as numbers for an analog transport: groups of five frames are coded
    together.

    A square of 16 x 16 pixels of a group becomes 30 real numbers, 15 channel uses: 57,600 of them
    for 3 s of 256 x 256. The paper's baseline has 59,392. DeepWiVe interpolates between key frames,
    and learns how many symbols each gets; here convolutions along time take the place of both,
    trained small. What is missing to whole groups and squares repeats the last frame and the edge
    of each.
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
        room = -count % self.network.group, -height % SQUARE, -width % SQUARE
        whole = np.pad(sample.video, [*((0, more) for more in room), (0, 0)], "edge")
        frames = torch.from_numpy(whole).permute(0, 3, 1, 2)[None].float() / 255
        with torch.inference_mode():
            numbers: torch.Tensor = self.network.encode(frames)[0]
        return numbers.numpy()


@dataclass(frozen=True)
class DeepWiVeGenerator(ByNetwork, Generator):
    """The frames of a video from the numbers of the encoder `deepwive`; without them there is no
    video.

    How many frames of which size there are, the grant tells; otherwise they are whole groups of
    whole squares.
    """

    reference: ClassVar[str] = TUNG
    cites: ClassVar[tuple[str, ...]] = ("tung2022deepwive", "liu2026semantic")
    pair: ClassVar[str] = DEEPWIVE
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {FRAMES: (Features,)}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(got)]) for got in batch]

    def _sample(self, got: Semantics) -> Sample:
        import torch

        numbers = got.streams.get(FRAMES)
        known = (
            isinstance(numbers, Features)
            and numbers.values.ndim == 4
            and numbers.values.shape[1] == self.network.latent
        )
        if not known or not isinstance(numbers, Features) or not numbers.values.size:
            return Sample(got.key, got.user)
        values = torch.from_numpy(np.nan_to_num(numbers.values).clip(-20, 20))[None]
        with torch.inference_mode():
            video = self.network.decode(values)[0].permute(0, 2, 3, 1)
        pixels = (video * 255).round().clamp(0, 255).to(torch.uint8).numpy()
        extent = got.extent
        height, width = extent.size if extent.frames else pixels.shape[1:3]
        video = pixels[: extent.frames or len(pixels), :height, :width]
        return Sample(
            got.key, got.user, video=np.ascontiguousarray(video), fps=extent.fps or USUAL_FPS
        )


@dataclass(frozen=True)
class DeepSCSEncoder(ByNetwork, SemanticEncoder):
    """A sound as numbers for an analog transport, at 16 kHz.

    64 samples become 86 real numbers, 43 channel uses: 32,250 of them for 3 s. The paper's baseline
    has 32,768. DeepSC-S squeezes and excites channels of residual networks; here blocks of
    depthwise convolutions take their place, trained small.
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
        sound = level(resampled(sample.audio, sample.sample_rate_hz, RATE_HZ))
        sound = np.pad(sound, (0, -len(sound) % self.network.hop))
        with torch.inference_mode():
            numbers: torch.Tensor = self.network.encode(torch.from_numpy(sound)[None])[0]
        return numbers.numpy()


@dataclass(frozen=True)
class DeepSCSGenerator(ByNetwork, Generator):
    """The sound from the numbers of the encoder `deepsc-s`; without them there is none. Its
    loudness is not sent.

    How long it is, the grant tells; otherwise it is whole steps.
    """

    reference: ClassVar[str] = WENG
    cites: ClassVar[tuple[str, ...]] = ("weng2021semantic", "liu2026semantic")
    pair: ClassVar[str] = DEEPSC_S
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {WAVEFORM: (Features,)}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(got)]) for got in batch]

    def _sample(self, got: Semantics) -> Sample:
        import torch

        numbers = got.streams.get(WAVEFORM)
        known = (
            isinstance(numbers, Features)
            and numbers.values.ndim == 2
            and numbers.values.shape[1] == self.network.latent
        )
        if not known or not isinstance(numbers, Features) or not len(numbers.values):
            return Sample(got.key, got.user)
        values = torch.from_numpy(np.nan_to_num(numbers.values).clip(-20, 20))[None]
        with torch.inference_mode():
            sound = self.network.decode(values)[0].numpy() * np.float32(LOUD)
        if count := round(got.extent.sound_s * RATE_HZ):
            sound = np.pad(sound[:count], (0, max(count - len(sound), 0)))
        return Sample(got.key, got.user, audio=sound.clip(-1, 1), sample_rate_hz=RATE_HZ)


def level(sound: np.ndarray) -> np.ndarray:
    """A sound float32 (S,) as the networks hear it: of unit power."""
    loud = float(np.sqrt(np.square(sound, dtype=np.float64).mean()))
    return (sound / max(loud, 1e-5)).astype(np.float32)
