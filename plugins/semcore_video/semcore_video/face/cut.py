"""The part of a video that is cut out because a face is there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from semcore_video.face.follow import Follower, Person
from semcore_video.face.mesh import face_size

SIDE = 3.0
"""Side of the square, in heights of the face."""


def square(frames: Iterable[np.ndarray], person: Person = "largest") -> tuple[int, int, int] | None:
    """The square about a face: left, top and side, pixels; None where no frame shows a face.

    It is three times as high as the face, or as large as the frame allows. Frames are looked at until one has a face; small
    faces are searched for in every fifth.

    Args:
        frames: each uint8 (H, W, 3)
        person: which one of several people
    """
    follower = Follower(person)
    for frame in frames:
        points = follower.next(frame)
        if points is not None:
            height, width = frame.shape[:2]
            side = min(round(SIDE * float(face_size(points))), height, width)
            x, y = points[:, :2].mean(0)
            left, top = (round(min(max(float(at) - side / 2, 0), most - side)) for at, most in ((x, width), (y, height)))
            return left, top, side
    return None
