"""Crops of the lips of a video, the input of lip-to-speech."""

from __future__ import annotations

import numpy as np

from semcore_video.face.mesh import OUTER_LIPS, face_size

HEIGHT, WIDTH = 24, 32
"""Size of a crop of the lips."""
BESIDE = 0.34
"""Half the width of the crop, in face heights."""


def lips_of(video: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Grey crops of the mouth, uint8 (T, 24, 32).

    Args:
        video: uint8 (T, H, W, 3)
        points: face points (T, 478, 3), pixels
    """
    from semcore_video.face.opencv import cv2

    half = BESIDE * float(np.median(face_size(points)))
    # The window is centred on the mean position of the mouth over a quarter of a second, so that it
    # follows the head and not the lips.
    centres = np.asarray([points[:, list(OUTER_LIPS), axis].mean(1) for axis in (0, 1)]).T
    centres = cv2.blur(centres.astype(np.float32), (1, 7), borderType=cv2.BORDER_REPLICATE)
    found = np.empty((len(video), HEIGHT, WIDTH), np.uint8)
    scale = 2 * half / WIDTH
    for cut, frame, (x, y) in zip(found, video, centres, strict=True):
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        corner = np.array([[scale, 0, x - half], [0, scale, y - half * HEIGHT / WIDTH]], np.float32)
        cut[:] = cv2.warpAffine(
            grey,
            corner,
            (WIDTH, HEIGHT),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return found


def normalised(lips: np.ndarray) -> np.ndarray:
    """Crops of lips with zero mean and unit standard deviation over the clip, the input of
    networks: float32, the same shape."""
    values = lips.astype(np.float32)
    return (values - values.mean()) / max(float(values.std()), 1.0)
