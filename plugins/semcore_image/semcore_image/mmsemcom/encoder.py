"""The transmitter of MMSemCom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from semcore import Features, KnowledgeBase, Sample, SemanticEncoder, Semantics, Stream
from semcore_image.mmsemcom.features import FUSED, IMAGE, TEXT, UsesMultiSem
from semcore_image.pixels import image_of, resized, to_tensor


@dataclass(frozen=True)
class MultiSemEncoder(UsesMultiSem, SemanticEncoder):
    """Features of a picture and of its CLIP prompts, separate or fused by attention.

    `send: both` emits the streams `text` (n_text x d_text) and `image` (d_image), for the selector
    `sequential`; `send: fused` the stream `fused` (d_fusion), for `simultaneous`; `send: image`
    only `image`, the paper's ablation without CLIP.

    Eq. 11 is implemented as follows: candidate prompts come in lists, one per prompt that is sent
    (class, colour, background), and the most probable prompt of each list is sent. The n_text most
    probable prompts of a single list could all mean the same.

    The shipped weights use a small network at 32 x 32 pixels (d_image = 32, d_fusion = 64, d_text =
    128); for ResNet-50 set `features` to a folder that the recipe `multisem` wrote.

    Fields:
        send: features to send
    """

    reference: ClassVar[str] = "MMSemCom, section III-A, eq. 8-14"
    cites: ClassVar[tuple[str, ...]] = ("liang2024image", "he2016deep", "radford2021learning")
    test_settings = ({"send": "both"}, {"send": "fused"}, {"send": "image"})

    send: Literal["both", "fused", "image"] = "both"

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        names = {"both": (TEXT, IMAGE), "fused": (FUSED,), "image": (IMAGE,)}
        return dict.fromkeys(names[self.send], Features)

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [self._encode(sample) for sample in samples]

    def _encode(self, sample: Sample) -> Semantics:
        features = self.features_of([image_of(sample, self)])._asdict()
        streams = {name: Features(features[name][0]) for name in self.streams}
        return Semantics(sample.id, streams, sample.user)

    def views(self, sample: Sample) -> dict[str, np.ndarray]:
        """Attention maps of the prompts over the picture (Fig. 5): prompt -> uint8 (H, W, 3)."""
        import torch

        if self.send == "image":
            return {}
        picture = image_of(sample, self)
        chosen = self.chosen([picture])
        with torch.inference_mode():
            maps = self.network.maps(to_tensor([picture], self.network.size))
            _, weights = self.network.fused(maps, torch.from_numpy(self.text_features(chosen)))
        words = [prompts[index] for prompts, index in zip(self.lists, chosen[0], strict=True)]
        maps_of = zip(words, weights[0].numpy(), strict=True)
        return {word: _overlay(picture, weight) for word, weight in maps_of}


def _overlay(picture: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The picture, darkened where the attention is low: uint8 (H, W, 3)."""
    shares = (weights / max(float(weights.max()), 1e-12) * 255).astype(np.uint8)
    large = resized(np.repeat(shares[:, :, None], 3, axis=2), (picture.shape[0], picture.shape[1]))
    return (picture * (0.15 + 0.85 * large / 255)).astype(np.uint8)
