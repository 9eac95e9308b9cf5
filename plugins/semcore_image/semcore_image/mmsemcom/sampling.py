"""Sampling of class-diffusion: pictures of a class, optionally conditioned on received features."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import torch
from diffusers import UniPCMultistepScheduler
from torch import nn

from semcore import on_device
from semcore_image.mmsemcom.unet import ClassUNet, build
from semcore_image.models.digests import written

SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "beta_schedule": "linear",
}
"""1000 steps as in the paper, which does not give the schedule: linear, as in DDPM."""


class ClassDiffusion(nn.Module):
    """Sampling from the denoiser; deterministic for given noise."""

    def __init__(self, unet: ClassUNet) -> None:
        super().__init__()
        self.unet = unet

    @property
    def shape(self) -> tuple[int, int, int]:
        """(3, H, W) of a picture and of its initial noise."""
        return (3, self.unet.size, self.unet.size)

    @on_device
    @torch.no_grad()
    def sample(
        self,
        labels: torch.Tensor,
        noise: torch.Tensor,
        steps: int = 40,
        semantics: torch.Tensor | None = None,
        guidance: float = 1.0,
        half: bool = True,
    ) -> torch.Tensor:
        """Pictures float32 0..1 (B, 3, H, W).

        Args:
            labels: class of each picture, int64 (B,); the number of classes stands for an unknown
                one
            noise: standard normal float32 (B, 3, H, W)
            steps: steps of the UniPC solver
            semantics: received features, float32 (B, D); a row with a NaN is unconditional
            guidance: scale of classifier-free guidance towards the features; 1: none
            half: whether the network computes in bfloat16
        """
        with torch.device("cpu"):  # a few numbers, which Python reads
            scheduler = UniPCMultistepScheduler(
                **SCHEDULE,
                solver_order=2,
                timestep_spacing="trailing",
                prediction_type=self.unet.predicts,
            )
            scheduler.set_timesteps(steps)
        pictures = noise.contiguous(memory_format=torch.channels_last)
        kind = noise.device.type
        with torch.autocast(kind, torch.bfloat16) if half else contextlib.nullcontext():
            conditional = self.unet.condition(labels, semantics)
            unconditional = self.unet.condition(labels)
            for timestep in scheduler.timesteps:
                times = timestep.to(noise.device).expand(len(labels))
                predicted = self.unet(pictures, times, conditional).float()
                if guidance != 1 and semantics is not None:
                    without = self.unet(pictures, times, unconditional).float()
                    predicted = without + guidance * (predicted - without)
                pictures = scheduler.step(predicted, timestep, pictures)[0]
        return (pictures / 2 + 0.5).clamp(0, 1)


def load(weights: str) -> ClassDiffusion:
    """The sampler with the shipped weights of this name, or those of a folder."""
    return _load(weights, written(weights))


@functools.lru_cache(4)
def _load(weights: str, content: str) -> ClassDiffusion:
    from semcore_image.models.weights import fill, folder_of

    unet = fill(build, folder_of(weights)).eval().requires_grad_(False)
    return ClassDiffusion(unet.to(memory_format=torch.channels_last))
