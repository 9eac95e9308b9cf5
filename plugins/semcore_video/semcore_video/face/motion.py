"""Motion of a face as twelve numbers per frame, and back to points."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from semcore_video.face.mesh import RIGID, face_size
from semcore_video.weights import arrays, digest

POSE, EXPRESSION = 6, 6
NUMBERS = POSE + EXPRESSION
"""Rotation vector (3), translation along x and y and logarithm of the scale (3), eyelids (1),
expression (5)."""
UNITS = np.array([0.01, 0.01, 0.01, 0.003, 0.003, 0.006], np.float32)
"""Unit of each pose number: radians, face heights, and logarithm of the scale. Each unit moves
points about as far as one standard deviation of an expression, so that equal errors have a similar
effect in all numbers."""
SWEEPS = 3
"""Alternations between fitting the pose and the expression."""


@dataclass(frozen=True, eq=False)
class Basis:
    """Directions in which expressions move the points, in face heights.

    Fields:
        directions: float32 (6, 478, 3); the first moves the eyelids; a coefficient of 1 is one
            standard deviation
    """

    directions: np.ndarray

    def numbers(self, points: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Motion of points float32 (T, 478, 3) relative to the reference (478, 3), both in pixels:
        float32 (T, 12)."""
        shape, targets = _shapes(points, reference)
        inverse = np.linalg.pinv(self.directions.reshape(EXPRESSION, -1).T.astype(np.float64))
        found = np.zeros((len(points), NUMBERS), np.float32)
        for frame, target in zip(found, targets, strict=True):
            coefficients = np.zeros(EXPRESSION)
            for _ in range(SWEEPS):
                moved = shape + np.tensordot(coefficients, self.directions, 1)
                rotation, scale, shift = _pose(moved, target)
                still = (target - shift) @ rotation / scale
                coefficients = inverse @ (still - shape).ravel()
            frame[:3] = _vector(rotation)
            frame[3:6] = (*shift[:2], np.log(scale))
            frame[:POSE] /= UNITS
            frame[POSE:] = coefficients
        return found

    def points(self, numbers: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """The inverse: numbers (T, 12) and reference points (478, 3) -> points float32 (T, 478, 3)
        in pixels."""
        size = float(face_size(reference))
        centre = reference.mean(0)
        shape = (reference - centre) / size
        found = np.empty((len(numbers), *reference.shape), np.float32)
        for points, frame in zip(found, numbers.astype(np.float64), strict=True):
            pose = frame[:POSE] * UNITS
            moved = shape + np.tensordot(frame[POSE:], self.directions, 1)
            shift = np.array([pose[3], pose[4], 0.0])
            points[:] = (
                np.exp(np.clip(pose[5], -2, 2)) * moved @ _rotation(pose[:3]).T + shift
            ) * size + centre
        return found


def basis(folder: str | None = None) -> Basis:
    """The shipped basis, or the one written by the recipe `face-basis` into a folder."""
    return _basis(folder, digest("face-basis", folder))


@functools.lru_cache(4)
def _basis(folder: str | None, content: str) -> Basis:
    return Basis(arrays("face-basis", folder, "directions", "face-basis"))


def unposed(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Non-rigid displacement of points (T, 478, 3) from the reference (478, 3), in face heights."""
    shape, targets = _shapes(points, reference)
    still = np.empty(targets.shape)
    for moved, target in zip(still, targets, strict=True):
        rotation, scale, shift = _pose(shape, target)
        moved[:] = (target - shift) @ rotation / scale - shape
    return still


def _shapes(points: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The reference and the points relative to the centroid of the reference, in face heights of
    the reference."""
    size, centre = float(face_size(reference)), reference.mean(0)
    return (reference - centre) / size, (points - centre) / size


def _pose(shape: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Rotation (3, 3), scale and shift (3,) of least squares from the rigid points of `shape` to
    those of `target` (Umeyama)."""
    rigid = list(RIGID)
    source, destination = shape[rigid].astype(np.float64), target[rigid].astype(np.float64)
    source_mean, destination_mean = source.mean(0), destination.mean(0)
    u, s, vt = np.linalg.svd((destination - destination_mean).T @ (source - source_mean))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u * sign @ vt
    scale = float((s * sign).sum() / np.square(source - source_mean).sum())
    shift = destination_mean - scale * rotation @ source_mean
    return rotation, max(scale, 1e-3), shift


def _vector(rotation: np.ndarray) -> np.ndarray:
    """A rotation matrix as a rotation vector, radians."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(rotation).as_rotvec()


def _rotation(vector: np.ndarray) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(vector).as_matrix()
