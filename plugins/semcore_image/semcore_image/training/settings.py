"""How the shipped mini models are trained: `semcore train mini-clip data=... --out DIR`.

Here stand the settings alone; each training is a module of its own, imported when it begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from semcore import Recipe
from semcore_image.models.digests import check_written


@dataclass(frozen=True)
class MiniClipRecipe(Recipe):
    """Trains mini-clip, a conv net for 32×32 pictures and a character-level text encoder that survives misspelling.

    Fields:
        data: folder of classes (train/<class>/ and test/<class>/, or <class>/ alone), or of CIFAR-10's binary version
        epochs: passes over the training pictures
        batch_size: pictures a step
        text_batch_size: captions a step, at most batch_size
        learning_rate: peak rate of the convolutions (SGD with Nesterov momentum)
        text_learning_rate: peak rate of the text tower and the projections (AdamW)
        max_noise: highest share of damaged characters in training captions
        seed: seed of weights, order, augmentation and noise
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("radford2021learning", "krizhevsky2009learning")

    data: str
    epochs: int = 9
    batch_size: int = 512
    text_batch_size: int = 128
    learning_rate: float = 0.4
    text_learning_rate: float = 2e-3
    max_noise: float = 0.3
    seed: int = 1
    threads: int = 2

    def train(self, out: Path) -> None:
        from semcore_image.training.mini_clip import train

        train(self, out)


@dataclass(frozen=True)
class MiniCaptionRecipe(Recipe):
    """Trains mini-caption, a decoder that describes what the frozen image tower of mini-clip sees.

    Fields:
        data: folder of classes (train/<class>/ and test/<class>/, or <class>/ alone), or of CIFAR-10's binary version
        epochs: passes over the training pictures
        batch_size: pictures a step
        learning_rate: peak rate (AdamW)
        prompted: share of training sentences that answer a prompt
        knowledge: captions in the knowledge base
        seed: seed of weights and order
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2023visual", "krizhevsky2009learning")

    data: str
    epochs: int = 3
    batch_size: int = 256
    learning_rate: float = 1e-3
    prompted: float = 0.4
    knowledge: int = 5000
    seed: int = 5
    threads: int = 2

    def train(self, out: Path) -> None:
        from semcore_image.training.mini_caption import train

        train(self, out)


@dataclass(frozen=True)
class MiniVaeRecipe(Recipe):
    """Trains the autoencoder of mini-diffusion, 32×32 pictures to 8×8 latents of eight channels and back.

    Fields:
        data: folder of classes (train/<class>/ and test/<class>/, or <class>/ alone), or of CIFAR-10's binary version
        epochs: passes over the training pictures
        batch_size: pictures a step
        learning_rate: peak rate (AdamW)
        kl_weight: weight of the Kullback-Leibler term, a nat of it against the mean squared error of a pixel
        seed: seed of weights, order, augmentation and posterior samples
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("rombach2022high", "krizhevsky2009learning")

    data: str
    epochs: int = 2
    batch_size: int = 64
    learning_rate: float = 2e-3
    kl_weight: float = 3e-6
    seed: int = 2
    threads: int = 2

    def train(self, out: Path) -> None:
        from semcore_image.training.mini_vae import train

        train(self, out)


@dataclass(frozen=True)
class MiniDiffusionRecipe(Recipe):
    """Trains mini-diffusion, a latent denoiser that reads the characters of a caption by cross-attention.

    Fields:
        data: folder of classes (train/<class>/ and test/<class>/, or <class>/ alone), or of CIFAR-10's binary version
        epochs: passes over the training pictures
        batch_size: pictures a step
        learning_rate: peak rate (AdamW)
        dropped: share of captions replaced by the empty text, for classifier-free guidance
        noisy: share of captions with damaged characters
        max_noise: highest share of damaged characters in those
        vae: folder that the recipe `mini-vae` wrote, whose latents are learnt and which is kept beside the weights; null: the
            shipped autoencoder
        seed: seed of weights, order, noise and time steps
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("rombach2022high", "ho2022classifier", "krizhevsky2009learning")

    data: str
    epochs: int = 9
    batch_size: int = 128
    learning_rate: float = 1e-3
    dropped: float = 0.12
    noisy: float = 0.1
    max_noise: float = 0.15
    seed: int = 4
    threads: int = 2
    vae: str | None = None

    def check(self) -> None:
        check_written(self, "vae", self.vae)

    def train(self, out: Path) -> None:
        from semcore_image.training.mini_diffusion import train

        train(self, out)


@dataclass(frozen=True)
class MiniClassifierRecipe(Recipe):
    """Trains mini-classifier, the judge of generated pictures, of another architecture and seed than mini-clip.

    Each stage ends the training at its epoch as if that were the last, the next one warms up again and goes on.

    Fields:
        data: folder of classes (train/<class>/ and test/<class>/, or <class>/ alone), or of CIFAR-10's binary version
        stages: passes over the training pictures at the end of each stage, ascending
        batch_size: pictures a step
        learning_rate: peak rate (SGD with Nesterov momentum)
        seed: seed of weights, order and augmentation
        threads: CPU threads
    """

    cites: ClassVar[tuple[str, ...]] = ("he2016deep", "krizhevsky2009learning")

    data: str
    stages: tuple[int, ...] = (10, 16, 22)
    batch_size: int = 256
    learning_rate: float = 0.3
    seed: int = 3
    threads: int = 2

    def train(self, out: Path) -> None:
        from semcore_image.training.mini_classifier import train

        train(self, out)
