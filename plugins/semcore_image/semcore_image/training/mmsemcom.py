"""How the networks of MMSemCom and its learned baselines are trained: the settings. Each training is a module of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le
from pydantic import BeforeValidator

from semcore import ChannelModel, ComponentError, Recipe
from semcore_image.jscc.transport import ratio

Decibels = Annotated[float, Ge(-50), Le(100)]


@dataclass(frozen=True)
class TrainedOverChannel(Recipe):
    """A training in which what is sent meets the noise of a channel, any that is registered: gradients flow through it.

    Fields:
        data: folder of classes (train/<class>/ and test/<class>/, or <class>/ alone), or of CIFAR-10's binary version
        channel: what is trained over, for example channel.use=awgn; its `snr_db`, if it has one set, is drawn anew all
            the time
        snr_db: lowest and highest Es/N0 of the training, dB
        batch_size: pictures a step
        learning_rate: peak rate (AdamW)
        seed: seed of weights, order, augmentation and noise
        threads: CPU threads
    """

    data: str
    channel: ChannelModel
    snr_db: tuple[Decibels, Decibels] = (0.0, 23.0)
    batch_size: Annotated[int, Ge(8)] = 128
    learning_rate: float = 1.2e-3
    seed: int = 6
    threads: int = 1


@dataclass(frozen=True)
class LearnedCodecRecipe(TrainedOverChannel):
    """A codec from pixels to symbols and back, trained end to end for the least mean squared error.

    Fields:
        cbr: complex symbols per source value, as a number or as a fraction such as 1/12
        epochs: passes over the training pictures
    """

    stride: ClassVar[int] = 4
    cbr: Annotated[float, BeforeValidator(ratio), Ge(1 / 1000), Le(10)] = 0.083333
    epochs: Annotated[int, Ge(1)] = 30

    def check(self) -> None:
        if abs(self.latent - 6 * self.stride**2 * self.cbr) > 1e-3 or not self.latent:
            raise ComponentError(
                f"{type(self).__name__}.cbr must be a multiple of 1/{6 * self.stride**2}: a square of {self.stride} x "
                f"{self.stride} pixels becomes a whole number of real values"
            )

    @property
    def latent(self) -> int:
        """Real numbers for a square of pixels."""
        return round(6 * self.stride**2 * self.cbr)


@dataclass(frozen=True)
class DeepJSCCRecipe(LearnedCodecRecipe):
    """Trains the transport deepjscc, one network for all SNRs.

    Fields:
        width: channels of the residual blocks
        blocks: residual blocks of each half
    """

    cites: ClassVar[tuple[str, ...]] = ("bourtsoulatze2019deep", "xu2022wireless", "krizhevsky2009learning")

    width: Annotated[int, Ge(4)] = 96
    blocks: Annotated[int, Ge(1)] = 5

    def train(self, out: Path) -> None:
        from semcore_image.jscc.deepjscc import DeepJscc
        from semcore_image.training.jscc import Card, train

        settings = {"latent": self.latent, "width": self.width, "blocks": self.blocks}
        about = "Convolutional joint source-channel coding on 4 x 4 squares, ten residual blocks modulated by the SNR."
        train(self, out, DeepJscc, settings, Card("deepjscc", about))


@dataclass(frozen=True)
class WITTRecipe(LearnedCodecRecipe):
    """Trains the transport witt, Swin transformers with channel modulation.

    Fields:
        widths: channels of each stage
        depths: Swin blocks of each stage
        heads: attention heads of each stage
        window: side of the windows of attention, positions
    """

    cites: ClassVar[tuple[str, ...]] = ("yang2023witt", "krizhevsky2009learning")

    epochs: Annotated[int, Ge(1)] = 4
    widths: tuple[Annotated[int, Ge(4)], ...] = (32, 96)
    depths: tuple[Annotated[int, Ge(1)], ...] = (1, 4)
    heads: tuple[Annotated[int, Ge(1)], ...] = (2, 6)
    window: Annotated[int, Ge(2)] = 4

    def train(self, out: Path) -> None:
        from semcore_image.jscc.witt import Witt
        from semcore_image.training.jscc import Card, train

        settings = {
            "latent": self.latent,
            "widths": self.widths,
            "depths": self.depths,
            "heads": self.heads,
            "window": self.window,
        }
        train(self, out, Witt, settings, Card("witt", "Swin transformers with channel modulation networks, small."))


@dataclass(frozen=True)
class LaMoSCRecipe(LearnedCodecRecipe):
    """Trains the transport lamosc, which fuses the picture with what mini-caption says of it.

    Fields:
        width: channels
        blocks: residual blocks of each half
    """

    cites: ClassVar[tuple[str, ...]] = ("zhao2024lamosc", "krizhevsky2009learning")

    epochs: Annotated[int, Ge(1)] = 6
    width: Annotated[int, Ge(4)] = 64
    blocks: Annotated[int, Ge(1)] = 4

    def train(self, out: Path) -> None:
        from semcore_image.jscc.lamosc import Lamosc
        from semcore_image.training.jscc import Card, described, train

        settings = {"latent": self.latent, "width": self.width, "blocks": self.blocks, "text": 128}
        about = "Visual features fused with the embedding of mini-caption's captions by attention, then one joint code."
        train(self, out, Lamosc, settings, Card("lamosc", about), described)


@dataclass(frozen=True)
class MultiSemRecipe(TrainedOverChannel):
    """Trains the added layers and the fusion of multisem, so that distances between features survive the channel.

    Fields:
        drawings: pictures of the source `samples` to learn from, a class
        photographs: training photographs to learn from, a class; null: all
        epochs: passes over the pictures
        backbone: `small`, trained along; or a model of timm, for example resnet50, which stays as it is
        backbone_weights: safetensors file of that model, of which the classifier is left out; null: random
        size: side at which the backbone sees pictures, pixels
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
            raise ComponentError("MultiSemRecipe.backbone_weights are those of a model of timm; name it under `backbone`")
        if self.backbone == "small" and self.size % 8:
            raise ComponentError(f"MultiSemRecipe.size must be a multiple of 8 for the small backbone, not {self.size}")

    def train(self, out: Path) -> None:
        from semcore_image.training.multisem import train

        train(self, out)


@dataclass(frozen=True)
class ClassDiffusionRecipe(TrainedOverChannel):
    """Trains the generator class-diffusion, by default nearly by heart: the knowledge base that both ends share.

    With `photographs: null` and few epochs it learns what pictures of a class look like, and with `semantics: true` to
    draw the one that received image features speak of.

    Fields:
        drawings: pictures of the source `samples` in the knowledge base, a class
        photographs: training photographs in it, a class; null: all
        semantics: whether it is told the image features of multisem, with the noise of the channel
        epochs: rounds, each of `passes_at_once` over the pictures and ended by a checkpoint
        passes_at_once: passes over the pictures a round
        predicts: what the network predicts and the loss compares: `epsilon`, the noise (eq. 17), or `v_prediction`, the
            velocity, which speaks of the picture even where there is almost only noise, and learns by heart sooner
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
        from semcore_image.training.class_diffusion import train

        train(self, out)
