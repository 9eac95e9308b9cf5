"""The part of a video that is cut out because a face is there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from semcore_video.face.follow import Follower, Person
from semcore_video.face.mesh import OVAL, face_size

SIDE = 3.0
"""Side of the square, in heights of the face."""
LOOKED_AT = 250
"""Frames, from the first with the face on, in which it is followed: it may walk in from the
side."""
STEP = 2
"""Frames from one that is looked at to the next: a walk moves a face by a quarter of its height per
frame."""


def square(frames: Iterable[np.ndarray], person: Person = "largest") -> tuple[int, int, int] | None:
    """The square about a face: left, top and side, pixels; None where no frame shows a face.

    It is three times as high as the face in the first frame with one, or as large as the frame
    allows. If the face leaves it within the next 250 frames, it is as large as it takes to hold the
    face in all of them, or lies about where it mostly is. Small faces are searched for in every
    fifth frame.

    Args:
        frames: each uint8 (H, W, 3)
        person: which one of several people
    """
    follower, places, first, size = Follower(person), list[np.ndarray](), 0, (0, 0)
    for index, frame in enumerate(frames):
        if places and index >= first + LOOKED_AT:
            break
        if places and (index - first) % STEP:
            continue
        points = follower.next(frame)
        if points is None:
            continue
        if not places:
            first, size = index, frame.shape[:2]
        places.append(points[:, :2])
    if not places:
        return None
    found = _about(places[0].mean(0), SIDE * float(face_size(places[0])), size)
    outlines = np.stack(places)[:, list(OVAL)].clip(0, np.array(size[::-1]) - 1)
    low, high = outlines.min((0, 1)), outlines.max((0, 1))
    if (low >= found[:2]).all() and (high <= np.array(found[:2]) + found[2]).all():
        return found
    side = max(
        SIDE * float(np.median([face_size(one) for one in places])), float((high - low).max())
    )
    whole = side <= min(size)
    return _about(
        (low + high) / 2 if whole else np.median([one.mean(0) for one in places], axis=0),
        side,
        size,
    )


def _about(middle: np.ndarray, wanted: float, size: tuple[int, int]) -> tuple[int, int, int]:
    """The square about a place, as near to a side that is wanted as a frame of (H, W) allows: left,
    top and side."""
    height, width = size
    side = min(round(wanted), height, width)
    x, y = (float(at) for at in middle)
    return (
        round(min(max(x - side / 2, 0), width - side)),
        round(min(max(y - side / 2, 0), height - side)),
        side,
    )
