"""Recipe of the autoencoder of mini-diffusion."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F

from semcore import Recipe, Source
from semcore.training import descend, one_cycle, run_epochs, set_rate, write_model
from semcore_image.models.mini_clip import as_float
from semcore_image.models.mini_diffusion import MiniVae
from semcore_image.training.augmentation import augment
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import Split, load_split

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


@dataclass(frozen=True)
class MiniVaeRecipe(Recipe):
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
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("rombach2022high", "krizhevsky2009learning")

    data: str | Source
    epochs: int = 2
    batch_size: int = 64
    learning_rate: float = 2e-3
    kl_weight: float = 3e-6
    seed: int = 2
    threads: int = 2

    def train(self, out: Path) -> None:
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        split = load_split(self.data, "train")
        model = MiniVae(**SETTINGS).to(memory_format=torch.channels_last)
        average = copy.deepcopy(model).eval()
        adam = torch.optim.AdamW(
            [{"params": list(model.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.98),
            weight_decay=0.01,
        )
        steps = max(len(split) // self.batch_size, 1)

        def run_epoch(epoch: int) -> dict[str, float]:
            generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
            order = torch.randperm(len(split), generator=generator)
            totals = torch.zeros(2)
            for step in range(steps):
                chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
                images = augment(as_float(split.images[chosen]), generator, shift=0) * 2 - 1
                set_rate(adam, one_cycle(epoch * steps + step, self.epochs * steps))
                with torch.autocast("cpu", torch.bfloat16):
                    posterior = model.vae.encode(images).latent_dist
                    mean, log_variance = posterior.mean.float(), posterior.logvar.float()
                    noise = torch.randn(mean.shape, generator=generator)
                    decoded = model.vae.decode(
                        mean + (0.5 * log_variance).exp() * noise
                    ).sample.float()
                kl = (
                    0.5
                    * (mean.square() + log_variance.exp() - 1 - log_variance).sum((1, 2, 3)).mean()
                )
                squared = F.mse_loss(decoded, images)
                loss = squared + 0.3 * F.l1_loss(decoded, images) + self.kl_weight * kl
                descend(loss, adam, model, average, 0.99)
                totals += torch.stack([squared.detach(), kl.detach()])
                if step % 50 == 0:
                    print(epoch, step, f"mse {squared.item():.5f} kl {kl.item():.1f}", flush=True)
            return dict(zip(("squared_error", "kl"), (totals / steps).tolist(), strict=True))

        seconds = run_epochs(
            self, out, self.epochs, {"model": model, "average": average}, {"adam": adam}, run_epoch
        )
        _standardise(average, split)
        average.half().float()  # the shipped weights are float16, so these are measured
        scores = evaluate(average, load_split(self.data, "test"))
        scores.append((f"training time on {self.threads} CPU threads", f"{seconds / 60:.1f} min"))
        card = model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split))
        write_model(out, SETTINGS, average, card)


@torch.no_grad()
def _standardise(model: MiniVae, split: Split) -> None:
    latents = torch.cat([model.encode(part) for part in split.images[::10].split(500)])
    model.latent_mean.copy_(latents.mean((0, 2, 3), keepdim=True))
    model.latent_std.copy_(latents.std((0, 2, 3), keepdim=True))


@torch.no_grad()
def evaluate(model: MiniVae, test: Split) -> list[tuple[str, str]]:
    """Fidelity of decoded latents on unseen pictures."""
    errors = torch.cat(
        [
            (model.decode(model.encode(x)) - as_float(x)).square().mean((1, 2, 3))
            for x in test.images.split(500)
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
