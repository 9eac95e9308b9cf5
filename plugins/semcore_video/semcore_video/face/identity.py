"""Similarity of identity embeddings."""

from __future__ import annotations

import functools

import numpy as np

from semcore_video.weights import arrays


def similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Cosine similarity of two vectors."""
    return float(first @ second / max(np.linalg.norm(first) * np.linalg.norm(second), 1e-12))


@functools.cache
def mean_face() -> np.ndarray:
    """Mean of dlib's embeddings over several people, float64 (128,)."""
    found: np.ndarray = arrays("mean-face", None, "mean", "mean-face").astype(np.float64)
    return found
