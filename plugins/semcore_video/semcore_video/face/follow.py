"""Which face is whose: one person is chosen, and followed from frame to frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from semcore_video.face.detector import faces
from semcore_video.face.dlib_faces import embedding
from semcore_video.face.mesh import IBUG, face_size

Person = Literal["largest", "centre", "left", "right"]
"""Which one of several people: the one with the largest face, or the one at that place of the
picture."""
EVERY = 5
"""Frames from one search of the parts of a frame to the next, while no face is known: it takes as
long as ten frames."""
SMALLER = 2.0
"""A face smaller than the largest by this factor is not one of the people to choose from."""
FARTHEST, OTHER_SIZE = 0.6, 1.6
"""How far a face goes from one frame to the next, in heights of the face, and how many times larger
it becomes, at most."""
ABOUT = 3.0
"""Side of the square in which a face is searched where it was, in heights of the face."""
LEAST = 64
"""Side of the smallest square that is searched, pixels: in a smaller one a face is a smudge."""
PATIENCE = 5
"""Frames without the face after which it is searched elsewhere."""
SAME_PERSON = 0.55
"""Distance of dlib's embeddings below which two faces are taken for one person: nine people, six
frames each, have at most 0.45 with themselves and at least 0.57 with each other."""
OFF_CENTRE = 0.75
"""What a face in the corner of a picture counts less than one in its middle, where no place was
asked for."""


class Follower:
    """Follows one person through the frames of a video, which are given in their order.

    A face near the place where the person's was last is the person's. After a gap it may be
    anywhere, and is the person's if it looks like it (dlib's embedding) and is not a face that was
    seen beside it: so two people are not taken for one, whether they are seen together or in turn.
    """

    def __init__(self, person: Person | None = None) -> None:
        """`person`: which one of several people; None: the one whose face is large and near the
        middle."""
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
        seen = faces(frame)
        if self._face is None:
            found = chosen(frame, seen, self._person, self._index % EVERY == 0)
            self._first = None if found is None else (frame.copy(), found)
        else:
            found = self._again(frame, seen, self._face)
        self._beside([one for one in seen if found is None or _near([one], found) is None])
        if found is None:
            self._gap += 1
        else:
            self._face, self._gap = found, 0
        return found

    def _again(
        self, frame: np.ndarray, seen: list[np.ndarray], last: np.ndarray
    ) -> np.ndarray | None:
        """The face where it was, or not far from there; after a gap, anywhere."""
        if self._gap < PATIENCE:
            found = _near(seen, last)
            return _near(_about(frame, last), last) if found is None else found
        seen = _together([*seen, *_about(frame, last)])
        if not seen and self._index % EVERY == 0:
            seen = _in_parts(frame)
        strangers = [one for one, _ in self._others]
        return next(
            (one for one in seen if _near(strangers, one) is None and self._same(frame, one)), None
        )

    def _same(self, frame: np.ndarray, face: np.ndarray) -> bool:
        """Whether a face looks like the person's."""
        assert self._first is not None
        if self._known is None:
            first, there = self._first
            self._known = embedding(first, there[list(IBUG), :2])
        return (
            float(np.linalg.norm(embedding(frame, face[list(IBUG), :2]) - self._known))
            < SAME_PERSON
        )

    def _beside(self, seen: list[np.ndarray]) -> None:
        """Remember where others are; one that has not been seen for a while is forgotten. While no
        one is followed, there are no others."""
        if self._face is None and self._first is None:
            return
        gone = [
            (one, since)
            for one, since in self._others
            if since + PATIENCE > self._index and _near(seen, one) is None
        ]
        self._others = [*gone, *((one, self._index) for one in seen)]


def choose(frame: np.ndarray, person: Person | None = None) -> np.ndarray | None:
    """The face of one of the people in a picture uint8 (H, W, 3): float32 (478, 3), pixels, or
    None.

    Args:
        person: which one; None: the one whose face is large and near the middle
    """
    return chosen(frame, faces(frame), person, True)


def chosen(
    frame: np.ndarray, seen: list[np.ndarray], person: Person | None, parts: bool
) -> np.ndarray | None:
    """The same, of the faces that a search of the frame as a whole has found; `parts`: whether
    small ones are searched for."""
    if parts and (not seen or person in ("centre", "left", "right")):
        seen = _together([*seen, *_in_parts(frame)])
    if not seen:
        return None
    largest = max(float(face_size(one)) for one in seen)
    people = [one for one in seen if float(face_size(one)) * SMALLER >= largest]
    return max(people, key=lambda one: _rank(one, person, frame.shape[:2]))


def _rank(face: np.ndarray, person: Person | None, size: tuple[int, int]) -> float:
    """The greater, the more it is the person who is asked for."""
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


def _near(faces: list[np.ndarray], last: np.ndarray) -> np.ndarray | None:
    """Of several faces the one nearest to where `last` was, if it may be the same face."""
    height, centre = float(face_size(last)), last[:, :2].mean(0)

    def far(face: np.ndarray) -> float:
        return float(np.linalg.norm(face[:, :2].mean(0) - centre)) / height

    alike = [
        one
        for one in faces
        if 1 / OTHER_SIZE < float(face_size(one)) / height < OTHER_SIZE and far(one) < FARTHEST
    ]
    return min(alike, key=far, default=None)


def _about(frame: np.ndarray, face: np.ndarray) -> list[np.ndarray]:
    """The faces in the square about the place of a face."""
    height, width = frame.shape[:2]
    side = int(min(max(round(ABOUT * float(face_size(face))), 32), height, width))
    x, y = face[:, :2].mean(0)
    left, top = (
        int(min(max(round(float(at) - side / 2), 0), most - side))
        for at, most in ((x, width), (y, height))
    )
    return _part(frame, left, top, side)


def _part(frame: np.ndarray, left: int, top: int, side: int) -> list[np.ndarray]:
    """The faces in a square of a frame, in pixels of the frame."""
    shift = np.array([left, top, 0], np.float32)
    return [one + shift for one in faces(frame[top : top + side, left : left + side])]


def _in_parts(frame: np.ndarray) -> list[np.ndarray]:
    """The faces in squares of a frame, as high as the frame and half as high, that overlap by half.

    A detector sees a picture at 128×128, so a face of a fifth of the height of a wide frame is too
    small in the whole. What is not found again in a square about it is taken for a mistake.
    """
    found: list[np.ndarray] = []
    short = min(frame.shape[:2])
    for side in (short, short // 2):
        if side < LEAST or side == max(frame.shape[:2]):
            continue
        seen = [
            face
            for left, top in _squares(frame.shape[:2], side)
            for face in _part(frame, left, top, side)
        ]
        found += [again for one in seen if (again := _near(_about(frame, one), one)) is not None]
        if found:
            break
    return _together(found)


def _squares(size: tuple[int, int], side: int) -> Iterator[tuple[int, int]]:
    """Left and top of squares that cover a picture of (H, W), each overlapping the next by half at
    least."""
    height, width = size
    for top in np.linspace(0, height - side, -(-2 * (height - side) // side) + 1):
        for left in np.linspace(0, width - side, -(-2 * (width - side) // side) + 1):
            yield round(left), round(top)


def _together(faces: list[np.ndarray]) -> list[np.ndarray]:
    """Faces that were seen in several squares, once each."""
    found: list[np.ndarray] = []
    for face in faces:
        if not any(
            np.linalg.norm((face - one)[:, :2].mean(0)) < face_size(one) / 2 for one in found
        ):
            found.append(face)
    return found
