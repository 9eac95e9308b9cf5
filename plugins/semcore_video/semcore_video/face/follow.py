"""Selecting one person in a video and following the face from frame to frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from semcore_video.face.detector import faces
from semcore_video.face.dlib_faces import embedding
from semcore_video.face.mesh import IBUG, face_size

Person = Literal["largest", "centre", "left", "right"]
"""Which of several people: the one with the largest face, or the one at that position in the
picture."""
EVERY = 5
"""While no face is known, parts of the frame are searched in every fifth frame only: this takes as
long as ten frames."""
SMALLER = 2.0
"""Faces smaller than the largest one by more than this factor are not candidates."""
FARTHEST, OTHER_SIZE = 0.6, 1.6
"""Largest movement of a face between two frames, in face heights, and largest change of its size,
as a factor."""
ABOUT = 3.0
"""Side of the square searched around the last position of a face, in face heights."""
LEAST = 64
"""Side of the smallest square that is searched, pixels."""
PATIENCE = 5
"""Frames without the face after which the whole frame is searched."""
SAME_PERSON = 0.55
"""Distance of dlib's embeddings below which two faces are taken for the same person. For nine
people with six frames each, distances within a person are at most 0.45, between people at least
0.57."""
OFF_CENTRE = 0.75
"""Reduction of the weight of a face in the corner of the picture relative to one in the centre, if
no position is asked for."""


class Follower:
    """Follows one person through consecutive frames of a video.

    A face near the last position of the person's face is assumed to be the same. After a gap the
    face may be anywhere; it is accepted if it matches the person (dlib's embedding) and did not
    appear together with the person before. Two people are therefore not confused, whether they
    appear together or alternately.
    """

    def __init__(self, person: Person | None = None) -> None:
        """`person`: which of several people; None: the one with a large face near the centre."""
        self._person = person
        self._index = -1
        self._gap = 0
        self._face: np.ndarray | None = None
        self._first: tuple[np.ndarray, np.ndarray] | None = None
        self._known: np.ndarray | None = None
        self._others: list[tuple[np.ndarray, int]] = []

    def next(self, frame: np.ndarray) -> np.ndarray | None:
        """The points of the person's face in the next frame uint8 (H, W, 3): float32 (478, 3),
        pixels, or None."""
        self._index += 1
        candidates = faces(frame)
        if self._face is None:
            found = select_face(frame, candidates, self._person, self._index % EVERY == 0)
            self._first = None if found is None else (frame.copy(), found)
        else:
            found = self._find_again(frame, candidates, self._face)
        self._remember_others(
            [face for face in candidates if found is None or _nearest([face], found) is None]
        )
        if found is None:
            self._gap += 1
        else:
            self._face, self._gap = found, 0
        return found

    def _find_again(
        self, frame: np.ndarray, candidates: list[np.ndarray], last: np.ndarray
    ) -> np.ndarray | None:
        """The face at or near its last position; after a gap, anywhere in the frame."""
        if self._gap < PATIENCE:
            found = _nearest(candidates, last)
            return _nearest(_search_around(frame, last), last) if found is None else found
        candidates = _merged([*candidates, *_search_around(frame, last)])
        if not candidates and self._index % EVERY == 0:
            candidates = _search_parts(frame)
        strangers = [face for face, _ in self._others]
        for face in candidates:
            if _nearest(strangers, face) is None and self._is_person(frame, face):
                return face
        return None

    def _is_person(self, frame: np.ndarray, face: np.ndarray) -> bool:
        """Whether a face matches the person."""
        assert self._first is not None
        if self._known is None:
            first, points = self._first
            self._known = embedding(first, points[list(IBUG), :2])
        found = embedding(frame, face[list(IBUG), :2])
        return float(np.linalg.norm(found - self._known)) < SAME_PERSON

    def _remember_others(self, visible: list[np.ndarray]) -> None:
        """Remember the positions of other visible faces, and forget those not visible for a while.
        Nothing is remembered until a person is followed."""
        if self._face is None and self._first is None:
            return
        gone = [
            (face, since)
            for face, since in self._others
            if since + PATIENCE > self._index and _nearest(visible, face) is None
        ]
        self._others = [*gone, *((face, self._index) for face in visible)]


def choose_face(frame: np.ndarray, person: Person | None = None) -> np.ndarray | None:
    """The face of one person in a picture uint8 (H, W, 3): float32 (478, 3), pixels, or None.

    Args:
        person: which one; None: the one with a large face near the centre
    """
    return select_face(frame, faces(frame), person, True)


def select_face(
    frame: np.ndarray, candidates: list[np.ndarray], person: Person | None, parts: bool
) -> np.ndarray | None:
    """The face of one person, given the faces found in the frame as a whole; `parts`: whether parts
    of the frame are searched for small faces."""
    if parts and (not candidates or person in ("centre", "left", "right")):
        candidates = _merged([*candidates, *_search_parts(frame)])
    if not candidates:
        return None
    largest = max(float(face_size(face)) for face in candidates)
    people = [face for face in candidates if float(face_size(face)) * SMALLER >= largest]
    return max(people, key=lambda face: _preference(face, person, frame.shape[:2]))


def _preference(face: np.ndarray, person: Person | None, size: tuple[int, int]) -> float:
    """Score of a face as the requested person; the largest is selected."""
    middle = np.array(size[::-1]) / 2
    centre = face[:, :2].mean(0)
    if person == "left":
        return -float(centre[0])
    if person == "right":
        return float(centre[0])
    off = float(np.linalg.norm(centre - middle) / np.linalg.norm(middle))
    if person == "centre":
        return -off
    height = float(face_size(face))
    return height if person == "largest" else height * (1 - OFF_CENTRE * off)


def _nearest(faces: list[np.ndarray], last: np.ndarray) -> np.ndarray | None:
    """The face nearest to the position of `last`, if distance and size allow it to be the same
    face."""
    height, centre = float(face_size(last)), last[:, :2].mean(0)

    def far(face: np.ndarray) -> float:
        return float(np.linalg.norm(face[:, :2].mean(0) - centre)) / height

    similar = [
        face
        for face in faces
        if 1 / OTHER_SIZE < float(face_size(face)) / height < OTHER_SIZE and far(face) < FARTHEST
    ]
    return min(similar, key=far, default=None)


def _search_around(frame: np.ndarray, face: np.ndarray) -> list[np.ndarray]:
    """The faces in the square around a face."""
    height, width = frame.shape[:2]
    side = int(min(max(round(ABOUT * float(face_size(face))), 32), height, width))
    x, y = face[:, :2].mean(0)
    left, top = (
        int(min(max(round(float(at) - side / 2), 0), most - side))
        for at, most in ((x, width), (y, height))
    )
    return _search_square(frame, left, top, side)


def _search_square(frame: np.ndarray, left: int, top: int, side: int) -> list[np.ndarray]:
    """The faces in a square of a frame, in pixels of the frame."""
    shift = np.array([left, top, 0], np.float32)
    return [face + shift for face in faces(frame[top : top + side, left : left + side])]


def _search_parts(frame: np.ndarray) -> list[np.ndarray]:
    """The faces in overlapping squares of a frame: first of the height of the frame, then of half
    of it.

    The detector scales a picture to 128×128, so a face of a fifth of the height of a wide frame is
    too small in the whole. A face that is not found again in a square around it is discarded as a
    false detection.
    """
    found: list[np.ndarray] = []
    short = min(frame.shape[:2])
    for side in (short, short // 2):
        if side < LEAST or side == max(frame.shape[:2]):
            continue
        for left, top in _squares(frame.shape[:2], side):
            for face in _search_square(frame, left, top, side):
                confirmed = _nearest(_search_around(frame, face), face)
                if confirmed is not None:
                    found.append(confirmed)
        if found:
            break
    return _merged(found)


def _squares(size: tuple[int, int], side: int) -> Iterator[tuple[int, int]]:
    """Left and top of squares that cover a picture of (H, W), with an overlap of at least one
    half."""
    height, width = size
    for top in np.linspace(0, height - side, -(-2 * (height - side) // side) + 1):
        for left in np.linspace(0, width - side, -(-2 * (width - side) // side) + 1):
            yield round(left), round(top)


def _merged(faces: list[np.ndarray]) -> list[np.ndarray]:
    """Faces without duplicates."""
    found: list[np.ndarray] = []
    for face in faces:
        if not any(
            np.linalg.norm((face - kept)[:, :2].mean(0)) < face_size(kept) / 2 for kept in found
        ):
            found.append(face)
    return found
