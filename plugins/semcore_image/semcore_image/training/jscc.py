"""Recipe of the learned codecs: pictures through network, channel and network, over a range of SNRs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import torch

from semcore.interfaces import ChannelModel
from semcore.rng import Rng
from semcore.training.loop import at_snrs, by_row, descend, drawn_db, one_cycle, run_epochs, set_rate, warming, write_model
from semcore_image.jscc.network import JsccNetwork
from semcore_image.models.weights import load_mini
from semcore_image.training.data import load_split
from semcore_image.training.mmsemcom import LearnedCodecRecipe, TrainedOverChannel
from semcore_image.training.pictures import learnt_from, model_card

GROUPS = 8
"""SNRs in a batch: one out of each eighth of the range, so that every step sees all of it."""

Text = Callable[[torch.Tensor], torch.Tensor]
"""Pictures uint8 (B, 3, H, W) -> embeddings float32 (B, D)."""


@dataclass(frozen=True)
class Card:
    """What a model card says of a codec: its name, which is that of its recipe, too, and a sentence on it."""

    name: str
    about: str


def train(
    recipe: LearnedCodecRecipe,
    out: Path,
    build: Callable[..., JsccNetwork],
    settings: dict[str, Any],
    card: Card,
    text: Text | None = None,
) -> None:
    """Train into `out`: checkpoints, then config.json, model.safetensors and the model card."""
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)  # initial weights only; everything later has its own generator
    split = load_split(recipe.data, "train")
    network = build(**settings).to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    read = _reader(split.images, text)
    adam = torch.optim.AdamW(
        [{"params": list(network.parameters()), "peak": recipe.learning_rate}], lr=1.0, betas=(0.9, 0.99), weight_decay=1e-4
    )
    steps = max(len(split) // recipe.batch_size, 1)

    def run_epoch(epoch: int) -> dict[str, float]:
        generator = torch.Generator().manual_seed(recipe.seed * 1000 + epoch)
        order = torch.randperm(len(split), generator=generator)
        total = 0.0
        for step in range(steps):
            done = epoch * steps + step
            set_rate(adam, one_cycle(done, recipe.epochs * steps, warm_up=0.03))
            chosen = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            images = split.images[chosen].float() / 255
            images = torch.where(torch.rand(len(chosen), 1, 1, 1, generator=generator) < 0.5, images.flip(3), images)
            images = images.contiguous(memory_format=torch.channels_last)
            snrs = drawn_db(recipe.snr_db, GROUPS, generator)
            with torch.autocast("cpu", torch.bfloat16):
                decoded = through(network, recipe.channel, images, snrs, Rng(recipe.seed).at(done), read(chosen))
            loss = (decoded - images).square().mean()
            total += descend(loss, adam, network, average, warming(done, 0.999))
            if step % 50 == 0:
                print(epoch, step, f"{loss.item():.5f}", flush=True)
        return {"loss": total / steps, **quick(average, recipe, text)}

    seconds = run_epochs(recipe, out, recipe.epochs, {"network": network, "average": average}, {"adam": adam}, run_epoch)
    average.half().float()  # what is measured is what is shipped: float16 weights
    scores = [
        (f"PSNR of the dataset-mean MSE / per-image mean at Es/N0 {snr:g} dB, dB", f"{dataset:.2f} / {image:.2f}")
        for snr, (dataset, image) in measure(average, recipe, MEASURED, text=text).items()
    ]
    scores.append((f"training time on {recipe.threads} CPU thread(s)", f"{seconds / 60:.0f} min"))
    title = f"{card.name}, CBR {Fraction(recipe.cbr).limit_denominator(1000)}"
    write_model(out, settings, average, model_card(title, card.about, recipe, scores, NOTES, learnt_from(split)))


def described(images: torch.Tensor) -> torch.Tensor:
    """What mini-caption says of pictures uint8 (B, 3, H, W), as mini-clip reads it: float32 (B, 128)."""
    return load_mini("mini-clip").encode_text(load_mini("mini-caption").caption(images))


NOTES = (
    "Pictures of 32x32 pixels. SNR is Es/N0 of a complex symbol; pictures are compared as 8-bit values. "
    "Both ends are told the SNR."
)
MEASURED = (0.0, 4.0, 7.0, 10.0, 16.0, 22.0)


def through(
    network: JsccNetwork,
    channel: ChannelModel,
    images: torch.Tensor,
    snrs_db: Sequence[float],
    rng: Rng,
    text: torch.Tensor | None = None,
) -> torch.Tensor:
    """Pictures (B, 3, H, W) over the channel, as many equal parts of the batch at as many SNRs; (B, 3, H, W)."""
    symbols = network.encode(images, by_row(snrs_db, len(images)), text)
    heard, noise_var = at_snrs(channel, symbols, snrs_db, rng)
    return network.decode(heard, noise_var, (images.shape[2], images.shape[3]))


def _reader(images: torch.Tensor, text: Text | None) -> Callable[[torch.Tensor], torch.Tensor | None]:
    """The text embedding of chosen pictures, computed once for all."""
    if text is None:
        return lambda chosen: None
    with torch.no_grad():
        known = torch.cat([text(part) for part in images.split(500)])
    return lambda chosen: known[chosen]


@torch.no_grad()
def measure(
    network: JsccNetwork,
    recipe: TrainedOverChannel,
    snrs_db: Sequence[float],
    limit: int | None = None,
    text: Text | None = None,
) -> dict[float, tuple[float, float]]:
    """SNR -> PSNR of the mean error of unseen pictures and mean of their PSNRs, as 8-bit pictures."""
    test = load_split(recipe.data, "test").images
    test = test[:: max(1, len(test) // limit)] if limit else test  # of every class
    scores = {}
    for snr in snrs_db:
        errors = []
        for number, part in enumerate(test.split(500)):
            images = part.float() / 255
            rng = Rng(1).at("measure", number)
            decoded = through(network, recipe.channel, images, [snr], rng, text(part) if text else None)
            pixels = (decoded.clamp(0, 1) * 255).round()
            errors.append((pixels - part).square().mean((1, 2, 3)))
        error = torch.cat(errors).double()
        scores[snr] = (_psnr(error.mean()), float((10 * torch.log10(255**2 / error.clamp(min=1e-3))).mean()))
    return scores


def quick(network: JsccNetwork, recipe: TrainedOverChannel, text: Text | None) -> dict[str, float]:
    """The dataset-mean PSNR of a few unseen pictures, for the log."""
    return {f"{snr:g}dB": dataset for snr, (dataset, _) in measure(network, recipe, (4.0, 10.0, 22.0), 500, text).items()}


def _psnr(error: torch.Tensor) -> float:
    return float(10 * torch.log10(255**2 / error))
