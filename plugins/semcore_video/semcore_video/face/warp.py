"""Renderer without weights: the reference picture as a mesh that follows the points, over a still
background."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from semcore_video.face.detector import person_mask
from semcore_video.face.mesh import INNER_LIPS, OVAL, face_size, frontal, lip_opening
from semcore_video.face.mouths import LEAST, NUMBERS, OPENING_UNIT, with_mouth
from semcore_video.face.tracker import track

FACE = 468
"""Number of mesh points used for triangles; the irises lie on top of others."""
RINGS = ((1.25, 0.9), (1.55, 0.45))
"""Rings around the face: radius relative to the outline, and weight with which they follow it, so
that hair moves with the face and shoulders hardly move."""
BORDER = 8
"""Fixed points along each side of the picture."""
DARK = np.array([38, 16, 18], np.float32)
"""Colour of the inside of an open mouth."""
MOUTH_FROM, MOUTH_FULL = 0.01, 0.05
"""Openings of the lips, in face heights, at which darkening starts and is complete."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A reference picture prepared for warping.

    Fields:
        picture: uint8 (H, W, 3)
        points: of the face in it, float32 (478, 3), pixels
        mouths: mouth atlas, ordered by opening, float32 (n, numbers); None: not known
    """

    picture: np.ndarray
    points: np.ndarray
    mouths: np.ndarray | None = None

    @functools.cached_property
    def anchors(self) -> np.ndarray:
        """Points of the rings and the border, float32 (n, 2)."""
        return np.concatenate([self._rings(self.points), self._border()])

    @functools.cached_property
    def triangles(self) -> np.ndarray:
        """Corners of the triangles, as indices of face points and anchors: int64 (n, 3).

        The triangulation is that of the frontal view: in a turned reference, points of the far
        cheek overlap others, and triangles between such neighbours would tear when the head turns
        back.
        """
        from scipy.spatial import Delaunay

        front = frontal(self.points)
        return Delaunay(
            np.concatenate([front[:FACE, :2], self._rings(front), self._border()])
        ).simplices

    @functools.cached_property
    def plate(self) -> tuple[np.ndarray, np.ndarray]:
        """The background without the person, float32 (H, W, 3), and the person mask, 0..1 (H, W,
        1)."""
        from semcore_video.face.opencv import cv2

        mask = person_mask(self.picture)
        hole = cv2.dilate((mask > 0.1).astype(np.uint8), np.ones((9, 9), np.uint8))
        background = cv2.inpaint(np.ascontiguousarray(self.picture), hole, 5, cv2.INPAINT_TELEA)
        return background.astype(np.float32), mask[:, :, None]

    def moved_to(self, points: np.ndarray) -> np.ndarray:
        """The portrait with its face moved to other points (478, 3): uint8 (H, W, 3)."""
        from semcore_video.face.opencv import cv2

        height, width = self.picture.shape[:2]
        corners = np.concatenate([points[:FACE, :2], self._followed(points)])
        reference_corners = np.concatenate([self.points[:FACE, :2], self.anchors])
        x, y = _where_from(
            self.triangles, corners, reference_corners, self._depth(points), (height, width)
        )
        background, mask = self.plate
        layers = np.concatenate([self.picture.astype(np.float32), mask * 255], axis=2)
        warped = cv2.remap(layers, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        # By the warped mask: background pixels, and those uncovered by the head, are taken from the
        # inpainted background.
        share = warped[:, :, 3:] / 255
        drawn = warped[:, :, :3] * share + background * (1 - share)
        if self.mouths is None:
            drawn = self._with_darkness(drawn, points)
        else:
            drawn = with_mouth(drawn, points, self.mouths)
        return np.clip(drawn, 0, 255).astype(np.uint8)

    def _with_darkness(self, drawn: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The picture with the inside of the lips darkened where they open beyond the opening in
        the reference.

        Visible teeth may be stretched to twice their height before darkening starts.
        """
        from semcore_video.face.opencv import cv2

        opened = float(lip_opening(points)) - max(2 * float(lip_opening(self.points)), MOUTH_FROM)
        share = float(np.clip(opened / (MOUTH_FULL - MOUTH_FROM), 0, 1))
        if share <= 0:
            return drawn
        inside = np.zeros(drawn.shape[:2], np.float32)
        cv2.fillPoly(
            inside,
            [np.round(points[list(INNER_LIPS), :2] * 16).astype(np.int32)],
            1.0,
            cv2.LINE_AA,
            4,
        )
        sigma = max(float(face_size(points)) / 160, 0.5)
        soft = cv2.GaussianBlur(inside, (0, 0), sigma)[:, :, None] * share
        return drawn * (1 - 0.9 * soft) + DARK * 0.9 * soft

    def _rings(self, points: np.ndarray) -> np.ndarray:
        outline = points[list(OVAL), :2]
        centre = outline.mean(0)
        return np.concatenate([centre + out * (outline - centre) for out, _ in RINGS])

    def _border(self) -> np.ndarray:
        height, width = self.picture.shape[:2]
        along = np.linspace(0, 1, BORDER, endpoint=False)
        ring = [
            (along, 0 * along),
            (1 + 0 * along, along),
            (1 - along, 1 + 0 * along),
            (0 * along, 1 - along),
        ]
        # Outside the picture, so that the rings are inside.
        far = np.concatenate([np.stack(side, 1) for side in ring]) * 1.6 - 0.3
        return (far * (width - 1, height - 1)).astype(np.float32)

    def _followed(self, points: np.ndarray) -> np.ndarray:
        """Positions of the anchors when the face moves to `points`."""
        still, moved = self._rings(self.points), self._rings(points)
        follow = np.repeat([share for _, share in RINGS], len(OVAL))[:, None]
        return np.concatenate([still + follow * (moved - still), self._border()])

    def _depth(self, points: np.ndarray) -> np.ndarray:
        """Mean depth of each triangle, drawn far to near; anchors lie behind the face."""
        depth = np.concatenate(
            [points[:FACE, 2], np.full(len(self.anchors), points[:FACE, 2].max() + 1)]
        )
        return depth[self.triangles].mean(1)


