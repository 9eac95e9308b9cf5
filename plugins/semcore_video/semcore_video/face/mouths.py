"""Mouth atlas: the appearance between open lips, which a reference picture with a closed mouth
lacks."""

from __future__ import annotations

import functools

import numpy as np

from semcore_video.face.mesh import face_size, lip_opening

UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Inner edges of the lips, from one corner of the mouth to the other."""
ROWS, COLUMNS = 12, 32
"""Size of a rectified mouth: corners left and right, the upper lip at the top."""
KEPT = ((8, 16), (3, 5), (3, 5))
"""DCT coefficients kept for luma and both chroma planes: (vertical, horizontal)."""
NUMBERS = 1 + sum(down * across for down, across in KEPT)
"""Numbers per mouth: its opening and the DCT coefficients."""
UNIT = 600.0
"""Scale of the coefficients: the coefficient at (i, j) is divided by UNIT / (1 + i + j), so that
all numbers have similar magnitude."""
LEAST = 0.012
"""Opening of the lips, in face heights, above which the inside of the mouth is visible."""
OPENING_UNIT = 0.05
"""Opening of the lips, in face heights, that is a number of 1."""
LUMA = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32)
"""RGB to luma and chroma (JPEG)."""


def mouths_of(video: np.ndarray, points: np.ndarray, count: int) -> np.ndarray:
    """An atlas of mouths of a video, ordered by opening: float32 (count, NUMBERS), all zero if none
    is open.

    Args:
        video: uint8 (T, H, W, 3)
        points: of the face, float32 (T, 478, 3), pixels; NaN in frames without a face, which are
            skipped
        count: number of mouths, spread evenly over the openings that occur
    """
    opening = lip_opening(points)
    order = np.argsort(opening, kind="stable")
    order = order[opening[order] >= LEAST]
    found = np.zeros((count, NUMBERS), np.float32)
    if not len(order):
        return found
    for mouth, place in zip(found, np.linspace(0, len(order) - 1, count), strict=True):
        frame = int(order[round(place)])
        mouth[0] = opening[frame] / OPENING_UNIT
        mouth[1:] = _numbers(_straightened(video[frame], points[frame]))
    return found


def with_mouth(drawn: np.ndarray, points: np.ndarray, mouths: np.ndarray) -> np.ndarray:
    """A picture float32 (H, W, 3) with the inside of the mouth drawn between the lips of the face
    at `points` (478, 3).

    The two mouths of the atlas with the nearest openings are interpolated, so that frames change
    smoothly.
    """
    opening = float(lip_opening(points))
    share = float(np.clip((opening - LEAST / 2) / LEAST, 0, 1))
    if share <= 0:
        return drawn
    openings = np.maximum.accumulate(mouths[:, 0]) + 1e-4 * np.arange(len(mouths))
    numbers = [np.interp(opening / OPENING_UNIT, openings, column) for column in mouths[:, 1:].T]
    return _painted(drawn, points, _picture(np.array(numbers, np.float32)), share)


def _numbers(mouth: np.ndarray) -> np.ndarray:
    """DCT coefficients float32 (NUMBERS - 1,) of a rectified mouth float32 (ROWS, COLUMNS, 3),
    0..255."""
    from scipy.fft import dctn

    spectrum = dctn(mouth @ LUMA.T - (128, 0, 0), axes=(0, 1), norm="ortho")
    coefficients = [
        spectrum[:down, :across, plane].ravel() for plane, (down, across) in enumerate(KEPT)
    ]
    return np.concatenate(coefficients) / _sizes()


def _picture(numbers: np.ndarray) -> np.ndarray:
    """The inverse: float32 (ROWS, COLUMNS, 3), 0..255."""
    from scipy.fft import idctn

    spectrum = np.zeros((ROWS, COLUMNS, 3), np.float32)
    ends = np.cumsum([down * across for down, across in KEPT])
    parts = np.split(numbers * _sizes(), ends[:-1])
    for plane, ((down, across), part) in enumerate(zip(KEPT, parts, strict=True)):
        spectrum[:down, :across, plane] = part.reshape(down, across)
    planes = idctn(spectrum, axes=(0, 1), norm="ortho") + np.array([128, 0, 0], np.float32)
    return np.clip(planes @ np.linalg.inv(LUMA).T, 0, 255).astype(np.float32)


@functools.cache
def _sizes() -> np.ndarray:
    """Scale of each coefficient, float32 (NUMBERS - 1,)."""
    places = [np.add.outer(np.arange(down), np.arange(across)).ravel() for down, across in KEPT]
    return (UNIT / (1 + np.concatenate(places))).astype(np.float32)


class _Frame:
    """Coordinate system of a mouth: along the line between its corners, and down from the upper to
    the lower lip."""

    def __init__(self, points: np.ndarray) -> None:
        self.corner = points[UPPER[0], :2].astype(np.float64)
        along = points[UPPER[-1], :2] - self.corner
        self.width = max(float(np.linalg.norm(along)), 1e-6)
        self.axes = np.array([along, (-along[1], along[0])]) / self.width
        upper, lower = (
            (points[list(lip), :2] - self.corner) @ self.axes.T for lip in (UPPER, LOWER)
        )
        self.upper, self.lower = (
            (np.maximum.accumulate(lip[:, 0]), lip[:, 1]) for lip in (upper, lower)
        )

    def edges(self, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertical position of the upper and the lower lip at positions along the mouth, pixels."""
        return np.interp(along, *self.upper), np.interp(along, *self.lower)


