"""Reference pictures: selecting a good frame, and the newest entries of a knowledge base."""

from __future__ import annotations

import numpy as np

from semcore import ComponentError, Features, KnowledgeBase, Picture
from semcore_video.face.mesh import eye_openness, lip_opening

OPEN_EYES = 0.9
"""Minimum openness of the eyes, relative to the median."""
SHUT_MOUTH = 0.03
"""Maximum opening of the lips, in face heights."""


def best_reference(points: np.ndarray) -> int:
    """The index of the best reference frame, given points (T, 478, 3); frames without a face (NaN)
    are skipped.

    Of the frames with open eyes and a closed mouth, the one nearest to the median pose; if there
    are none, the frame with the smallest mouth opening among those with open eyes. With closed eyes
    in the reference, the rendered eyes would stay closed for the whole clip.

    Raises:
        ComponentError: no frame has a face
    """
    with_face = np.flatnonzero(np.isfinite(points).all((1, 2)))
    if not len(with_face):
        raise ComponentError("no frame of the video shows a face")
    return int(with_face[_best_of(points[with_face])])


def _best_of(points: np.ndarray) -> int:
    eyes, mouth = eye_openness(points), lip_opening(points)
    eyes_open = eyes >= OPEN_EYES * np.median(eyes)
    good = np.flatnonzero(eyes_open & (mouth <= SHUT_MOUTH))
    if not len(good):
        candidates = np.flatnonzero(eyes_open)
        return int(candidates[mouth[candidates].argmin()])
    distances = np.linalg.norm(points[good] - np.median(points, axis=0), axis=-1).mean(-1)
    return int(good[distances.argmin()])


def newest_picture(kb: KnowledgeBase, user: str) -> np.ndarray | None:
    """The newest reference picture of a user in a knowledge base."""
    return next(
        (entry.pixels for entry in reversed(kb.of(user)) if isinstance(entry, Picture)), None
    )


def newest_mouths(kb: KnowledgeBase, user: str) -> np.ndarray | None:
    """The newest mouth atlas of a user in a knowledge base, float32 (n, numbers)."""
    return next(
        (entry.values for entry in reversed(kb.of(user)) if isinstance(entry, Features)), None
    )
