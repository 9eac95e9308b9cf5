"""LSE-D and LSE-C: the distance of lips and speech as SyncNet sees them, with weights that the user
names."""

from __future__ import annotations

import abc
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from semcore.errors import RunError
from semcore.fingerprint.content import fingerprint
from semcore.interfaces import Record
from semcore.statistics.kinds import Mean, Statistic
from semcore_video.licences import SYNCNET
from semcore_video.metrics.face_metric import Judge
from semcore_video.resampling import resampled

if TYPE_CHECKING:
    import torch

FRAMES, SIDE, FARTHEST, RATE_HZ, FPS = 5, 224, 15, 16000, 25.0
"""Frames that the network sees at once, their side, the farthest lag in frames, and what it wants
of sound and picture."""
STEPS = 4
"""Rows of cepstral coefficients for a frame of video; 20 are seen with five frames."""
MEND = (
    "name the file of its weights under `weights`: the state of syncnet_v2.model "
    "(github.com/joonson/syncnet_python) as "
    "safetensors"
)


@dataclass(frozen=True)
class _SyncNet(Judge, abc.ABC):
    """Distances of lips and sound of the result, by SyncNet, at every lag.

    Fields:
        weights: file with the state of the network, safetensors
    """

    licences: ClassVar[tuple[str, ...]] = (SYNCNET, *Judge.licences)
    reference: ClassVar[str] = (
        "K. R. Prajwal et al., Wav2Lip, ACM MM 2020; J. S. Chung and A. Zisserman, ACCV Workshops "
        "2016"
    )
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "prajwal2020lip", "chung2016out")

    statistic: ClassVar[Statistic] = Mean(0.0)

    weights: str

    def missing(self) -> str:
        there = bool(self.weights) and Path(self.weights).expanduser().is_file()
        return "" if there else f"weights: there is no file {self.weights!r}; {MEND}"

    @property
    def signature(self) -> str:
        return (
            f"{type(self).__name__}|{self.version}|network=SyncNet-v2,frames=5,lags=15,{self.judge}"
        )

    def value(self, record: Record) -> float | None:
        result = record.result
        if result.video is None or result.audio is None or not result.sample_rate_hz:
            return None
        network, faces = (
            _network(self.weights, fingerprint(self.weights)),
            cropped(result.video, self.landmarks(result.video)),
        )
        seen = None if faces is None else faces[at_25_fps(len(faces), float(result.fps or FPS))]
        apart = (
            None if seen is None else distances(network, seen, result.audio, result.sample_rate_hz)
        )
        return None if apart is None else self.told(apart.mean(0))

    @abc.abstractmethod
    def told(self, mean: np.ndarray) -> float:
        """The value, of the mean distance at each lag (31,)."""


@dataclass(frozen=True)
class LSED(_SyncNet):
    """Lip-sync error, distance (LSE-D): the mean distance of lips and sound at the lag where it is
    least.

    None where the result lacks sound or a face.
    """

    better: ClassVar[str] = "lower"

    def told(self, mean: np.ndarray) -> float:
        return float(mean.min())


@dataclass(frozen=True)
class LSEC(_SyncNet):
    """Lip-sync error, confidence (LSE-C): by how much the best lag is nearer than the median of
    all.

    None where the result lacks sound or a face.
    """

    def told(self, mean: np.ndarray) -> float:
        return float(np.median(mean) - mean.min())


