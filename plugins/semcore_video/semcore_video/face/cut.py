"""The square around a face to which a video is cropped."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from semcore_video.face.follow import Follower, Person
from semcore_video.face.mesh import OVAL, face_size

SIDE = 3.0
"""Side of the square, in face heights."""
LOOKED_AT = 250
"""Frames in which the face is followed, from the first frame with one: it may move out of the
square."""
STEP = 2
"""Step between these frames: a walking person moves by about a quarter of the face height per
frame."""


def face_square(
    frames: Iterable[np.ndarray], person: Person = "largest"
) -> tuple[int, int, int] | None:
    """The square around a face: left, top and side, pixels; None if no frame shows a face.

    The side is three face heights of the first frame with a face, or as large as the frame allows.
    If the face leaves this square within the next 250 frames, the square is enlarged to contain the
    face in all of them, or, where the frame is too small for that, centred on the median position
    of the face. Small faces are searched for in every fifth frame.

    Args:
        frames: each uint8 (H, W, 3)
        person: which of several people
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
    usual = SIDE * float(np.median([face_size(points) for points in places]))
    side = max(usual, float((high - low).max()))
    if side <= min(size):
        return _about((low + high) / 2, side, size)
    return _about(np.median([points.mean(0) for points in places], axis=0), side, size)


def _about(centre: np.ndarray, side: float, size: tuple[int, int]) -> tuple[int, int, int]:
    """The square of a side around `centre`, shifted and reduced to fit a frame of (H, W): left, top
    and side."""
    height, width = size
    side = min(round(side), height, width)
    x, y = (float(at) for at in centre)
    return (
        round(min(max(x - side / 2, 0), width - side)),
        round(min(max(y - side / 2, 0), height - side)),
        side,
    )
