"""Recipe of multisem: features that retrieve their picture within its class after a noisy channel.

The paper does not say how its added layers are trained. Their purpose is retrieval: among thousands
of pictures of a class, find the one nearest to the picture that the features describe. The loss is
therefore a retrieval loss: the features of a picture pass through the channel and must rank the
pictures of its class by pixel distance. The target is a distribution that decreases with the pixel
distance; cross-entropy between it and the softmax of the negative feature distances trains both the
image features (eq. 8) and the fused ones (eq. 14). Noise that swaps the order of distances raises
the loss, so distances grow until the power constraint bounds them. A second cross-entropy trains
the classification of features at the receiver.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
import torch.nn.functional as F
from annotated_types import Ge
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from semcore import ChannelModel, ComponentError, Rng, RunError
from semcore.training import (
    DrawnBatches,
    Step,
    Training,
    at_place,
    at_snr,
    one_cycle,
    warming,
    write_model,
)
from semcore_image.mmsemcom.networks import Backbone, MultiSem, TimmBackbone, build
from semcore_image.mmsemcom.prompts import prompts
from semcore_image.models.weights import load_mini
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import UNSEEN, Split, load_split
from semcore_image.training.knowledge import knowledge
from semcore_image.training.over_channel import Decibels, TrainedOverChannel, sent_features

SETTINGS: dict[str, Any] = {
    "positions": 4,
    "inner": 256,
    "d_image": 32,
    "d_text": 128,
    "d_fusion": 64,
    "heads": 4,
}
BACKBONE = {"inner": 64, "width": 64}
CLASS_WEIGHT = {"image": 0.1, "fused": 0.5}
"""Weight of the classification loss relative to the retrieval loss."""
Batch = dict[str, Any]
"""Tensors of a step by name, and its SNR in dB."""
SHARPNESS = 60.0
"""Decrease of the log target with the mean squared error of pixels in -1..1, nat per unit."""


@dataclass(frozen=True)
class MultiSemRecipe(TrainedOverChannel):
    """Trains multisem, so that distances between features survive the channel.

    Fields:
        drawings: pictures of the source `samples` per class
        photographs: training photographs per class; null: all
        epochs: passes over the pictures
        backbone: `small`, trained jointly; or a model of timm, for example resnet50, which is
            frozen
        backbone_weights: safetensors file of that model, read without its classifier; null: random
        size: side of the input of the backbone, pixels
    """

    cites: ClassVar[tuple[str, ...]] = ("liang2024image", "he2016deep", "krizhevsky2009learning")

    snr_db: tuple[Decibels, Decibels] = (0.0, 20.0)
    batch_size: Annotated[int, Ge(8)] = 160
    learning_rate: float = 1e-3
    seed: int = 8
    drawings: Annotated[int, Ge(0)] = 100
    photographs: Annotated[int, Ge(1)] | None = 1500
    epochs: Annotated[int, Ge(1)] = 24
    backbone: str = "small"
    backbone_weights: str | None = None
    size: Annotated[int, Ge(16)] = 32

    def check(self) -> None:
        if self.backbone_weights and self.backbone == "small":
            raise ComponentError(
                "MultiSemRecipe.backbone_weights only apply to a model of timm; name it under "
                "`backbone`"
            )
        if self.backbone == "small" and self.size % 8:
            raise ComponentError(
                "MultiSemRecipe.size must be a multiple of 8 for the small backbone, not "
                f"{self.size}"
            )

    @at_place
    def train(self, out: Path) -> None:
        known = knowledge(self.data, self.drawings, self.photographs, self.size)
        unseen = load_split(self.data, "test", self.size).some(UNSEEN)
        config = {**_config(self), "classes": list(known.classes)}
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        network = build(**config)
        if self.backbone_weights:
            fill_backbone(network.backbone, self.backbone_weights)
        if self.backbone != "small":
            network.backbone.requires_grad_(False)
        network.to(self.place)
        self.translate([network.backbone])
        scale = nn.ParameterList([torch.tensor(0.0), torch.tensor(0.0)]).to(self.place)
        trained = [one for one in (*network.parameters(), *scale.parameters()) if one.requires_grad]
        adam = torch.optim.AdamW(
            [{"params": trained, "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.99),
            weight_decay=1e-4,
        )
        pictures, others = (_Pictures.of(one, self) for one in (known, unseen))
        training = Training(
            network=network,
            optimizers={"adam": adam},
            batches=pictures.batches(max(len(known) // self.batch_size, 1)),
            cost=lambda net, batch, step: self.cost(net, scale, batch, step),
            epochs=self.epochs,
            unseen=others.batches(len(known.classes)),
            rate=functools.partial(one_cycle, warm_up=0.03),
            decay=functools.partial(warming, most=0.999),
            more={"scale": scale},
        )
        average, seconds = training.run(self, out)
        scores = [
            (name, f"{value:.2f}")
            for name, value in evaluate(average, self, (0.0, 5.0, 10.0, 20.0)).items()
        ]
        scores.append((f"training time on {self.hardware}", f"{seconds / 60:.0f} min"))
        notes = f"Input pictures of {self.size}×{self.size} pixels."
        write_model(
            out,
            config,
            average,
            model_card(TITLE, SUMMARY, self, scores, notes, data_summary(known)),
        )

    def cost(
        self, network: MultiSem, scale: nn.ParameterList, batch: Batch, step: Step
    ) -> torch.Tensor:
        """Loss of retrieving pictures of a class, and of classifying others."""
        clean = batch["clean"].float() / 255
        clean = clean.flip(3) if step.done % 2 and network.training else clean
        perturbed = _perturbed(clean, batch["share"], batch["shift"], batch["noise"])
        channel = at_snr(self.channel, batch["snr_db"])
        with self.casting():
            loss = retrieval(network, scale, clean, perturbed, batch["texts"], channel, step.rng)
            maps = network.maps(batch["mixed"].float() / 255)
            both = {
                "image": network.image_features(maps),
                "fused": network.fused(maps, batch["mixed texts"])[0],
            }
            for name, features in both.items():
                received_features = sent_features(features, channel, step.rng.at("class", name))
                scores = network.reading[name](received_features).float()
                loss = loss + CLASS_WEIGHT[name] * F.cross_entropy(scores, batch["labels"])
        return loss


@dataclass(frozen=True, eq=False)
class _Pictures:
    """Pictures, of which each step takes some of one class, and others.

    Fields:
        images: uint8 (N, 3, size, size)
        labels: int64 (N,)
        texts: F_text, float32 (N, n_text, d_text)
        snr_db: lowest and highest of a step
        size: pictures of a class, and others
    """

    images: torch.Tensor
    labels: torch.Tensor
    texts: torch.Tensor
    snr_db: tuple[float, float]
    size: int

    @classmethod
    def of(cls, split: Split, recipe: MultiSemRecipe) -> _Pictures:
        """The pictures of a split, with the prompts that fit them best."""
        texts = texts_of(split.images, prompts(split.classes))
        return cls(split.images, split.labels, texts, recipe.snr_db, recipe.batch_size)

    def batches(self, count: int) -> DrawnBatches:
        """So many per epoch."""
        return DrawnBatches(self.draw, count, self.prepared)

    def draw(self, generator: torch.Generator) -> Batch:
        """All that is random in a batch."""
        classes = self.labels.unique()
        label = classes[int(torch.randint(0, len(classes), (), generator=generator))]
        same = (self.labels == label).nonzero().flatten()
        mine = same[torch.randperm(len(same), generator=generator)[: self.size]]
        count, form = len(mine), self.images.shape[1:]
        drawn = {
            "clean": mine,
            "share": torch.rand(count, 1, 1, 1, generator=generator) * 0.6,
            "shift": torch.randn(count, 3, 1, 1, generator=generator) * 0.02,
            "noise": torch.randn(count, *form, generator=generator) * 0.02,
        }
        low, high = self.snr_db
        snr_db = low + (high - low) * float(torch.rand((), generator=generator))
        mixed = torch.randint(0, len(self.images), (self.size,), generator=generator)
        return {**drawn, "snr_db": snr_db, "mixed": mixed}

    def prepared(self, drawn: Batch) -> Batch:
        """The pictures with their texts and labels."""
        mine, mixed = drawn["clean"], drawn["mixed"]
        return {
            **drawn,
            "clean": self.images[mine],
            "texts": self.texts[mine],
            "mixed": self.images[mixed],
            "mixed texts": self.texts[mixed],
            "labels": self.labels[mixed],
        }


def _config(recipe: MultiSemRecipe) -> dict[str, Any]:
    small = recipe.backbone == "small"
    backbone = BACKBONE if small else {"model": recipe.backbone}
    positions = recipe.size // 8 if small else 0
    return {
        "backbone": backbone,
        "size": [recipe.size, recipe.size],
        **SETTINGS,
        "positions": positions,
    }


def retrieval(
    network: MultiSem,
    scale: nn.ParameterList,
    clean: torch.Tensor,
    perturbed: torch.Tensor,
    texts: torch.Tensor,
    channel: ChannelModel,
    rng: Rng,
) -> torch.Tensor:
    """Cross-entropy of retrieving `clean` pictures, after the channel, among the `perturbed` ones,
    for both kinds of features."""
    count = len(clean)
    maps = network.maps(torch.cat((clean, perturbed)))
    errors = torch.cdist(clean.flatten(1), perturbed.flatten(1)).square() * (4 / clean[0].numel())
    wanted = F.softmax(-SHARPNESS * (errors - errors.amin(1, keepdim=True)), dim=1)
    loss = clean.new_zeros(())
    image, (fused, _) = network.image_features(maps), network.fused(maps, texts.repeat(2, 1, 1))
    for index, features in enumerate((image, fused)):
        received_features = sent_features(features[:count], channel, rng.at(index))
        near = -scale[index].exp() * torch.cdist(received_features, features[count:]).square()
        loss = loss - (wanted * F.log_softmax(near, dim=1)).sum(1).mean()
    return loss


def fill_backbone(backbone: Backbone, file: str) -> None:
    """Load a network of timm without its classifier.

    Raises:
        RunError: the weights in the file do not match the network
    """
    if not isinstance(backbone, TimmBackbone):
        raise RunError(
            "multisem: backbone_weights only apply to a model of timm; name it under `backbone`"
        )
    try:
        weights = load_file(Path(file).expanduser())
    except (OSError, SafetensorError) as error:
        raise RunError(f"multisem: {file} cannot be read as safetensors: {error}") from error
    classifier = backbone.net.pretrained_cfg.get("classifier") or "fc"
    layers = (classifier,) if isinstance(classifier, str) else classifier
    prefixes = tuple(f"{layer}." for layer in layers)
    weights = {name: value for name, value in weights.items() if not name.startswith(prefixes)}
    try:
        backbone.net.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        reason = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise RunError(
            f"multisem: the weights {file} do not match the backbone: {reason}"[:500]
        ) from error


def prompts_of(images: torch.Tensor, lists: Sequence[Sequence[str]]) -> torch.Tensor:
    """Index of the most probable prompt of each list for each picture, by mini-clip: int64 (N,
    lists)."""
    clip = load_mini("mini-clip")
    table = [clip.encode_text(list(group)) for group in lists]
    rows = []
    for part in images.split(500):
        if part.shape[2:] != (32, 32):
            part = F.interpolate(part.float() / 255, (32, 32), mode="area")
        embeddings = clip.encode_image(part)
        rows.append(torch.stack([(embeddings @ group.T).argmax(1) for group in table], dim=1))
    return torch.cat(rows)


def _perturbed(
    images: torch.Tensor, share: torch.Tensor, shift: torch.Tensor, noise: torch.Tensor
) -> torch.Tensor:
    """Pictures as a generator might reproduce them: slightly blurred, shifted in colour, noisy."""
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, 1)
    return (images + share * (soft - images) + shift + noise).clamp(0, 1)


@torch.no_grad()
def evaluate(
    network: MultiSem, recipe: MultiSemRecipe, snrs_db: Sequence[float], count: int = 40
) -> dict[str, float]:
    """PSNR of unseen photographs to the nearest training photograph of their class, by features at
    an SNR and by pixels."""
    known = knowledge(recipe.data, 0, 500, recipe.size)
    unseen = load_split(recipe.data, "test", recipe.size)
    lists = prompts(known.classes)
    totals: dict[str, list[torch.Tensor]] = {}
    for label in range(len(known.classes)):
        mine = unseen.images[unseen.labels == label][:count]
        theirs = known.images[known.labels == label]
        if not len(mine):
            continue
        one, other = mine.float() / 255, theirs.float() / 255
        errors = torch.cdist(one.flatten(1), other.flatten(1)).square() / one[0].numel()
        maps, more = network.maps(one), network.maps(other)
        texts, more_texts = texts_of(mine, lists), texts_of(theirs, lists)
        image, fused = network.image_features(maps), network.fused(maps, texts)[0]
        more_image, more_fused = network.image_features(more), network.fused(more, more_texts)[0]
        totals.setdefault("PSNR of the nearest of 500 by pixels, dB", []).append(errors.amin(1))
        both = (("image", image, more_image), ("fused", fused, more_fused))
        for (name, features, candidates), snr in itertools.product(both, snrs_db):
            received_features = sent_features(
                features, at_snr(recipe.channel, snr), Rng(1).at("found", label, name)
            )
            nearest = torch.cdist(received_features, candidates).argmin(1)
            by_features = f"PSNR of the nearest of 500 by {name} features at {snr:g} dB"
            totals.setdefault(by_features, []).append(errors.gather(1, nearest[:, None])[:, 0])
            predicted = network.reading[name](received_features).argmax(1)
            accuracy = f"class accuracy by {name} features at {snr:g} dB, %"
            totals.setdefault(accuracy, []).append((predicted == label).float())
    scores = {}
    for name, values in totals.items():
        one = torch.cat(values)
        percent = name.startswith("class")
        scores[name] = float(100 * one.mean() if percent else -10 * one.log10().mean())
    return scores


def texts_of(images: torch.Tensor, lists: Sequence[Sequence[str]]) -> torch.Tensor:
    """F_text of pictures by mini-clip, float32 (N, n_text, d_text)."""
    table = [load_mini("mini-clip").encode_text(list(group)) for group in lists]
    chosen = prompts_of(images, lists)
    return torch.stack([group[chosen[:, index]] for index, group in enumerate(table)], dim=1)


TITLE = "multisem"
SUMMARY = (
    "Small feature networks of MMSemCom: 32 image features by a small convolutional network in "
    "place of ResNet-50 (eq. 8), and 64 features fused with the prompts of mini-clip by "
    "cross-attention (eq. 12-14)."
)