def distances(
    network: Any, faces: np.ndarray, audio: np.ndarray, sample_rate_hz: int
) -> np.ndarray | None:
    """Distances of lips and sound, float32 (T - 5, 31): of each moment, at lags of -15 to 15 frames
    of 40 ms.

    Where the sound is shorter than the picture, silence follows.

    Args:
        faces: uint8 (T, 224, 224, 3), 25 a second
        audio: float32 (S,)

    Returns:
        None if picture or sound is shorter than what the network looks at
    """
    import torch
    from python_speech_features import mfcc

    sound = resampled(audio, sample_rate_hz, RATE_HZ)
    sound = np.pad(sound, (0, max(round(len(faces) / FPS * RATE_HZ) - len(sound), 0)))
    rows = mfcc((sound.clip(-1, 1) * 32767).astype(np.int16), RATE_HZ).T.astype(np.float32)
    count = min(len(faces) - FRAMES, (rows.shape[1] - STEPS * FRAMES) // STEPS)
    if count < 1:
        return None
    with torch.inference_mode():
        pictures = torch.from_numpy(faces.transpose(3, 0, 1, 2).astype(np.float32))
        seen = torch.cat([network.lip(pictures[None, :, at : at + FRAMES]) for at in range(count)])
        spectra = torch.from_numpy(rows)
        heard = torch.cat(
            [
                network.aud(spectra[None, None, :, STEPS * at : STEPS * (at + FRAMES)])
                for at in range(count)
            ]
        )
        padded = torch.nn.functional.pad(heard, (0, 0, FARTHEST, FARTHEST))
        lags = [
            torch.nn.functional.pairwise_distance(seen, padded[lag : lag + count])
            for lag in range(2 * FARTHEST + 1)
        ]
    return torch.stack(lags, 1).numpy()


def at_25_fps(frames: int, fps: float) -> np.ndarray:
    """Which of the frames of a video is seen at each moment of one of 25 frames a second, as long:
    int64 (T,)."""
    count = max(round(frames / fps * FPS), 1)
    return np.minimum(((np.arange(count) + 0.5) * fps / FPS).astype(np.int64), frames - 1)


def cropped(video: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """The face of every frame in a square that follows it slowly, blue first as the network wants:
    uint8 (T, 224, 224, 3).

    Args:
        video: uint8 (T, H, W, 3)
        points: 68 landmarks, float32 (T, 68, 2), NaN without a face

    Returns:
        None if no frame has a face
    """
    import cv2

    there = np.isfinite(points[:, 0, 0])
    if not there.any():
        return None
    low, high = np.nanmin(points, 1), np.nanmax(points, 1)
    index, known = np.arange(len(points)), np.flatnonzero(there)
    box = np.stack(
        [np.interp(index, known, column[known]) for column in np.concatenate([low, high], 1).T], 1
    )
    box = cv2.blur(box.astype(np.float32), (1, 13), borderType=cv2.BORDER_REPLICATE)
    found = np.empty((len(video), SIDE, SIDE, 3), np.uint8)
    for cut, frame, (left, top, right, bottom) in zip(found, video, box, strict=True):
        half = 0.7 * max(right - left, bottom - top)
        x, y = (left + right) / 2 - half, (top + bottom) / 2 - half
        turned = np.array([[2 * half / SIDE, 0, x], [0, 2 * half / SIDE, y]], np.float32)
        cut[:] = cv2.warpAffine(
            frame, turned, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )[:, :, ::-1]
    return found


@functools.lru_cache(maxsize=2)
def _network(weights: str, content: str) -> Any:
    """SyncNet with its weights.

    Raises:
        RunError: the file is missing, or holds another network
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    place = Path(weights).expanduser()
    if not place.is_file():
        raise RunError(f"SyncNet: there is no {str(place)!r}; {MEND}")
    network = build()
    try:
        network.load_state_dict(load_file(place))
    except (SafetensorError, RuntimeError) as error:
        raise RunError(
            f"SyncNet: {place} does not hold its weights: {str(error).splitlines()[0]}; {MEND}"
        ) from error
    return network.eval()


def build() -> Any:
    """The network, with random weights; its layers bear the names that the published state has."""
    from torch import nn

    def block(kind: Any, norm: Any, *arguments: Any, **options: Any) -> list[nn.Module]:
        return [kind(*arguments, **options), norm(arguments[1]), nn.ReLU(inplace=True)]

    def sound(*arguments: Any, **options: Any) -> list[nn.Module]:
        return block(nn.Conv2d, nn.BatchNorm2d, *arguments, **options)

    def lips(*arguments: Any, **options: Any) -> list[nn.Module]:
        return block(nn.Conv3d, nn.BatchNorm3d, *arguments, **options)

    class SyncNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.netcnnaud = nn.Sequential(
                *sound(1, 64, 3, 1, 1),
                nn.MaxPool2d(1, 1),
                *sound(64, 192, 3, 1, 1),
                nn.MaxPool2d(3, (1, 2)),
                *sound(192, 384, 3, padding=1),
                *sound(384, 256, 3, padding=1),
                *sound(256, 256, 3, padding=1),
                nn.MaxPool2d(3, 2),
                *sound(256, 512, (5, 4)),
            )
            self.netfcaud, self.netfclip = self._head(), self._head()
            self.netcnnlip = nn.Sequential(
                *lips(3, 96, (5, 7, 7), (1, 2, 2)),
                nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
                *lips(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1)),
                nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
                *lips(256, 256, (1, 3, 3), padding=(0, 1, 1)),
                *lips(256, 256, (1, 3, 3), padding=(0, 1, 1)),
                *lips(256, 256, (1, 3, 3), padding=(0, 1, 1)),
                nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
                *lips(256, 512, (1, 6, 6)),
            )

        @staticmethod
        def _head() -> nn.Sequential:
            return nn.Sequential(
                nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024)
            )

        def aud(self, spectra: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.netfcaud(self.netcnnaud(spectra).flatten(1))
            return found

        def lip(self, pictures: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.netfclip(self.netcnnlip(pictures).flatten(1))
            return found

    return SyncNet()
