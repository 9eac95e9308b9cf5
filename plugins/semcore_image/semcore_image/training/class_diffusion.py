"""Recipe of class-diffusion: a denoiser of pixels, conditioned on the class and optionally on noisy
features."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from diffusers import UniPCMultistepScheduler

from semcore import Rng
from semcore.training import (
    RowBatches,
    Step,
    Training,
    at_place,
    at_snr,
    one_cycle,
    warming,
    write_model,
)
from semcore_image.mmsemcom.networks import load
from semcore_image.mmsemcom.sampling import SCHEDULE, ClassDiffusion
from semcore_image.mmsemcom.unet import build
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import UNSEEN, Split, load_split
from semcore_image.training.knowledge import knowledge
from semcore_image.training.over_channel import Decibels, TrainedOverChannel, sent_features

SETTINGS: dict[str, Any] = {
    "size": 32,
    "patch": 4,
    "widths": [96, 128],
    "attention": [0, 4],
    "embedding": 128,
}
SIGNAL = UniPCMultistepScheduler(**SCHEDULE).alphas_cumprod
"""Share of the picture in the power at each time step, float32 (steps,)."""
Features = Callable[[torch.Tensor, torch.Generator, bool], torch.Tensor]
"""Received features of chosen pictures, of those in training or of the others."""
WITHOUT_FEATURES = 0.1
"""Share of pictures without features, so that the network also works with the class alone."""


@dataclass(frozen=True)
class ClassDiffusionRecipe(TrainedOverChannel):
    """Trains the generator class-diffusion, by default to nearly memorise the shared knowledge
    base.

    With `photographs: null` and few epochs it learns the distribution of a class, and with
    `semantics: true` to generate the picture that received image features describe. An epoch is
    validated by unseen pictures with `photographs: null`, else by those to memorise.

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
    cpu_dtype: ClassVar[Literal["bfloat16"]] = "bfloat16"

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

    @at_place
    def train(self, out: Path) -> None:
        known = knowledge(self.data, self.drawings, self.photographs)
        unseen = self._unseen(known)
        features = _features(self, known, unseen) if self.semantics else None
        settings = {
            **SETTINGS,
            "classes": list(known.classes),
            "semantics": load(None).second.out_features if features else 0,
            "predicts": self.predicts,
        }
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        unet = build(**settings).to(self.place)
        self.translate([unet])
        adam = torch.optim.AdamW(
            [{"params": list(unet.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
        )
        batches = RowBatches([known.images, known.labels], self.batch_size, self.passes_at_once)
        training = Training(
            network=unet,
            optimizers={"adam": adam},
            batches=batches,
            cost=lambda net, batch, step: self.cost(net, batch, step, features),
            epochs=self.epochs,
            unseen=RowBatches([unseen.images, unseen.labels], self.batch_size),
            rate=functools.partial(one_cycle, warm_up=0.03),
            decay=functools.partial(warming, most=0.999),
        )
        average, seconds = training.run(self, out)
        scores = evaluate(ClassDiffusion(average), known)
        scores.append((f"training time on {self.hardware}", f"{seconds / 60:.0f} min"))
        about = ("class-diffusion", SUMMARY, self, scores, NOTES, data_summary(known))
        write_model(out, settings, average, model_card(*about, measured_on="training pictures"))

    def _unseen(self, known: Split) -> Split:
        """Pictures of the validation."""
        if self.photographs is not None:
            return known.some(UNSEEN)
        return load_split(self.data, "test").some(UNSEEN)

    def cost(self, unet: Any, batch: Any, step: Step, features: Features | None) -> torch.Tensor:
        """Loss of what is predicted of pictures at random times."""
        chosen, (pixels, labels) = batch
        place, generator = pixels.device, step.generator
        clean = (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        times = torch.randint(0, len(SIGNAL), (len(chosen),), generator=generator)
        noise = (
            torch.randn(clean.shape, generator=generator)
            .contiguous(memory_format=torch.channels_last)
            .to(place)
        )
        share = SIGNAL[times].view(-1, 1, 1, 1).to(place)
        semantics = features and features(chosen.cpu(), generator, unet.training).to(place)
        with self.casting():
            condition = unet.condition(labels, semantics)
            noisy = share.sqrt() * clean + (1 - share).sqrt() * noise
            predicted = unet(noisy, times.to(place), condition).float()
        velocity = share.sqrt() * noise - (1 - share).sqrt() * clean
        return hybrid_loss(predicted, noise if self.predicts == "epsilon" else velocity)


def hybrid_loss(predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The mean of L1 and L2 loss, a scalar (MMSemCom, eq. 17, with equal weights)."""
    error = predicted - wanted
    return (error.abs().mean() + error.square().mean()) / 2


def _features(recipe: ClassDiffusionRecipe, known: Split, unseen: Split) -> Features:
    """Image features of chosen pictures after the channel at a random SNR; a tenth of the rows is
    NaN (no features)."""
    network = load(None)
    tables = {}
    with torch.no_grad():
        for seen, images in ((True, known.images), (False, unseen.images)):
            tables[seen] = torch.cat(
                [
                    network.image_features(network.maps(part.float() / 255))
                    for part in images.split(500)
                ]
            )

    def draw(chosen: torch.Tensor, generator: torch.Generator, seen: bool) -> torch.Tensor:
        low, high = recipe.snr_db
        snr = low + (high - low) * torch.rand((), generator=generator)
        seed = torch.randint(2**31, (), generator=generator)
        with torch.no_grad():
            received_features = sent_features(
                tables[seen][chosen], at_snr(recipe.channel, float(snr)), Rng(int(seed))
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
