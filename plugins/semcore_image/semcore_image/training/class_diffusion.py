"""Recipe of class-diffusion: a denoiser of pixels, told of the class and, if asked for, of noisy semantics."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler

from semcore.rng import Rng
from semcore.training.loop import at_snr, descend, one_cycle, run_epochs, set_rate, warming, write_model
from semcore_image.mmsemcom.networks import load
from semcore_image.mmsemcom.sampling import SCHEDULE, ClassDiffusion
from semcore_image.mmsemcom.unet import build
from semcore_image.sources.drawings import DRAWINGS
from semcore_image.sources.samples import SamplePictures
from semcore_image.training.data import Split, load_split
from semcore_image.training.mmsemcom import ClassDiffusionRecipe
from semcore_image.training.pictures import learnt_from, model_card

SETTINGS: dict[str, Any] = {
    "size": 32,
    "patch": 4,
    "widths": [96, 128],
    "attention": [0, 4],
    "told": 128,
}
DRAWN_BY = 1
"""Seed of the drawings in the knowledge base, that of the source `samples`."""


UNTOLD = 0.1
"""Share of pictures whose features are not told, so that the class alone is enough, too."""


def train(recipe: ClassDiffusionRecipe, out: Path) -> None:
    """Train into `out`: checkpoints, then config.json, model.safetensors and the model card."""
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)  # initial weights only; everything later has its own generator
    learnt = knowledge(recipe.data, recipe.drawings, recipe.photographs)
    images, labels = learnt.images, learnt.labels
    features = _features(recipe, images) if recipe.semantics else None
    semantics = load(None).second.out_features if features else 0
    settings = {**SETTINGS, "classes": list(learnt.classes), "semantics": semantics, "predicts": recipe.predicts}
    unet = build(**settings)
    average = copy.deepcopy(unet).eval()
    adam = torch.optim.AdamW(
        [{"params": list(unet.parameters()), "peak": recipe.learning_rate}], lr=1.0, betas=(0.9, 0.99), weight_decay=1e-4
    )
    kept = UniPCMultistepScheduler(**SCHEDULE).alphas_cumprod
    steps = max(recipe.passes_at_once * len(images) // recipe.batch_size, 1)

    def run_epoch(epoch: int) -> dict[str, float]:
        generator = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)
        order = torch.cat([torch.randperm(len(images), generator=generator) for _ in range(recipe.passes_at_once)])
        total = 0.0
        for step in range(steps):
            done = epoch * steps + step
            set_rate(adam, one_cycle(done, recipe.epochs * steps, warm_up=0.03))
            chosen = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            clean = (images[chosen].float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            times = torch.randint(0, len(kept), (len(chosen),), generator=generator)
            noise = torch.randn(clean.shape, generator=generator).contiguous(memory_format=torch.channels_last)
            share = kept[times].view(-1, 1, 1, 1)
            told = features and features(chosen, generator)
            with torch.autocast("cpu", torch.bfloat16):
                condition = unet.condition(labels[chosen], told)
                predicted = unet(share.sqrt() * clean + (1 - share).sqrt() * noise, times, condition).float()
            velocity = share.sqrt() * noise - (1 - share).sqrt() * clean
            loss = hybrid_loss(predicted, noise if recipe.predicts == "epsilon" else velocity)
            total += descend(loss, adam, unet, average, warming(done, 0.999))
            if step % 50 == 0:
                print(epoch, step, f"{loss.item():.4f}", flush=True)
        return {"loss": total / steps}

    seconds = run_epochs(recipe, out, recipe.epochs, {"unet": unet, "average": average}, {"adam": adam}, run_epoch)
    average.half().float()  # what is measured is what is shipped: float16 weights
    scores = evaluate(ClassDiffusion(average), learnt)
    scores.append((f"training time on {recipe.threads} CPU thread(s)", f"{seconds / 60:.0f} min"))
    about = ("class-diffusion", SUMMARY, recipe, scores, NOTES, learnt_from(learnt))
    write_model(out, settings, average, model_card(*about, measured_on="learnt pictures"))


def hybrid_loss(predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """The mean of L1 and L2 loss, a scalar (MMSemCom, eq. 17, with equal weights)."""
    error = predicted - wanted
    return (error.abs().mean() + error.square().mean()) / 2


def knowledge(data: str, drawings: int, photographs: int | None, size: int = 32) -> Split:
    """The pictures to learn, of each class the first drawings of the source `samples`, where it has that class, and the
    first photographs: uint8 (N, 3, size, size)."""
    split = load_split(data, "train", size)
    first = [(split.labels == label).nonzero().flatten()[:photographs] for label in range(len(split.classes))]
    chosen = torch.cat(first)
    wanted = SamplePictures(limit=max(1, drawings * len(DRAWINGS)), size=(size, size), seed=DRAWN_BY).samples()
    drawn = [one for one in wanted if one.label in split.classes] if drawings else []
    if not drawn:
        return replace(split, images=split.images[chosen], facts=split.facts[chosen])
    pictures = [torch.from_numpy(np.ascontiguousarray(one.image.transpose(2, 0, 1))) for one in drawn if one.image is not None]
    labels = torch.tensor([split.classes.index(one.label) for one in drawn if one.label])
    facts = torch.cat((torch.stack((labels, *[torch.full_like(labels, -1)] * 2), 1), split.facts[chosen]))
    origin = f"{split.origin}, {len(drawn):,} of them drawings of the source `samples`"
    return Split(torch.cat((torch.stack(pictures), split.images[chosen])), facts, split.classes, origin)


def _features(recipe: ClassDiffusionRecipe, images: torch.Tensor) -> Callable[[torch.Tensor, torch.Generator], torch.Tensor]:
    """The image features of chosen pictures as they arrive over the channel at some SNR; a row in ten is NaN, not told."""
    from semcore_image.training.multisem import sent

    network = load(None)
    with torch.no_grad():
        known = torch.cat([network.image_features(network.maps(part.float() / 255)) for part in images.split(500)])

    def draw(chosen: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        low, high = recipe.snr_db
        snr, seed = low + (high - low) * torch.rand((), generator=generator), torch.randint(2**31, (), generator=generator)
        with torch.no_grad():
            heard = sent(known[chosen], at_snr(recipe.channel, float(snr)), Rng(int(seed)))
        untold = torch.rand(len(chosen), 1, generator=generator) < UNTOLD
        return torch.where(untold, torch.nan, heard)

    return draw


@torch.no_grad()
def evaluate(model: ClassDiffusion, learnt: Split, count: int = 500) -> list[tuple[str, str]]:
    """How near the best of `count` pictures of a class comes to pictures it has learnt."""
    best, images, labels = [], learnt.images, learnt.labels
    for label in range(len(learnt.classes)):
        noise = torch.randn(count, *model.shape, generator=torch.Generator().manual_seed(label))
        drawn = torch.cat([model.sample(torch.full((len(part),), label), part) for part in noise.split(125)])
        known = images[labels == label][:: max(1, int((labels == label).sum()) // 20)][:20].float() / 255
        errors = torch.cdist(known.flatten(1), drawn.flatten(1)).square().amin(1) / known[0].numel()
        best.append(-10 * errors.clamp(min=1e-6).log10())
    return [(f"PSNR of the best of {count} to a learnt picture, mean over classes, dB", f"{torch.cat(best).mean():.2f}")]


SUMMARY = (
    "The denoiser of MMSemCom in small: a U-Net on squares of 4x4 pixels, two residual blocks a stage, attention in the "
    "deeper ones, hybrid L1 and L2 loss (as eq. 17), sampled by UniPC in 40 steps."
)
NOTES = "Pictures of 32×32 pixels."
