"""Recipe of class-diffusion: a denoiser of pixels, conditioned on the class and optionally on noisy
features."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from diffusers import UniPCMultistepScheduler

from semcore import Rng
from semcore.training import at_snr, descend, one_cycle, run_epochs, set_rate, warming, write_model
from semcore_image.mmsemcom.networks import load
from semcore_image.mmsemcom.sampling import SCHEDULE, ClassDiffusion
from semcore_image.mmsemcom.unet import build
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import Split
from semcore_image.training.knowledge import knowledge
from semcore_image.training.over_channel import Decibels, TrainedOverChannel, sent_features

SETTINGS: dict[str, Any] = {
    "size": 32,
    "patch": 4,
    "widths": [96, 128],
    "attention": [0, 4],
    "embedding": 128,
}
WITHOUT_FEATURES = 0.1
"""Share of pictures without features, so that the network also works with the class alone."""


@dataclass(frozen=True)
class ClassDiffusionRecipe(TrainedOverChannel):
    """Trains the generator class-diffusion, by default to nearly memorise the shared knowledge
    base.

    With `photographs: null` and few epochs it learns the distribution of a class, and with
    `semantics: true` to generate the picture that received image features describe.

    Fields:
        drawings: pictures of the source `samples` per class in the knowledge base
        photographs: training photographs per class in the knowledge base; null: all
        semantics: whether to condition on the image features of multisem after the channel
        epochs: rounds of `passes_at_once` passes, each followed by a checkpoint
        passes_at_once: passes over the pictures per round
        predicts: prediction target: `epsilon`, the noise (eq. 17), or `v_prediction`, the velocity,
            which also depends on the picture at high noise levels and memorises sooner
    """

    cites: ClassVar[tuple[str, ...]] = (
        "liang2024image",
        "ho2022classifier",
        "salimans2022progressive",
        "krizhevsky2009learning",
    )

    snr_db: tuple[Decibels, Decibels] = (0.0, 20.0)
    batch_size: Annotated[int, Ge(8)] = 120
    learning_rate: float = 8e-4
    seed: int = 7
    drawings: Annotated[int, Ge(0)] = 24
    photographs: Annotated[int, Ge(1)] | None = 24
    semantics: bool = False
    epochs: Annotated[int, Ge(1)] = 40
    passes_at_once: Annotated[int, Ge(1)] = 40
    predicts: Literal["epsilon", "v_prediction"] = "v_prediction"

    def train(self, out: Path) -> None:
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        known = knowledge(self.data, self.drawings, self.photographs)
        images, labels = known.images, known.labels
        features = _features(self, images) if self.semantics else None
        semantics = load(None).second.out_features if features else 0
        settings = {
            **SETTINGS,
            "classes": list(known.classes),
            "semantics": semantics,
            "predicts": self.predicts,
        }
        unet = build(**settings)
        average = copy.deepcopy(unet).eval()
        adam = torch.optim.AdamW(
            [{"params": list(unet.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
        )
        signal = UniPCMultistepScheduler(**SCHEDULE).alphas_cumprod
        steps = max(self.passes_at_once * len(images) // self.batch_size, 1)

        def run_epoch(epoch: int) -> dict[str, float]:
            generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
            order = torch.cat(
                [
                    torch.randperm(len(images), generator=generator)
                    for _ in range(self.passes_at_once)
                ]
            )
            total = 0.0
            for step in range(steps):
                done = epoch * steps + step
                set_rate(adam, one_cycle(done, self.epochs * steps, warm_up=0.03))
                chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
                clean = (images[chosen].float() / 127.5 - 1).contiguous(
                    memory_format=torch.channels_last
                )
                times = torch.randint(0, len(signal), (len(chosen),), generator=generator)
                noise = torch.randn(clean.shape, generator=generator).contiguous(
                    memory_format=torch.channels_last
                )
                share = signal[times].view(-1, 1, 1, 1)
                semantic_features = features and features(chosen, generator)
                with torch.autocast("cpu", torch.bfloat16):
                    condition = unet.condition(labels[chosen], semantic_features)
                    predicted = unet(
                        share.sqrt() * clean + (1 - share).sqrt() * noise, times, condition
                    ).float()
                velocity = share.sqrt() * noise - (1 - share).sqrt() * clean
                loss = hybrid_loss(predicted, noise if self.predicts == "epsilon" else velocity)
                total += descend(loss, adam, unet, average, warming(done, 0.999))
                if step % 50 == 0:
                    print(epoch, step, f"{loss.item():.4f}", flush=True)
            return {"loss": total / steps}

        seconds = run_epochs(
            self, out, self.epochs, {"unet": unet, "average": average}, {"adam": adam}, run_epoch
        )
        average.half().float()  # the shipped weights are float16, so these are measured
        scores = evaluate(ClassDiffusion(average), known)
        scores.append((f"training time on {self.threads} CPU thread(s)", f"{seconds / 60:.0f} min"))
        about = ("class-diffusion", SUMMARY, self, scores, NOTES, data_summary(known))
        write_model(out, settings, average, model_card(*about, measured_on="training pictures"))


def hybrid_loss(predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The mean of L1 and L2 loss, a scalar (MMSemCom, eq. 17, with equal weights)."""
    error = predicted - wanted
    return (error.abs().mean() + error.square().mean()) / 2


def _features(
    recipe: ClassDiffusionRecipe, images: torch.Tensor
) -> Callable[[torch.Tensor, torch.Generator], torch.Tensor]:
    """Image features of chosen pictures after the channel at a random SNR; a tenth of the rows is
    NaN (no features)."""
    network = load(None)
    with torch.no_grad():
        known = torch.cat(
            [network.image_features(network.maps(part.float() / 255)) for part in images.split(500)]
        )

    def draw(chosen: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        low, high = recipe.snr_db
        snr = low + (high - low) * torch.rand((), generator=generator)
        seed = torch.randint(2**31, (), generator=generator)
        with torch.no_grad():
            received_features = sent_features(
                known[chosen], at_snr(recipe.channel, float(snr)), Rng(int(seed))
            )
        dropped = torch.rand(len(chosen), 1, generator=generator) < WITHOUT_FEATURES
        return torch.where(dropped, torch.nan, received_features)

    return draw


@torch.no_grad()
def evaluate(model: ClassDiffusion, training: Split, count: int = 500) -> list[tuple[str, str]]:
    """PSNR of the best of `count` pictures of a class to training pictures."""
    best, images, labels = [], training.images, training.labels
    for label in range(len(training.classes)):
        noise = torch.randn(count, *model.shape, generator=torch.Generator().manual_seed(label))
        drawn = torch.cat(
            [model.sample(torch.full((len(part),), label), part) for part in noise.split(125)]
        )
        own = images[labels == label]
        known = own[:: max(1, len(own) // 20)][:20].float() / 255
        errors = torch.cdist(known.flatten(1), drawn.flatten(1)).square().amin(1) / known[0].numel()
        best.append(-10 * errors.clamp(min=1e-6).log10())
    return [
        (
            f"PSNR of the best of {count} to a training picture, mean over classes, dB",
            f"{torch.cat(best).mean():.2f}",
        )
    ]


SUMMARY = (
    "A small version of the denoiser of MMSemCom: a U-Net on patches of 4x4 pixels, two residual "
    "blocks per stage, attention in the deeper ones, hybrid L1 and L2 loss (as eq. 17), sampled by "
    "UniPC in 40 steps."
)
NOTES = "Pictures of 32×32 pixels."
