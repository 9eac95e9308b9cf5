"""Identity as ArcFace sees it: the network that the paper judges with, and weights that a user
names."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from semcore.errors import RunError
from semcore.fingerprint.content import fingerprint
from semcore_video.licences import ARCFACE
from semcore_video.metrics.faces import CSIM
from semcore_video.metrics.pairs import METHOD
from semcore_video.paper import PAPER

if TYPE_CHECKING:
    import torch

SIDE = 112
"""Of the picture that the network sees."""
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
"""Where the network wants eyes, tip of the nose and corners of the mouth, pixels of its picture
(Deng et al., 2019)."""
EYES, NOSE, MOUTH = (slice(36, 42), slice(42, 48)), 30, (48, 54)
"""The same places among the 68 landmarks."""
MEND = (
    "name the file of its weights under `weights`: the state of a backbone of insightface's "
    "arcface_torch (r18, r34, r50 or "
    "r100: github.com/deepinsight/insightface, recognition/arcface_torch) as safetensors"
)


@dataclass(frozen=True)
class ArcFaceCSIM(CSIM):
    """Cosine similarity of identity as ArcFace sees it, at most 1; strangers are near 0.

    Faces are turned and scaled by five points as the network was trained on. Otherwise as `csim`.

    Errors: RunError if the weights are not there, or are those of another network.

    Fields:
        weights: file with the state of the backbone, safetensors
    """

    licences: ClassVar[tuple[str, ...]] = (ARCFACE, *CSIM.licences)
    reference: ClassVar[str] = f"J. Deng et al., ArcFace, CVPR 2019; {PAPER}, equation 24"
    cites: ClassVar[tuple[str, ...]] = ("deng2019arcface", *CSIM.cites)

    method: ClassVar[str] = f"network=arcface,{METHOD},lost=0,excess=0"

    weights: str = ""

    def missing(self) -> str:
        there = bool(self.weights) and Path(self.weights).expanduser().is_file()
        return "" if there else f"weights: there is no file {self.weights!r}; {MEND}"

    def embedded(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        import torch

        network, face = _network(self.weights, fingerprint(self.weights)), aligned(picture, points)
        with torch.inference_mode():
            found: torch.Tensor = network(
                torch.from_numpy(face.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
            )
        return found[0].numpy().astype(np.float64)


def aligned(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The face in a picture uint8 (H, W, 3), with its 68 landmarks, as the network wants it: uint8
    (112, 112, 3)."""
    import cv2

    five = np.stack(
        [
            *(points[eye].mean(0) for eye in EYES),
            points[NOSE],
            *(points[corner] for corner in MOUTH),
        ]
    )
    # The rotation, scale and shift of least squares, as complex numbers.
    here, there = five @ (1, 1j), np.array(PLACES) @ (1, 1j)
    turn = (
        np.vdot(here - here.mean(), there - there.mean())
        / np.square(np.abs(here - here.mean())).sum()
    )
    shift = there.mean() - turn * here.mean()
    matrix = np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float32
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
        raise RunError(f"csim-arcface: {weights or 'no file'} is not there; {MEND}")
    try:
        state = load_file(place)
        blocks = [
            {name.split(".")[1] for name in state if name.startswith(f"layer{number}.")}
            for number in range(1, 5)
        ]
        network = IResNet(tuple(map(len, blocks)))
        network.load_state_dict({name: values.float() for name, values in state.items()})
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise RunError(
            f"csim-arcface: {place} holds no ArcFace backbone ({reason}); {MEND}"
        ) from error
    return network.eval().requires_grad_(False)
