"""Groups of the 478 points of MediaPipe's face mesh, and measures on them."""

from __future__ import annotations

import numpy as np

POINTS = 478
"""Points of the mesh: 468 of the face and 5 of each iris."""
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Outline of the face, clockwise from the forehead."""
INNER_LIPS = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
OUTER_LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
LEFT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
RIGHT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
IRISES = tuple(range(468, 478))
RIGID = (
    1, 2, 4, 5, 6, 8, 9, 10, 19, 94, 98, 151, 168, 195, 197, 327,
    33, 133, 263, 362, 127, 356, 54, 284, 234, 454,
)  # fmt: skip
"""Points that expressions hardly move: nose, forehead, temples, eye corners."""

IBUG = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip
"""Points nearest to the 68 landmarks of iBUG 300-W: chin, brows, nose, eyes, outer and inner
lips."""

_PAIRS = ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356))
"""Pairs of left and right points that are mirror images of each other."""
_LIDS = ((159, 145, 33, 133), (386, 374, 263, 362))


def frontal(points: np.ndarray) -> np.ndarray:
    """The points (478, 3) rotated about their centroid into a frontal view."""
    centre = points.mean(0)
    across = np.mean([points[right] - points[left] for left, right in _PAIRS], axis=0)
    x = across / np.linalg.norm(across)
    down = points[152] - points[10]
    down = down - (down @ x) * x
    y = down / np.linalg.norm(down)
    return ((points - centre) @ np.stack([x, y, np.cross(x, y)], 1) + centre).astype(points.dtype)


def face_size(points: np.ndarray) -> np.ndarray:
    """Distance from forehead to chin, in the unit of the points: (..., 478, D) -> (...)."""
    return np.linalg.norm(points[..., 10, :2] - points[..., 152, :2], axis=-1)


def lip_opening(points: np.ndarray) -> np.ndarray:
    """Distance of the lips at the centre of the mouth, in face heights: (..., 478, D) -> (...)."""
    upper, lower = points[..., 13, :2], points[..., 14, :2]
    return np.linalg.norm(upper - lower, axis=-1) / face_size(points)


def eye_openness(points: np.ndarray) -> np.ndarray:
    """Height over width of the eyes, mean of both: (..., 478, D) -> (...)."""
    ratios = [
        np.linalg.norm(points[..., top, :2] - points[..., bottom, :2], axis=-1)
        / np.maximum(np.linalg.norm(points[..., left, :2] - points[..., right, :2], axis=-1), 1e-6)
        for top, bottom, left, right in _LIDS
    ]
    return np.mean(ratios, axis=0)
