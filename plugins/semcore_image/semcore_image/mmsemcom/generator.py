"""The generator of MMSemCom: thousands of pictures per class, generated once and cached."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from semcore import (
    LRU,
    Candidates,
    ComponentError,
    Features,
    Generator,
    KnowledgeBase,
    Pictures,
    Rng,
    Semantics,
    Stream,
    digest,
    say,
    source_digest,
    user_cache,
)
from semcore.media import MAX_DRAWN
from semcore_image.mmsemcom.features import FUSED, IMAGE, TEXT, UsesMultiSem
from semcore_image.models.digests import (
    check_written,
    classes_of,
    mini_digest,
    not_here,
    written,
)
from semcore_image.pixels import check_drawn, from_tensor, resized

if TYPE_CHECKING:
    from semcore_image.mmsemcom.sampling import ClassDiffusion

Count = Annotated[int, Ge(1)]
SHIPPED = ("class-diffusion", "class-diffusion-open")
FIRST, LARGEST = 5, 125
"""Size of the first part of a set and of the largest parts: a few candidates cost little, many are
batched."""
SETS_BYTES = 2**28
"""Memory for sets that later calls may use again."""


@dataclass(frozen=True)
class ClassDiffusionGenerator(UsesMultiSem, Generator):
    """Generates pictures of the received class by pixel-space diffusion, for a selector to choose
    from.

    The class is decided from the received features: from text features by the nearest prompt, from
    others by a trained layer. If nothing arrived, the candidates are spread over all classes.
    Pictures are denoised by UniPC from Gaussian noise addressed by run seed, class and number.

    The candidates of a class are generated once for all samples, SNRs and pipelines. They are
    stored in parts in the user cache (`$SEMCORE_SHELF`, else ~/.cache/semcore), so that generation
    can be interrupted, and processes that need the same set share the work.

    With `steer: image` the received image features condition the sampling: each sample has its own
    candidates, and few are enough. This needs weights trained with features, such as
    `class-diffusion-open`.

    Fields:
        weights: `class-diffusion`, which has nearly memorised its 480 pictures;
            `class-diffusion-open`, trained on all of CIFAR-10; or a folder written by the recipe
            `class-diffusion`
        candidates: pictures per sample, p
        steps: denoising steps, T
        steer: `image`: condition the sampling on the received image features; `none`: on the class
            only
        guidance: scale of classifier-free guidance towards the features, with `steer`; 1: as
            trained
        half: whether the network computes in bfloat16, which is faster and changes the last bits
        size: (height, width) of the pictures; if not those of the network, they are resampled
            (bicubic)
    """

    reference: ClassVar[str] = "MMSemCom, section III-B1, eq. 15-19, Fig. 4"
    cites: ClassVar[tuple[str, ...]] = (
        "liang2024image",
        "zhao2023unipc",
        "krizhevsky2009learning",
        "ho2022classifier",
    )
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {
        TEXT: (Features,),
        IMAGE: (Features,),
        FUSED: (Features,),
    }
    caches_itself: ClassVar[bool] = True
    test_settings = (
        {"candidates": 3, "steps": 2},
        {"candidates": 2, "steps": 2, "steer": "image", "weights": "class-diffusion-open"},
    )

    weights: str = "class-diffusion"
    candidates: Annotated[int, Ge(1), Le(MAX_DRAWN)] = 5000
    steps: Count = 40
    steer: Literal["none", "image"] = "none"
    guidance: Annotated[float, Ge(0)] = 1.0
    half: bool = True
    size: tuple[Count, Count] | None = None

    def check(self) -> None:
        super().check()
        check_drawn(f"{type(self).__name__}.candidates", self.candidates, self.size or (32, 32))
        shipped = self.weights if self.weights in SHIPPED else ""
        folder = None if shipped else self.weights
        check_written(self, "weights", folder)
        self.check_classes(folder, shipped)
        count, names = classes_of(folder, shipped)
        feature_count, feature_names = classes_of(self.features, "multisem")
        differ = bool(names and feature_names) and names != feature_names
        if count and feature_count and (count != feature_count or differ):
            mine, theirs = (", ".join((one or ())[:20]) for one in (names, feature_names))
            raise ComponentError(
                f"{type(self).__name__}.weights have {count} classes ({mine}), and the features "
                f"{feature_count} ({theirs}): both must be trained on the same classes"
            )

    def missing(self) -> str:
        own = not_here("weights", None if self.weights in SHIPPED else self.weights)
        return own or super().missing()

    def identity(self) -> Any:
        """The digests of the weights."""
        return [super().identity(), self._weights_digest]

    @property
    def _weights_digest(self) -> str:
        """Digest of the weights, the source and the libraries, which all determine a cached set."""
        shipped = self.weights in SHIPPED
        weights = mini_digest(self.weights) if shipped else written(self.weights)
        return digest(weights, source_digest(type(self)))

    @functools.cached_property
    def _net(self) -> ClassDiffusion:
        from semcore_image.mmsemcom.sampling import load

        net = load(self.weights)
        if self.steer == "image" and net.unet.semantics != self.network.second.out_features:
            raise ComponentError(
                f"{type(self).__name__}.steer: the weights {self.weights} were trained with "
                f"{net.unet.semantics} features, not with {self.network.second.out_features}: use "
                "class-diffusion-open, or train others"
            )
        return net

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [self._candidates(one, rng) for one in batch]

    def _candidates(self, one: Semantics, rng: Rng) -> Candidates:
        label, classes = self.class_of(one), self._net.unet.classes
        features = self.received(one).get(IMAGE) if self.steer == "image" else None
        if features is not None:
            images, origin = self._steered(label, features, rng.at(one.key)), ""
        elif label is not None:
            images, origin = self._set(label % classes, self.candidates, rng.root())
        else:
            each = -(-self.candidates // classes)
            sets = [self._set(label, each, rng.root()) for label in range(classes)]
            images = np.stack([images for images, _ in sets], axis=1).reshape(
                -1, *sets[0][0].shape[1:]
            )[: self.candidates]
            origin = digest([origin for _, origin in sets])
        if self.size is not None and images.shape[1:3] != self.size:
            images = np.stack([resized(image, self.size) for image in images])
        return Candidates(
            Pictures(one.key, one.user, images, origin and digest(origin, images.shape))
        )

    def _set(self, label: int, count: int, root: Rng) -> tuple[np.ndarray, str]:
        """The first `count` pictures of a class, uint8 (count, H, W, 3), and the digest of what
        they were made from."""
        import torch

        # The number of threads changes the order of floating-point sums, so it is part of the key.
        settings = (label, self.steps, self.half, torch.get_num_threads())
        made_from = digest("candidates", self._weights_digest, *settings, root.integer())
        rng = root.at("candidates", label)
        known = self._sets.of(
            made_from,
            lambda: self._put_together(made_from, label, count, rng),
            lambda images: len(images) >= count,
        )
        return known[:count], made_from

    def _put_together(self, made_from: str, label: int, count: int, rng: Rng) -> np.ndarray:
        """The parts of a set, from the user cache as far as they are there: uint8 (n, H, W, 3), n
        >= count."""
        parts = list(_parts(count))
        keys = [digest(made_from, start, stop) for start, stop in parts]
        store, drawn = user_cache(), dict[int, np.ndarray]()
        # Processes start at different parts and check the cache first, so that together they
        # generate each part about once.
        first = os.getpid() % len(parts)
        for index in (*range(first, len(parts)), *range(first)):
            if (part := store.get(keys[index])) is None:
                part = self._drawn(label, range(*parts[index]), rng)
                store.put(keys[index], part)
            drawn[index] = part
            say(min(sum(map(len, drawn.values())), count), count, "candidates")
        return np.concatenate([drawn[index] for index in range(len(parts))])

    @functools.cached_property
    def _sets(self) -> LRU[np.ndarray]:
        return LRU(size=SETS_BYTES, size_of=lambda images: images.nbytes)

    def _drawn(
        self, label: int, numbers: range, rng: Rng, features: np.ndarray | None = None
    ) -> np.ndarray:
        """The pictures of a class with these numbers, uint8 (len(numbers), H, W, 3)."""
        import torch

        noise = torch.stack(
            [torch.randn(self._net.shape, generator=rng.at(number).torch()) for number in numbers]
        )
        semantics = (
            None if features is None else torch.from_numpy(features).expand(len(numbers), -1)
        )
        labels = torch.full((len(numbers),), label)
        return np.stack(
            from_tensor(
                self._net.sample(labels, noise, self.steps, semantics, self.guidance, self.half)
            )
        )

    def _steered(self, label: int | None, features: np.ndarray, rng: Rng) -> np.ndarray:
        known = self._net.unet.classes if label is None else label
        parts = (
            range(start, min(stop, self.candidates)) for start, stop in _parts(self.candidates)
        )
        drawn = []
        for part in parts:
            drawn.append(self._drawn(known, part, rng, features))
            say(min(part.stop, self.candidates), self.candidates, "candidates")
        return np.concatenate(drawn)


def _parts(count: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the parts of the first `count` pictures; a larger set starts with the same
    parts."""
    start, size = 0, FIRST
    while start < count:
        yield start, start + size
        start, size = start + size, min(5 * size, LARGEST)