def portrait(picture: np.ndarray, mouths: np.ndarray | None = None) -> Portrait | None:
    """The portrait in a picture uint8 (H, W, 3), or None if it shows no face.

    Args:
        mouths: atlas made by `mouths_of`; one of another shape or without an open mouth is ignored
    """
    points = track(picture[None])[0]
    if not np.isfinite(points).all():
        return None
    if mouths is None or mouths.shape[1:] != (NUMBERS,):
        return Portrait(picture, points)
    atlas = np.nan_to_num(mouths)
    some_open = (atlas[:, 0] * OPENING_UNIT >= LEAST).any()
    return Portrait(picture, points, atlas if some_open else None)


def _where_from(
    triangles: np.ndarray,
    corners: np.ndarray,
    reference_corners: np.ndarray,
    depth: np.ndarray,
    size: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """For every pixel, its position in the reference: x and y, float32 (H, W).

    Args:
        triangles: int (n, 3)
        corners: target positions of the points, (p, 2)
        reference_corners: their positions in the reference, (p, 2)
        depth: of the triangles, (n,)
        size: (H, W)
    """
    from semcore_video.face.opencv import cv2

    target = corners[triangles].astype(np.float64)
    source = reference_corners[triangles].astype(np.float64)
    ones = np.ones((len(triangles), 3, 1))
    to: Any = np.concatenate([target, ones], 2)
    flat = np.abs(np.linalg.det(to)) < 1e-6
    to[flat] = np.eye(3)  # a triangle without area covers no pixel
    # (n, 3, 2): (x, y, 1) -> (x, y) in the reference
    affine = (np.linalg.inv(to) @ source).astype(np.float32)
    ids = np.zeros(size, np.int32)
    drawn = np.round(target * 16).astype(np.int32)
    for index in np.argsort(-depth):
        if not flat[index]:
            cv2.fillConvexPoly(ids, drawn[index], int(index) + 1, cv2.LINE_8, 4)
    rows, columns = np.indices(size, dtype=np.float32)
    chosen = affine[np.maximum(ids - 1, 0)]
    x = columns * chosen[..., 0, 0] + rows * chosen[..., 1, 0] + chosen[..., 2, 0]
    y = columns * chosen[..., 0, 1] + rows * chosen[..., 1, 1] + chosen[..., 2, 1]
    outside = ids == 0
    x[outside], y[outside] = columns[outside], rows[outside]
    return x, y
