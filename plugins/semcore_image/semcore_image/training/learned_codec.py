"""Recipes of learned codecs: end-to-end training over a range of SNRs."""

from __future__ import annotations

import abc
import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge, Le
from pydantic import BeforeValidator

from semcore import ChannelModel, ComponentError, Rng
from semcore.training import (
    RowBatches,
    Step,
    Training,
    at_place,
    at_snrs,
    by_row,
    drawn_db,
    has_snr,
    one_cycle,
    warming,
    write_model,
)
from semcore_image.jscc.network import JsccNetwork, PictureNetwork
from semcore_image.jscc.transport import ratio
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import load_split
from semcore_image.training.over_channel import TrainedOverChannel

GROUPS = 8
"""SNRs per batch, one from each eighth of the range."""
UNKNOWN_SNR_DB = 10.0
"""What the encoder assumes of a channel that does not know its SNR, as transports do."""
MEASURED = (0.0, 4.0, 7.0, 10.0, 16.0, 22.0)


@dataclass(frozen=True)
class CodecRecipe(TrainedOverChannel, abc.ABC):
    """End-to-end training of a codec from pixels to symbols and back.

    Fields:
        epochs: passes over the training pictures
    """

    cpu_dtype: ClassVar[Literal["bfloat16"]] = "bfloat16"
    watches: ClassVar[str] = "psnr"
    better: ClassVar[Literal["lower", "higher"]] = "higher"

    epochs: Annotated[int, Ge(1)] = 30

    @property
    def side(self) -> int:
        """Side of the pictures, pixels."""
        return 32

    @abc.abstractmethod
    def fresh(self) -> PictureNetwork:
        """The network before training; its first weights follow from the seed."""

    @abc.abstractmethod
    def config(self) -> Mapping[str, Any]:
        """What config.json holds."""

    @abc.abstractmethod
    def title(self) -> tuple[str, str]:
        """The heading of the model card, and the sentences below it."""

    def text(self, images: torch.Tensor) -> torch.Tensor | None:
        """Text embeddings float32 (B, D) to fuse with pictures uint8 (B, 3, H, W), or None."""
        return None

    def cost(self, images: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        """The loss of a batch, a scalar."""
        return (decoded - images).square().mean()

    @at_place
    def train(self, out: Path) -> None:
        split = load_split(self.data, "train", self.side)
        network = self.fresh().to(self.place).to(memory_format=torch.channels_last)
        average = copy.deepcopy(network)
        if self.compile:
            network.translate()
        texts = self._embeddings(split.images)
        adam = torch.optim.AdamW(
            [{"params": list(network.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
        )
        training = Training(
            network=network,
            optimizers={"adam": adam},
            batches=RowBatches([split.images], self.batch_size),
            cost=lambda net, batch, step: self._through(net, batch[1][0], texts(batch[0]), step),
            epochs=self.epochs,
            measure=self.quick,
            rate=functools.partial(one_cycle, warm_up=0.03),
            decay=functools.partial(warming, most=0.999),
            average=average,
        )
        average, seconds = training.run(self, out)
        self._write(out, average, data_summary(split), seconds)

    def _through(
        self, network: PictureNetwork, pixels: torch.Tensor, text: torch.Tensor | None, step: Step
    ) -> torch.Tensor:
        """Loss of a batch over the channel."""
        count, generator = len(pixels), step.generator
        mirrored = (torch.rand(count, 1, 1, 1, generator=generator) < 0.5).to(pixels.device)
        images = torch.where(mirrored, pixels.flip(3), pixels).float() / 255
        images = images.contiguous(memory_format=torch.channels_last)
        snrs = drawn_db(self.snr_db, min(GROUPS, count), generator)
        with self.casting():
            decoded = through(network, self.channel, images, snrs, step.rng, text)
        return self.cost(images, decoded)

    def _write(self, out: Path, average: PictureNetwork, data: str, seconds: float) -> None:
        """Measure, and write weights and card."""
        low, high = self.snr_db
        snrs = [snr for snr in MEASURED if low <= snr <= high] or [low, high]
        where = "at Es/N0 {:g} dB" if has_snr(self.channel) else "over the channel as it is"
        scores = [
            (
                f"PSNR of the dataset-mean MSE / per-image mean {where.format(snr)}, dB",
                f"{dataset:.2f} / {image:.2f}",
            )
            for snr, (dataset, image) in self.measure(average, snrs).items()
        ]
        uses = average.uses((self.side, self.side))
        scores.append(
            (
                "complex channel uses per picture (CBR)",
                f"{uses} ({Fraction(uses, 3 * self.side**2).limit_denominator(1000)})",
            )
        )
        scores.append(
            (
                f"training time on {self.hardware}",
                f"{seconds / 60:.0f} min",
            )
        )
        title, about = self.title()
        notes = (
            f"Pictures of {self.side}x{self.side} pixels. SNR is Es/N0 of a complex symbol; "
            "pictures are compared as 8-bit values. Both ends know the SNR."
        )
        card = model_card(title, about, self, scores, notes, data)
        write_model(out, self.config(), average, card)

    def _embeddings(self, images: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor | None]:
        """Look-up of the text embeddings of chosen pictures; all are computed once."""
        with torch.no_grad():
            parts = [self.text(part) for part in images.split(500)]
        known = [part for part in parts if part is not None]
        if not known:
            return lambda chosen: None
        table = torch.cat(known)
        return lambda chosen: table[chosen.cpu()].to(self.place)

    @torch.no_grad()
    def measure(
        self, network: PictureNetwork, snrs_db: Sequence[float], limit: int | None = None
    ) -> dict[float, tuple[float, float]]:
        """SNR -> PSNR of the mean squared error over unseen pictures, and mean of their PSNRs
        (8-bit pictures). A channel without an SNR to set is measured once."""
        test = load_split(self.data, "test", self.side).images
        test = test[:: max(1, len(test) // limit)] if limit else test  # includes every class
        scores = {}
        for snr in snrs_db if has_snr(self.channel) else snrs_db[:1]:
            errors = []
            for number, part in enumerate(test.split(500)):
                images, text = part.to(self.place).float() / 255, self.text(part)
                rng = Rng(1).at("measure", number)
                text = None if text is None else text.to(self.place)
                decoded = through(network, self.channel, images, [snr], rng, text)
                pixels = (decoded.clamp(0, 1) * 255).round().cpu()
                errors.append((pixels - part).square().mean((1, 2, 3)))
            error = torch.cat(errors).double()
            scores[snr] = (
                _psnr(error.mean()),
                float((10 * torch.log10(255**2 / error.clamp(min=1e-3))).mean()),
            )
        return scores

    def quick(self, network: PictureNetwork) -> dict[str, float]:
        """PSNR of the mean squared error over some unseen pictures, for the log: at both ends and
        in the middle of the range, and their mean."""
        low, high = self.snr_db
        measured = self.measure(network, (low, (low + high) / 2, high), 500)
        by_snr = {f"psnr at {snr:g} dB": dataset for snr, (dataset, _) in measured.items()}
        named = by_snr if has_snr(self.channel) else {}
        return {**named, "psnr": sum(by_snr.values()) / len(by_snr)}


@dataclass(frozen=True)
class LearnedCodecRecipe(CodecRecipe, abc.ABC):
    """End-to-end training of a codec on patches, on the mean squared error.

    Fields:
        cbr: complex symbols per source value, as a number or as a fraction such as 1/12
    """

    name: ClassVar[str]
    """Name of the codec and its recipe."""
    about: ClassVar[str]
    """Description of the network, for its model card."""
    network: ClassVar[type[JsccNetwork]]
    stride: ClassVar[int] = 4
    cbr: Annotated[float, BeforeValidator(ratio), Ge(1 / 1000), Le(10)] = 0.083333

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

    def fresh(self) -> PictureNetwork:
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        return self.network(**self.architecture)

    def config(self) -> Mapping[str, Any]:
        return self.architecture

    def title(self) -> tuple[str, str]:
        return f"{self.name}, CBR {Fraction(self.cbr).limit_denominator(1000)}", self.about


def through(
    network: PictureNetwork,
    channel: ChannelModel,
    images: torch.Tensor,
    snrs_db: Sequence[float],
    rng: Rng,
    text: torch.Tensor | None = None,
) -> torch.Tensor:
    """Encode, transmit and decode pictures (B, 3, H, W); equal parts of the batch at each SNR.

    The encoder gets that SNR; where the channel has none to set, its mean, or 10 dB.
    """
    assumed = by_row(snrs_db, len(images))
    if not has_snr(channel):
        mean = channel.mean_snr_db()
        assumed = torch.full_like(assumed, UNKNOWN_SNR_DB if mean is None else mean)
    symbols = network.encode(images, assumed.to(images.device), text)
    received, noise_var = at_snrs(channel, symbols, snrs_db, rng)
    return network.decode(received, noise_var, (images.shape[2], images.shape[3]))


def _psnr(error: torch.Tensor) -> float:
    return float(10 * torch.log10(255**2 / error))
