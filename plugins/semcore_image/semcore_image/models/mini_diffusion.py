"""mini-diffusion: a small latent diffusion model conditioned on the characters of a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UniPCMultistepScheduler
from torch import nn

from semcore import on_device
from semcore_image.models.mini_clip import MiniClip, as_float

# Between the schedule of DDPM and that of Stable Diffusion, whose last step leaves too much signal
# in small latents.
SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.02,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
}


class MiniVae(nn.Module):
    """AutoencoderKL of diffusers with latents of zero mean and unit variance per channel."""

    latent_mean: torch.Tensor
    latent_std: torch.Tensor

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.vae = AutoencoderKL(**settings)
        channels = self.vae.config.latent_channels
        self.register_buffer("latent_mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("latent_std", torch.ones(1, channels, 1, 1))

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 or float 0..1 (B, 3, 32, 32) to latents float32 (B, c, 8, 8), the mean of the
        posterior."""
        mean = self.vae.encode(as_float(images) * 2 - 1).latent_dist.mean
        return (mean.float() - self.latent_mean) / self.latent_std

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents (B, c, 8, 8) to pictures float32 0..1 (B, 3, 32, 32)."""
        raw = (latents * self.latent_std + self.latent_mean).contiguous(
            memory_format=torch.channels_last
        )
        return (self.vae.decode(raw).sample.float() / 2 + 0.5).clamp(0, 1)


class MiniDiffusion(nn.Module):
    """Text to picture, and text and reference picture to picture."""

    def __init__(
        self, clip: MiniClip, vae: MiniVae, unet: UNet2DConditionModel, guidance: float
    ) -> None:
        super().__init__()
        self.clip, self.vae, self.unet, self.guidance = clip, vae, unet, guidance

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the latents and of the noise."""
        return (self.unet.config.in_channels, 8, 8)

    @on_device
    @torch.no_grad()
    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 or float 0..1 (B, 3, 32, 32) to latents float32 (B, c, 8, 8)."""
        return self.vae.encode(images)

    @on_device
    @torch.no_grad()
    def sample(
        self,
        text: Sequence[str],
        noise: torch.Tensor,
        steps: int = 20,
        guidance: float | None = None,
        start: torch.Tensor | None = None,
        strength: float = 0.7,
    ) -> torch.Tensor:
        """Pictures float32 0..1 (B, 3, 32, 32) of `text`; deterministic for given noise.

        Args:
            text: captions
            noise: standard normal float32 (B, *latent_shape), one row per picture
            steps: steps of the UniPC solver, counted from pure noise
            guidance: scale of classifier-free guidance; 1: none; None: the optimum in config.json
            start: latents (B, *latent_shape) of reference pictures to start from
            strength: share of the steps by which `start` is noised, 0..1
        """
        if noise.shape != (len(text), *self.latent_shape):
            raise ValueError(
                f"noise has shape {tuple(noise.shape)}, expected {(len(text), *self.latent_shape)}"
            )
        guidance = self.guidance if guidance is None else guidance
        with torch.device("cpu"):  # a few numbers, which Python reads
            scheduler = UniPCMultistepScheduler(
                **SCHEDULE, solver_order=2, timestep_spacing="trailing"
            )
            scheduler.set_timesteps(steps)
        timesteps, latents = scheduler.timesteps, noise
        if start is not None:
            skipped = min(max(round(steps * (1 - strength)), 0), steps)
            timesteps = timesteps[skipped:]
            scheduler.set_begin_index(skipped)
            if len(timesteps) == 0:
                return self.vae.decode(start)
            latents = scheduler.add_noise(start, noise, timesteps[:1].expand(len(start)))
        tokens, mask = self.clip.text_tokens([*text, *[""] * len(text)])
        for timestep in timesteps:
            latents = scheduler.step(
                self._predict(latents, timestep, tokens, mask, guidance), timestep, latents
            )[0]
        return self.vae.decode(latents)

    def _predict(
        self,
        latents: torch.Tensor,
        timestep: torch.Tensor,
        tokens: torch.Tensor,
        mask: torch.Tensor,
        guidance: float,
    ) -> torch.Tensor:
        with_text, without = self.unet(
            torch.cat([latents, latents]), timestep, tokens, encoder_attention_mask=mask
        ).sample.chunk(2)
        return without + guidance * (with_text - without)


def build_unet(settings: Mapping[str, Any]) -> UNet2DConditionModel:
    """The denoiser from its settings (config.json)."""
    return UNet2DConditionModel(**settings)
