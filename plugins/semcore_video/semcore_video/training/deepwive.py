"""Recipe of DeepWiVe: frames of videos through encoder, noisy channel and decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from semcore import Rng
from semcore.training import at_place
from semcore_video.jscc.networks import FrameCode
from semcore_video.sources.clips import Clips
from semcore_video.training.jscc import Excerpts, JSCCRecipe, over, train

SIDE, GROUPS = 96, 3
"""Excerpts of video per step: side of the square, pixels, and number of groups of frames."""


@dataclass(frozen=True)
class DeepWiVeRecipe(JSCCRecipe):
    """Trains the encoder and generator deepwive: frames to numbers and back, through a noisy
    channel."""

    cites: ClassVar[tuple[str, ...]] = ("tung2022deepwive", "cooke2006audio")

    @at_place
    def train(self, out: Path) -> None:
        """Train `deepwive` into `out`: checkpoints, then config.json, model.safetensors and the
        model card."""
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        clips = Clips(self.data).samples()
        videos = {clip.user: clip.video for clip in clips if clip.video is not None}
        training_videos = [video for user, video in videos.items() if user not in self.leave_out]
        network = FrameCode()

        cuts = _Cuts(training_videos, network.group * GROUPS)

        def loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
            return (found - true).abs().mean() + 5 * (found - true).square().mean()

        def psnr(average: FrameCode, snr_db: float) -> float:
            left_out = [video for user, video in videos.items() if user in self.leave_out]
            first = network.group * GROUPS
            test_videos = [video[:first] for video in left_out] or training_videos[:1]
            found = []
            for number, video in enumerate(test_videos):
                true = _frames(video)
                noisy = over(
                    self.channel, average.encode(true), [snr_db], Rng(1).at("measure", number)
                )
                pixels = (average.decode(noisy).clamp(0, 1) * 255).round() / 255
                found.append(-10 * np.log10(float((pixels - true).square().mean())))
            return float(np.mean(found))

        train(
            self,
            out,
            network,
            [cuts] * self.batch_size,
            loss,
            psnr,
            ("deepwive", "PSNR of frames of unseen speakers, dB", "Frames to numbers and back."),
        )


@dataclass(frozen=True, eq=False)
class _Cuts(Excerpts):
    """Random squares of consecutive frames of videos, randomly mirrored and tinted: float32
    (frames, 3, SIDE, SIDE)."""

    videos: Sequence[np.ndarray]
    frames: int

    def draw(self, generator: torch.Generator) -> Any:
        def below(limit: int) -> int:
            return int(torch.randint(limit, (), generator=generator))

        number = below(len(self.videos))
        start, down, across = (
            below(size - part + 1)
            for size, part in zip(
                self.videos[number].shape, (self.frames, SIDE, SIDE), strict=False
            )
        )
        tint = 1 + 0.15 * torch.randn(1, 3, 1, 1, generator=generator)
        return number, start, down, across, tint, below(2)

    def excerpt(self, place: Any) -> torch.Tensor:
        number, start, down, across, tint, mirrored = place
        part = torch.from_numpy(
            self.videos[number][
                start : start + self.frames, down : down + SIDE, across : across + SIDE
            ]
        )
        found = (part.permute(0, 3, 1, 2).float() / 255 * tint).clamp(0, 1)
        return found.flip(3) if mirrored else found


def _frames(video: np.ndarray) -> torch.Tensor:
    """A video uint8 (T, H, W, 3) as float32 (1, T, 3, H, W), 0..1."""
    return torch.from_numpy(video).permute(0, 3, 1, 2)[None].float() / 255
