"""Which frame makes a good reference picture: eyes open, mouth shut, head as it mostly is."""

from __future__ import annotations

import numpy as np

from semcore.errors import ComponentError
from semcore.types import Features, KnowledgeBase, Picture
from semcore_video.face.mesh import eye_openness, lip_opening

OPEN_EYES = 0.9
"""Least openness of the eyes, as a share of their median."""
SHUT_MOUTH = 0.03
"""Most opening of the lips, as a share of the height of the face."""


def best_reference(points: np.ndarray) -> int:
    """The index of the frame that serves best as reference, of points (T, 478, 3); frames without a
    face are NaN, left out.

    Among frames with open eyes and a shut mouth the one that is nearest to the median of all;
    without such frames, that of the smallest mouth among those with open eyes. A reference with
    shut eyes would keep them shut for the whole clip.

    Raises:
        ComponentError: no frame has a face
    """
    seen = np.flatnonzero(np.isfinite(points).all((1, 2)))
    if not len(seen):
        raise ComponentError("no frame of the video shows a face")
    return int(seen[_best(points[seen])])


def _best(points: np.ndarray) -> int:
    eyes, mouth = eye_openness(points), lip_opening(points)
    awake = eyes >= OPEN_EYES * np.median(eyes)
    good = np.flatnonzero(awake & (mouth <= SHUT_MOUTH))
    if not len(good):
        candidates = np.flatnonzero(awake)
        return int(candidates[mouth[candidates].argmin()])
    apart = np.linalg.norm(points[good] - np.median(points, axis=0), axis=-1).mean(-1)
    return int(good[apart.argmin()])


def newest_picture(kb: KnowledgeBase, user: str) -> np.ndarray | None:
    """The last reference picture that a knowledge base holds of a user."""
    return next(
        (entry.pixels for entry in reversed(kb.of(user)) if isinstance(entry, Picture)), None
    )


def newest_mouths(kb: KnowledgeBase, user: str) -> np.ndarray | None:
    """The last atlas of mouths that a knowledge base holds of a user, float32 (n, numbers)."""
    return next(
        (entry.values for entry in reversed(kb.of(user)) if isinstance(entry, Features)), None
    )
