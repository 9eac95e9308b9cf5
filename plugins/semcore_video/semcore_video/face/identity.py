"""Whose face it is: the similarity of embeddings."""

from __future__ import annotations

import functools

import numpy as np

from semcore_video.weights import arrays


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """The cosine of the angle between two vectors."""
    return float(one @ other / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-12))


@functools.cache
def mean_face() -> np.ndarray:
    """The mean of dlib's embeddings of several people, float64 (128,)."""
    found: np.ndarray = arrays("mean-face", None, "mean", "mean-face").astype(np.float64)
    return found
