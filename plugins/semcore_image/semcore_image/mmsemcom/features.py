"""Features of MMSemCom, computed at both ends, and the class of received features."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from semcore import (
    LRU,
    Candidates,
    ComponentError,
    Features,
    Pictures,
    Semantics,
    device,
    digest,
    named_files,
    placed,
    source_digest,
    user_cache,
)
from semcore_image.mmsemcom.prompts import prompts
from semcore_image.models.clip import UsesClip
from semcore_image.models.digests import (
    check_written,
    classes_of,
    mini_digest,
    not_here,
    written,
)
from semcore_image.pixels import to_tensor

if TYPE_CHECKING:
    from semcore_image.mmsemcom.networks import MultiSem

TEXT, IMAGE, FUSED = "text", "image", "fused"
"""Names of the streams: F_text of eq. 11, F_image of eq. 8, F_fused of eq. 14."""
CHUNK = 250
"""Candidates whose features are computed, and cached, together."""
SETS = 8
"""Candidate sets whose features are kept in memory."""


class FeatureSet(NamedTuple):
    """Features of pictures: float32 (n, n_text, d_text), (n, d_image) and (n, d_fusion)."""

    text: np.ndarray
    image: np.ndarray
    fused: np.ndarray


@dataclass(frozen=True)
class UsesMultiSem(UsesClip):
    """A component that computes the features of MMSemCom.

    `model` and the settings after it are those of CLIP, which chooses the prompts.

    Fields:
        features: folder written by the recipe `multisem`; null: the shipped weights, trained with
            mini-clip
        prompts: lists of candidate prompts; one prompt of each list is sent. The first list names
            the classes, in the order of the generator. null: the lists of mini-clip (class; colour;
            background)
    """

    features: str | None = None
    prompts: tuple[tuple[str, ...], ...] | None = None

    def check(self) -> None:
        super().check()
        if self.prompts is not None and not (self.prompts and all(self.prompts)):
            raise ComponentError(
                f"{type(self).__name__}.prompts must be lists with at least one prompt each"
            )
        check_written(self, "features", self.features)
        if self.features or self.model == "mini":
            self.check_classes(self.features, "multisem")

    def check_classes(self, folder: str | None, shipped: str) -> None:
        """Refuse prompts whose classes are not those of the weights.

        Raises:
            ComponentError: the first list names more, fewer or other classes, or another order
        """
        count, names = classes_of(folder, shipped)
        given = self.prompts[0] if self.prompts else ()
        if not given or not count:
            return
        where = f"{type(self).__name__}.prompts"
        listed = f" ({', '.join(names[:20])})" if names else ""
        known = f"the weights {folder or shipped} know {count} classes{listed}"
        if len(given) != count:
            raise ComponentError(f"{where} names {len(given)} classes, and {known}")
        for number, (prompt, name) in enumerate(zip(given, names or given, strict=True)):
            if names and name.casefold() not in prompt.casefold():
                wrong = f"prompt {number} of the first list, {prompt!r}, does not name {name!r}"
                raise ComponentError(f"{where}: {known}; {wrong}")

    def missing(self) -> str:
        return not_here("features", self.features) or super().missing()

    def identity(self) -> Any:
        """The digests of the weights."""
        return [
            super().identity(),
            written(self.features) if self.features else mini_digest("multisem"),
        ]

    @property
    def lists(self) -> tuple[tuple[str, ...], ...]:
        """The lists of candidate prompts."""
        return self.prompts or prompts(classes_of(self.features, "multisem")[1])

    @functools.cached_property
    def network(self) -> MultiSem:
        """The trained network; loaded on first use."""
        from semcore_image.mmsemcom.networks import load

        self.check_classes(self.features, "multisem")
        return load(self.features)

    @functools.cached_property
    def prompt_embeddings(self) -> list[np.ndarray]:
        """CLIP embeddings of the prompts of each list, float32 (prompts, d_text)."""
        return [self.clip.texts(one) for one in self.lists]

    def chosen(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Index of the most probable prompt of each list for each picture (eq. 10, 11): int64 (n,
        lists)."""
        embeddings = self.clip.images(pictures)
        indices = [(embeddings @ prompts.T).argmax(1) for prompts in self.prompt_embeddings]
        return np.stack(indices, axis=1)

    def text_features(self, chosen: np.ndarray) -> np.ndarray:
        """F_text of eq. 11 for the chosen prompts, float32 (n, n_text, d_text)."""
        return np.stack(
            [prompts[chosen[:, index]] for index, prompts in enumerate(self.prompt_embeddings)],
            axis=1,
        )

    def features_of(self, pictures: Sequence[np.ndarray]) -> FeatureSet:
        """The features of pictures uint8 (H, W, 3)."""
        import torch

        text = self.text_features(self.chosen(pictures))
        with torch.inference_mode():
            maps = self.network.maps(to_tensor(pictures, self.network.size))
            image = self.network.image_features(maps).numpy()
            fused = self.network.fused(maps, torch.from_numpy(text))[0].numpy()
        return FeatureSet(text, image, fused)

    def candidate_features(self, candidates: Candidates) -> FeatureSet:
        """The features of all candidates; those of a cached set are cached as well."""
        if not candidates.origin:
            return self._compute(candidates)
        key = candidates.origin, len(candidates.samples)
        return self._cached.of(key, lambda: self._compute(candidates))

    @functools.cached_property
    def _cached(self) -> LRU[FeatureSet]:
        return LRU(SETS)

    def _compute(self, candidates: Candidates) -> FeatureSet:
        if not isinstance(candidates.samples, Pictures):
            return self.features_of(
                [sample.image for sample in candidates.samples if sample.image is not None]
            )
        images = candidates.samples.images
        parts = [images[first : first + CHUNK] for first in range(0, len(images), CHUNK)]
        if not candidates.origin:
            sets = [self.features_of(list(part)) for part in parts]
        else:
            who = [source_digest(type(self)), named_files(self), self.identity(), self.lists]
            keys = [digest("multisem", who, part) for part in parts]

            def compute(missing: Sequence[int]) -> list[tuple[np.ndarray, ...]]:
                return [tuple(self.features_of(list(parts[index]))) for index in missing]

            sets = [FeatureSet(*one) for one in user_cache().each("features", keys, compute)]
        return FeatureSet(*(np.concatenate(arrays) for arrays in zip(*sets, strict=True)))

    def received(self, semantics: Semantics) -> dict[str, np.ndarray]:
        """The streams that arrived with the expected shape: name -> float32."""
        wanted: Mapping[str, tuple[int, ...]] = {
            TEXT: (len(self.lists), self.prompt_embeddings[0].shape[1]),
            IMAGE: (self.network.second.out_features,),
            FUSED: (self.network.text.out_features,),
        }
        found = {}
        for name, shape in wanted.items():
            stream = semantics.streams.get(name)
            if isinstance(stream, Features) and stream.values.shape == shape:
                found[name] = np.nan_to_num(stream.values).clip(-1e6, 1e6)
        return found

    def class_of(self, semantics: Semantics) -> int | None:
        """The class of the received features, an index into the first list of prompts; None:
        nothing arrived.

        From text features, the class of the nearest prompt; otherwise the output of a trained
        layer.
        """
        import torch

        got = self.received(semantics)
        if TEXT in got:
            return int((self.prompt_embeddings[0] @ got[TEXT][0]).argmax())
        for name in (FUSED, IMAGE):
            if name in got:
                features = torch.from_numpy(got[name])[None]
                with torch.inference_mode():
                    read = placed(self.network.reading[name])
                    return int(read(features.to(device())).argmax())
        return None
