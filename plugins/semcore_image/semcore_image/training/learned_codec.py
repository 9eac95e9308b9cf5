"""Recipes of learned codecs: end-to-end training over a range of SNRs."""

from __future__ import annotations

import abc
import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from pydantic import BeforeValidator

from semcore import ChannelModel, ComponentError, Rng
from semcore.training import (
    at_snrs,
    by_row,
    descend,
    drawn_db,
    one_cycle,
    run_epochs,
    set_rate,
    warming,
    write_model,
)
from semcore_image.jscc.network import JsccNetwork
from semcore_image.jscc.transport import ratio
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import load_split
from semcore_image.training.over_channel import TrainedOverChannel

GROUPS = 8
"""SNRs per batch, one from each eighth of the range."""

NOTES = (
    "Pictures of 32x32 pixels. SNR is Es/N0 of a complex symbol; pictures are compared as 8-bit "
    "values. Both ends know the SNR."
)
MEASURED = (0.0, 4.0, 7.0, 10.0, 16.0, 22.0)


@dataclass(frozen=True)
class LearnedCodecRecipe(TrainedOverChannel, abc.ABC):
    """End-to-end training of a codec from pixels to symbols and back, on the mean squared error.

    Fields:
        cbr: complex symbols per source value, as a number or as a fraction such as 1/12
        epochs: passes over the training pictures
    """

    name: ClassVar[str]
    """Name of the codec and its recipe."""
    about: ClassVar[str]
    """Description of the network, for its model card."""
    network: ClassVar[type[JsccNetwork]]
    stride: ClassVar[int] = 4
    cbr: Annotated[float, BeforeValidator(ratio), Ge(1 / 1000), Le(10)] = 0.083333
    epochs: Annotated[int, Ge(1)] = 30

    def check(self) -> None:
        if abs(self.latent - 6 * self.stride**2 * self.cbr) > 1e-3 or not self.latent:
            raise ComponentError(
                f"{type(self).__name__}.cbr must be a multiple of 1/{6 * self.stride**2}: a "
                f"patch of {self.stride} x {self.stride} pixels becomes a whole number of real "
                "values"
            )

    @property
    def latent(self) -> int:
        """Real values per patch."""
        return round(6 * self.stride**2 * self.cbr)

    @property
    @abc.abstractmethod
    def architecture(self) -> dict[str, Any]:
        """Settings of the network, as config.json holds them."""

    def text(self, images: torch.Tensor) -> torch.Tensor | None:
        """Text embeddings float32 (B, D) to fuse with pictures uint8 (B, 3, H, W), or None."""
        return None

    def train(self, out: Path) -> None:
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        split = load_split(self.data, "train")
        network = self.network(**self.architecture).to(memory_format=torch.channels_last)
        average = copy.deepcopy(network).eval()
        texts = self._embeddings(split.images)
        adam = torch.optim.AdamW(
            [{"params": list(network.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
        )
        steps = max(len(split) // self.batch_size, 1)

        def run_epoch(epoch: int) -> dict[str, float]:
            generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
            order = torch.randperm(len(split), generator=generator)
            total = 0.0
            for step in range(steps):
                done = epoch * steps + step
                set_rate(adam, one_cycle(done, self.epochs * steps, warm_up=0.03))
                chosen = order[step * self.batch_size : (step + 1) * self.batch_size]
                images = split.images[chosen].float() / 255
                images = torch.where(
                    torch.rand(len(chosen), 1, 1, 1, generator=generator) < 0.5,
                    images.flip(3),
                    images,
                )
                images = images.contiguous(memory_format=torch.channels_last)
                snrs = drawn_db(self.snr_db, GROUPS, generator)
                with torch.autocast("cpu", torch.bfloat16):
                    decoded = through(
                        network, self.channel, images, snrs, Rng(self.seed).at(done), texts(chosen)
                    )
                loss = (decoded - images).square().mean()
                total += descend(loss, adam, network, average, warming(done, 0.999))
                if step % 50 == 0:
                    print(epoch, step, f"{loss.item():.5f}", flush=True)
            return {"loss": total / steps, **self.quick(average)}

        seconds = run_epochs(
            self,
            out,
            self.epochs,
            {"network": network, "average": average},
            {"adam": adam},
            run_epoch,
        )
        average.half().float()  # the shipped weights are float16, so these are measured
        scores = [
            (
                f"PSNR of the dataset-mean MSE / per-image mean at Es/N0 {snr:g} dB, dB",
                f"{dataset:.2f} / {image:.2f}",
            )
            for snr, (dataset, image) in self.measure(average, MEASURED).items()
        ]
        scores.append((f"training time on {self.threads} CPU thread(s)", f"{seconds / 60:.0f} min"))
        title = f"{self.name}, CBR {Fraction(self.cbr).limit_denominator(1000)}"
        write_model(
            out,
            self.architecture,
            average,
            model_card(title, self.about, self, scores, NOTES, data_summary(split)),
        )

    def _embeddings(self, images: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor | None]:
        """Look-up of the text embeddings of chosen pictures; all are computed once."""
        with torch.no_grad():
            parts = [self.text(part) for part in images.split(500)]
        known = [part for part in parts if part is not None]
        if not known:
            return lambda chosen: None
        table = torch.cat(known)
        return lambda chosen: table[chosen]

    @torch.no_grad()
    def measure(
        self, network: JsccNetwork, snrs_db: Sequence[float], limit: int | None = None
    ) -> dict[float, tuple[float, float]]:
        """SNR -> PSNR of the mean squared error over unseen pictures, and mean of their PSNRs
        (8-bit pictures)."""
        test = load_split(self.data, "test").images
        test = test[:: max(1, len(test) // limit)] if limit else test  # includes every class
        scores = {}
        for snr in snrs_db:
            errors = []
            for number, part in enumerate(test.split(500)):
                images = part.float() / 255
                rng = Rng(1).at("measure", number)
                decoded = through(network, self.channel, images, [snr], rng, self.text(part))
                pixels = (decoded.clamp(0, 1) * 255).round()
                errors.append((pixels - part).square().mean((1, 2, 3)))
            error = torch.cat(errors).double()
            scores[snr] = (
                _psnr(error.mean()),
                float((10 * torch.log10(255**2 / error.clamp(min=1e-3))).mean()),
            )
        return scores

    def quick(self, network: JsccNetwork) -> dict[str, float]:
        """PSNR of the mean squared error over some unseen pictures, for the log."""
        measured = self.measure(network, (4.0, 10.0, 22.0), 500)
        return {f"{snr:g}dB": dataset for snr, (dataset, _) in measured.items()}


def through(
    network: JsccNetwork,
    channel: ChannelModel,
    images: torch.Tensor,
    snrs_db: Sequence[float],
    rng: Rng,
    text: torch.Tensor | None = None,
) -> torch.Tensor:
    """Encode, transmit and decode pictures (B, 3, H, W); equal parts of the batch at each SNR."""
    symbols = network.encode(images, by_row(snrs_db, len(images)), text)
    received, noise_var = at_snrs(channel, symbols, snrs_db, rng)
    return network.decode(received, noise_var, (images.shape[2], images.shape[3]))


def _psnr(error: torch.Tensor) -> float:
    return float(10 * torch.log10(255**2 / error))