def _straightened(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The rectified mouth of the face at `points` in a picture uint8 (H, W, 3): float32 (ROWS,
    COLUMNS, 3)."""
    from semcore_video.face.opencv import cv2

    frame = _Frame(points)
    along = (np.arange(COLUMNS) + 0.5) / COLUMNS * frame.width
    upper, lower = frame.edges(along)
    # Slightly inside the edges, to exclude the lips.
    down = upper + np.linspace(0.12, 0.88, ROWS)[:, None] * (lower - upper)
    places = frame.corner + np.stack(np.broadcast_arrays(along, down), -1) @ frame.axes
    x, y = np.moveaxis(places.astype(np.float32), -1, 0)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(
        np.float32
    )


def _painted(drawn: np.ndarray, points: np.ndarray, mouth: np.ndarray, share: float) -> np.ndarray:
    """The picture with a rectified mouth drawn between the lips."""
    from semcore_video.face.opencv import cv2

    frame, soft = _Frame(points), max(float(face_size(points)) / 160, 0.5)
    inner = points[[*UPPER, *LOWER], :2]
    low = np.maximum(np.floor(inner.min(0) - 4 * soft).astype(int), 0)
    high = np.minimum(np.ceil(inner.max(0) + 4 * soft).astype(int) + 1, drawn.shape[1::-1])
    if (high <= low).any():
        return drawn
    rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]]
    along, down = np.moveaxis((np.stack([columns, rows], -1) - frame.corner) @ frame.axes.T, -1, 0)
    upper, lower = frame.edges(along)
    inside = np.clip((down - upper) / np.maximum(lower - upper, 1e-6), 0, 1)
    x, y = along / frame.width * COLUMNS - 0.5, (inside - 0.12) / 0.76 * (ROWS - 1)
    texture = cv2.remap(
        mouth,
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    # Full weight between the lips and none outside, with a transition of about a pixel.
    edge = np.minimum(
        np.minimum(down - upper, lower - down), np.minimum(along, frame.width - along)
    )
    weight = share * np.clip(edge / soft + 0.8, 0, 1)[..., None]
    found = drawn.copy()
    part = found[low[1] : high[1], low[0] : high[0]]
    part += weight.astype(np.float32) * (texture - part)
    return found
