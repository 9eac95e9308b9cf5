"""Similarity of identity by ArcFace, the network used in the paper, with weights supplied by the
user."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from semcore import RunError, path_digest
from semcore_video.licences import ARCFACE
from semcore_video.metrics.faces import CSIM
from semcore_video.metrics.pairs import METHOD
from semcore_video.paper import PAPER

if TYPE_CHECKING:
    import torch

SIDE = 112
"""Side of the network's input picture, pixels."""
PLACES = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ],
    np.float32,
)
"""Positions of eyes, tip of the nose and mouth corners in the network's input, pixels (Deng et al.,
2019)."""
EYES, NOSE, MOUTH = (slice(36, 42), slice(42, 48)), 30, (48, 54)
"""The same points among the 68 landmarks."""
REMEDY = (
    "set `weights` to the state of a backbone of insightface's arcface_torch (r18, r34, r50 or "
    "r100: github.com/deepinsight/insightface, recognition/arcface_torch) as safetensors"
)


@dataclass(frozen=True)
class ArcFaceCSIM(CSIM):
    """Cosine similarity of identity by ArcFace, at most 1; different people are near 0.

    Faces are aligned by five points as in the training of the network. Otherwise as `csim`.

    Errors: RunError if the weights are missing, or belong to another network.

    Fields:
        weights: file with the state of the backbone, safetensors
    """

    licences: ClassVar[tuple[str, ...]] = (ARCFACE, *CSIM.licences)
    reference: ClassVar[str] = f"J. Deng et al., ArcFace, CVPR 2019; {PAPER}, equation 24"
    cites: ClassVar[tuple[str, ...]] = ("deng2019arcface", *CSIM.cites)

    method: ClassVar[str] = f"network=arcface,{METHOD},lost=0,excess=0"

    weights: str = ""

    def missing(self) -> str:
        exists = bool(self.weights) and Path(self.weights).expanduser().is_file()
        return "" if exists else f"weights: there is no file {self.weights!r}; {REMEDY}"

    def embed(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        import torch

        network, face = _network(self.weights, path_digest(self.weights)), aligned(picture, points)
        with torch.inference_mode():
            pixels = torch.from_numpy(face.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)
            found: torch.Tensor = network(pixels[None])
        return found[0].numpy().astype(np.float64)


def aligned(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The aligned face in a picture uint8 (H, W, 3) with 68 landmarks, the input of the network:
    uint8 (112, 112, 3)."""
    from semcore_video.face.opencv import cv2

    five = np.stack(
        [
            *(points[eye].mean(0) for eye in EYES),
            points[NOSE],
            *(points[corner] for corner in MOUTH),
        ]
    )
    # Least-squares rotation, scale and shift, in complex numbers.
    source, target = five @ (1, 1j), np.array(PLACES) @ (1, 1j)
    rotation = (
        np.vdot(source - source.mean(), target - target.mean())
        / np.square(np.abs(source - source.mean())).sum()
    )
    shift = target.mean() - rotation * source.mean()
    matrix = np.array(
        [[rotation.real, -rotation.imag, shift.real], [rotation.imag, rotation.real, shift.imag]],
        np.float32,
    )
    return cv2.warpAffine(
        np.ascontiguousarray(picture), matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR
    )


@functools.lru_cache(maxsize=2)
def _network(weights: str, content: str) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from semcore_video.metrics.iresnet import IResNet

    place = Path(weights).expanduser()
    if not weights or not place.is_file():
        raise RunError(f"csim-arcface: there is no file {weights!r}; {REMEDY}")
    try:
        state = load_file(place)
        depths = []
        for layer in ("layer1.", "layer2.", "layer3.", "layer4."):
            blocks = {name.split(".")[1] for name in state if name.startswith(layer)}
            depths.append(len(blocks))
        network = IResNet(tuple(depths))
        network.load_state_dict({name: values.float() for name, values in state.items()})
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise RunError(
            f"csim-arcface: {place} is not an ArcFace backbone ({reason}); {REMEDY}"
        ) from error
    return network.eval().requires_grad_(False)
