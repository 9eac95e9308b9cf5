"""LSE-D and LSE-C: distance of lips and speech by SyncNet, with weights supplied by the user."""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from semcore import Mean, Record, RunError, Statistic, extra, path_digest
from semcore_video.licences import SYNCNET
from semcore_video.metrics.face_metric import FaceMetric
from semcore_video.resampling import resample_audio

if TYPE_CHECKING:
    import torch

FRAMES, SIDE, FARTHEST, RATE_HZ, FPS = 5, 224, 15, 16000, 25.0
"""Input frames of the network, their side, the maximum lag in frames, and the rates of sound and
video."""
STEPS = 4
"""Rows of cepstral coefficients per frame of video; the input has 20 with five frames."""
REMEDY = (
    "set `weights` to the state of syncnet_v2.model (github.com/joonson/syncnet_python) as "
    "safetensors"
)


@dataclass(frozen=True)
class _SyncNet(FaceMetric, abc.ABC):
    """Distances of lips and sound of the result at every lag, by SyncNet.

    Fields:
        weights: file with the state of the network, safetensors
    """

    licences: ClassVar[tuple[str, ...]] = (SYNCNET, *FaceMetric.licences)
    reference: ClassVar[str] = (
        "K. R. Prajwal et al., Wav2Lip, ACM MM 2020; J. S. Chung and A. Zisserman, ACCV Workshops "
        "2016"
    )
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "prajwal2020lip", "chung2016out")

    statistic: ClassVar[Statistic] = Mean(0.0)

    weights: str

    def libraries(self) -> Mapping[str, str]:
        features = {"python_speech_features": "semcore-video[metrics]"}
        return {**super().libraries(), **features, "cv2": "semcore-video[face]"}

    def missing(self) -> str:
        exists = bool(self.weights) and Path(self.weights).expanduser().is_file()
        return "" if exists else f"weights: there is no file {self.weights!r}; {REMEDY}"

    @property
    def signature(self) -> str:
        settings = f"network=SyncNet-v2,frames=5,lags=15,{self.detector_label}"
        return f"{type(self).__name__}|{self.version}|{settings}"

    def value(self, record: Record) -> float | None:
        result = record.result
        if result.video is None or result.audio is None or not result.sample_rate_hz:
            return None
        network = _network(self.weights, path_digest(self.weights))
        faces = cropped(result.video, self.landmarks(result.video))
        crops = None if faces is None else faces[at_25_fps(len(faces), float(result.fps or FPS))]
        if crops is None:
            return None
        by_lag = distances(network, crops, result.audio, result.sample_rate_hz)
        return None if by_lag is None else self.summary(by_lag.mean(0))

    @abc.abstractmethod
    def summary(self, mean: np.ndarray) -> float:
        """The value, from the mean distance at each lag (31,)."""


@dataclass(frozen=True)
class LSED(_SyncNet):
    """Lip-sync error, distance (LSE-D): mean distance of lips and sound at the best lag.

    None if the result lacks sound or a face.
    """

    better: ClassVar[str] = "lower"

    def summary(self, mean: np.ndarray) -> float:
        return float(mean.min())


@dataclass(frozen=True)
class LSEC(_SyncNet):
    """Lip-sync error, confidence (LSE-C): median over lags of the mean distance, minus its minimum.

    None if the result lacks sound or a face.
    """

    def summary(self, mean: np.ndarray) -> float:
        return float(np.median(mean) - mean.min())


def distances(
    network: Any, faces: np.ndarray, audio: np.ndarray, sample_rate_hz: int
) -> np.ndarray | None:
    """Distances of lips and sound, float32 (T - 5, 31), at lags of -15 to 15 frames of 40 ms.

    Sound shorter than the video is padded with silence.

    Args:
        faces: uint8 (T, 224, 224, 3), 25 per second
        audio: float32 (S,)

    Returns:
        None if video or sound are shorter than the input of the network
    """
    import torch

    with extra("semcore-video[metrics]", "SyncNet needs python_speech_features"):
        from python_speech_features import mfcc

    sound = resample_audio(audio, sample_rate_hz, RATE_HZ)
    sound = np.pad(sound, (0, max(round(len(faces) / FPS * RATE_HZ) - len(sound), 0)))
    rows = mfcc((sound.clip(-1, 1) * 32767).astype(np.int16), RATE_HZ).T.astype(np.float32)
    count = min(len(faces) - FRAMES, (rows.shape[1] - STEPS * FRAMES) // STEPS)
    if count < 1:
        return None
    with torch.inference_mode():
        pictures = torch.from_numpy(faces.transpose(3, 0, 1, 2).astype(np.float32))
        lip_vectors = torch.cat(
            [network.lip(pictures[None, :, at : at + FRAMES]) for at in range(count)]
        )
        spectra = torch.from_numpy(rows)
        audio_vectors = torch.cat(
            [
                network.aud(spectra[None, None, :, STEPS * at : STEPS * (at + FRAMES)])
                for at in range(count)
            ]
        )
        padded = torch.nn.functional.pad(audio_vectors, (0, 0, FARTHEST, FARTHEST))
        lags = [
            torch.nn.functional.pairwise_distance(lip_vectors, padded[lag : lag + count])
            for lag in range(2 * FARTHEST + 1)
        ]
    return torch.stack(lags, 1).numpy()


def at_25_fps(frames: int, fps: float) -> np.ndarray:
    """Indices of the frames of a video at 25 frames per second, over the same duration: int64
    (T,)."""
    count = max(round(frames / fps * FPS), 1)
    return np.minimum(((np.arange(count) + 0.5) * fps / FPS).astype(np.int64), frames - 1)


def cropped(video: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """The face of every frame, cropped by a slowly moving square, in BGR as the network expects:
    uint8 (T, 224, 224, 3).

    Args:
        video: uint8 (T, H, W, 3)
        points: 68 landmarks, float32 (T, 68, 2), NaN without a face

    Returns:
        None if no frame has a face
    """
    from semcore_video.face.opencv import cv2

    with_face = np.isfinite(points[:, 0, 0])
    if not with_face.any():
        return None
    low, high = np.nanmin(points, 1), np.nanmax(points, 1)
    index, known_frames = np.arange(len(points)), np.flatnonzero(with_face)
    columns = np.concatenate([low, high], 1).T
    box = np.stack([np.interp(index, known_frames, one[known_frames]) for one in columns], 1)
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
        RunError: the file is missing, or has the weights of another network
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    place = Path(weights).expanduser()
    if not place.is_file():
        raise RunError(f"SyncNet: there is no {str(place)!r}; {REMEDY}")
    network = build()
    try:
        network.load_state_dict(load_file(place))
    except (SafetensorError, RuntimeError) as error:
        raise RunError(
            f"SyncNet: {place} does not contain its weights: {str(error).splitlines()[0]}; {REMEDY}"
        ) from error
    return network.eval()


def build() -> Any:
    """The network with random weights; layers have the names of the published state."""
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
