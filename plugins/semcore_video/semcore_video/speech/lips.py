"""The lips of a video, cut out: what audio is made from."""

from __future__ import annotations

import numpy as np

from semcore_video.face.mesh import OUTER_LIPS, face_size

HEIGHT, WIDTH = 24, 32
"""Of a picture of the lips."""
BESIDE = 0.34
"""Half the width of what is cut out, in heights of the face."""


def lips_of(video: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Grey pictures of the mouth, uint8 (T, 24, 32).

    Args:
        video: uint8 (T, H, W, 3)
        points: face points (T, 478, 3), pixels
    """
    import cv2

    half = BESIDE * float(np.median(face_size(points)))
    # The window stays where the mouth is on average over a quarter of a second: it follows the
    # head, and not the lips.
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


def evened(lips: np.ndarray) -> np.ndarray:
    """Pictures of lips as networks see them, of zero mean and unit deviation over the clip:
    float32, the same shape."""
    values = lips.astype(np.float32)
    return (values - values.mean()) / max(float(values.std()), 1.0)
