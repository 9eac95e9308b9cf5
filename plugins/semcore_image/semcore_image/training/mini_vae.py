"""Recipe of the autoencoder of mini-diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F

from semcore import Source
from semcore.training import NetworkRecipe, RowBatches, Step, Training, at_place, write_model
from semcore_image.models.mini_clip import as_float
from semcore_image.models.mini_diffusion import MiniVae
from semcore_image.training.augmentation import augment
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import UNSEEN, Split, load_split

SETTINGS = {
    "down_block_types": ["DownEncoderBlock2D"] * 3,
    "up_block_types": ["UpDecoderBlock2D"] * 3,
    "block_out_channels": [32, 64, 64],
    "layers_per_block": 1,
    "latent_channels": 8,
    "norm_num_groups": 8,
    "mid_block_add_attention": False,
    "sample_size": 32,
}


@dataclass(frozen=True, kw_only=True)
class MiniVaeRecipe(NetworkRecipe):
    """Trains the autoencoder of mini-diffusion: 32×32 pictures, 8×8 latents with eight channels.

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        epochs: passes over the training pictures
        batch_size: pictures per step
        learning_rate: peak rate (AdamW)
        kl_weight: weight of the Kullback-Leibler divergence (nat) relative to the mean squared
            error
        seed: seed of weights, order, augmentation and posterior samples
    """

    cites: ClassVar[tuple[str, ...]] = ("rombach2022high", "krizhevsky2009learning")
    cpu_dtype: ClassVar[Literal["bfloat16"]] = "bfloat16"

    data: str | Source
    epochs: int = 2
    batch_size: int = 64
    learning_rate: float = 2e-3
    kl_weight: float = 3e-6
    seed: int = 2
    threads: int = 2

    @at_place
    def train(self, out: Path) -> None:
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        split, test = load_split(self.data, "train"), load_split(self.data, "test")
        model = MiniVae(**SETTINGS).to(self.place).to(memory_format=torch.channels_last)
        self.translate([model.vae.encoder, model.vae.decoder])
        adam = torch.optim.AdamW(
            [{"params": list(model.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )
        batches, unseen = (
            RowBatches([one.images], self.batch_size) for one in (split, test.some(UNSEEN))
        )
        training = Training(
            network=model,
            optimizers={"adam": adam},
            batches=batches,
            cost=self.cost,
            epochs=self.epochs,
            unseen=unseen,
            decay=lambda done: 0.99,
        )
        average, seconds = training.run(self, out)
        _standardise(average, split)
        average.half().float()  # the shipped weights are float16, so these are measured
        scores = evaluate(average, test)
        scores.append((f"training time on {self.hardware}", f"{seconds / 60:.1f} min"))
        card = model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split))
        write_model(out, SETTINGS, average, card)

    def cost(
        self, model: MiniVae, batch: Any, step: Step
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Loss of a batch, and its two parts."""
        _, (pixels,) = batch
        images = as_float(pixels)
        if model.training:
            images = augment(images, step.generator, shift=0)
        images = images * 2 - 1
        with self.casting():
            posterior = model.vae.encode(images).latent_dist
            mean, log_variance = posterior.mean.float(), posterior.logvar.float()
            noise = torch.randn(mean.shape, generator=step.generator).to(mean.device)
            decoded = model.vae.decode(mean + (0.5 * log_variance).exp() * noise).sample.float()
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum((1, 2, 3)).mean()
        squared = F.mse_loss(decoded, images)
        loss = squared + 0.3 * F.l1_loss(decoded, images) + self.kl_weight * kl
        return loss, {"squared_error": squared, "kl": kl}


@torch.no_grad()
def _standardise(model: MiniVae, split: Split) -> None:
    place = model.latent_mean.device
    parts = split.images[::10].split(500)
    latents = torch.cat([model.encode(part.to(place)) for part in parts])
    model.latent_mean.copy_(latents.mean((0, 2, 3), keepdim=True))
    model.latent_std.copy_(latents.std((0, 2, 3), keepdim=True))


@torch.no_grad()
def evaluate(model: MiniVae, test: Split) -> list[tuple[str, str]]:
    """Fidelity of decoded latents on unseen pictures."""
    place = model.latent_mean.device
    errors = torch.cat(
        [
            (model.decode(model.encode(x)) - as_float(x)).square().mean((1, 2, 3))
            for x in (part.to(place) for part in test.images.split(500))
        ]
    )
    psnr = -10 * errors.clamp_min(1e-10).log10()
    return [
        (
            f"PSNR of the decoded pictures, mean over pictures, peak 1.0 (n = {len(test)})",
            f"{psnr.mean():.2f} dB",
        )
    ]


TITLE = "mini-diffusion: autoencoder"
SUMMARY = (
    "diffusers' AutoencoderKL for 32×32 pictures; latents 8×8 with eight channels, "
    "standardised per channel."
)
NOTES = (
    "Trained on squared and absolute error with a small Kullback-Leibler term; no adversarial "
    "or perceptual loss."
)
