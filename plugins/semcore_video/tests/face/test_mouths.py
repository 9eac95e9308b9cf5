"""Mouth atlas: the inside of the mouth is restored, smoothly, at the channel uses in the ledger."""

from __future__ import annotations

import numpy as np
import pytest

from semcore import Features, KnowledgeBase, Picture, Rng, Sample, Semantics
from semcore_video.face.encoder import MOTION, MOUTHS
from semcore_video.face.generator import MeshWarp
from semcore_video.face.mesh import INNER_LIPS, face_size, frontal, lip_opening
from semcore_video.face.motion import basis
from semcore_video.face.mouths import (
    LEAST,
    LOWER,
    NUMBERS,
    OPENING_UNIT,
    UPPER,
    mouths_of,
    with_mouth,
)
from semcore_video.face.tracker import track
from semcore_video.face.warp import portrait
from semcore_video.kb.face import FaceKB
from semcore_video.sources.talking_samples import portrait_of_astronaut

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
NOTHING = (
    np.full((2, NUMBERS), np.nan),
    np.zeros((0, NUMBERS)),
    np.ones((3, 7)),
    np.zeros((4, NUMBERS)),
)
TEETH = np.array([210, 200, 190], np.float32)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """A face, uint8 (256, 256, 3)."""
    return portrait_of_astronaut((256, 256))


@pytest.fixture(scope="module")
def opening(face: np.ndarray) -> np.ndarray:
    """Points of a face with the lips opening gradually, (20, 478, 3)."""
    points = track(face[None])[0]
    ways = np.eye(6, dtype=np.float32)[1:]
    pairs = basis().points(np.concatenate([np.zeros((5, 6), np.float32), ways], 1), points)
    way = ways[np.abs(lip_opening(pairs) - lip_opening(points)).argmax()]
    sign = np.sign(
        lip_opening(basis().points(np.concatenate([np.zeros(6), way])[None], points))
        - lip_opening(points)
    )
    numbers = (
        np.linspace(-1, 6, 20)[:, None] * sign * np.concatenate([np.zeros(6, np.float32), way])
    )
    return basis().points(numbers.astype(np.float32), points)


def _inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    found = np.zeros(size, np.uint8)
    cv2.fillPoly(found, [np.round(points[list(INNER_LIPS), :2]).astype(np.int32)], 1)
    return cv2.erode(found, np.ones((3, 3), np.uint8)) > 0


def test_what_was_between_the_lips_comes_back(face: np.ndarray, opening: np.ndarray) -> None:
    """Teeth above a dark throat, in a picture otherwise equal to the portrait."""
    wide = opening[-1]
    inside = _inside(wide, face.shape[:2])
    assert inside.sum() > 50
    seen = face.astype(np.float32)
    rows = np.nonzero(inside)[0]
    upper = inside & (np.arange(len(face))[:, None] < np.median(rows))
    seen[inside], seen[upper] = (30, 10, 10), TEETH
    mouths = mouths_of(seen[None].astype(np.uint8), wide[None], 3)
    again = with_mouth(face.astype(np.float32), wide, mouths)
    error, before = (
        np.sqrt(np.mean((one[inside] - seen[inside]) ** 2))
        for one in (again, face.astype(np.float32))
    )
    assert error < before / 2 and error < 45
    outside = ~inside & (np.abs(again - face).max(-1) > 1)
    assert outside.sum() < inside.sum(), "little but the mouth is painted"


def test_mouths_open_without_jumps(face: np.ndarray, opening: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    mouths = np.zeros((4, NUMBERS), np.float32)
    mouths[:, 0] = [0.3, 0.8, 1.5, 2.5]
    mouths[:, 1:] = 0.3 * rng.standard_normal((4, NUMBERS - 1))
    flat = np.full(face.shape, 128, np.float32)
    wide = opening[-1]
    fine = wide + np.linspace(-0.5, 0, 60)[:, None, None] * (wide - opening[4])
    painted = np.stack([with_mouth(flat, one, mouths) for one in fine.astype(np.float32)])
    steps = np.abs(np.diff(painted, axis=0)).mean((1, 2, 3))
    assert steps.max() < 8 * max(float(np.median(steps)), 1e-3)


def test_a_shut_mouth_shows_nothing(face: np.ndarray, opening: np.ndarray) -> None:
    shut = opening[:3].copy()
    shut[:, list(LOWER)] = (
        shut[:, list(UPPER)] + np.array([0, 0.4 * LEAST, 0]) * face_size(shut)[:, None, None]
    )
    assert (lip_opening(shut) > 0).all() and (lip_opening(shut) < LEAST / 2).all()
    mouths = np.ones((2, NUMBERS), np.float32)
    for points, opened in zip(shut, opening, strict=False):
        np.testing.assert_array_equal(
            with_mouth(face.astype(np.float32), points, mouths), face.astype(np.float32)
        )
        assert (with_mouth(face.astype(np.float32), opened, mouths) != face).any()
    still = np.repeat(face[None], 3, axis=0)
    assert not mouths_of(still, shut, 4).any() and mouths_of(still, opening[:3], 4).any()


def test_mouths_are_in_order_and_the_widest_is_among_them(
    face: np.ndarray, opening: np.ndarray
) -> None:
    mouths = mouths_of(np.repeat(face[None], len(opening), axis=0), opening, 5)
    assert mouths.shape == (5, NUMBERS) and (np.diff(mouths[:, 0]) >= 0).all()
    assert mouths[-1, 0] * OPENING_UNIT == pytest.approx(lip_opening(opening).max())


@pytest.mark.parametrize(
    "mouths",
    [
        np.full((2, NUMBERS), np.nan),
        np.zeros((0, NUMBERS)),
        np.ones((3, 7)),
        np.zeros((4, NUMBERS)),
    ],
)
def test_mouths_that_say_nothing_leave_the_mouth_dark(face: np.ndarray, mouths: np.ndarray) -> None:
    made = portrait(face, mouths.astype(np.float32))
    assert made is not None and made.mouths is None


def test_the_knowledge_base_gets_mouths_with_the_picture_and_without_a_face_too(
    face: np.ndarray, opening: np.ndarray
) -> None:
    still = portrait(face)
    assert still is not None
    video = np.stack([still.moved_to(points) for points in opening[::2]])
    policy, sample = FaceKB(mouths=3), Sample("a/0", "a", video=video, fps=25.0)
    [update] = policy.update(KnowledgeBase(), [sample])
    assert set(update.streams) == set(policy.streams) == {"reference", MOUTHS}
    known = policy.apply(KnowledgeBase(), [update])
    assert not policy.update(known, [sample])[0].streams, "mouths go with a picture alone"
    [nobody] = policy.update(
        KnowledgeBase(), [Sample("b/0", "b", video=np.zeros((2, 64, 64, 3), np.uint8), fps=25.0)]
    )
    assert set(nobody.streams) == {"reference", MOUTHS}

    moving = Features(basis().numbers(opening, opening[0]))
    with_them, without = (
        MeshWarp()
        .generate([Semantics("a/0", {MOTION: moving}, "a")], kb, Rng(0))[0]
        .samples[0]
        .video
        for kb in (
            known,
            KnowledgeBase({"a": tuple(one for one in known.of("a") if isinstance(one, Picture))}),
        )
    )
    assert with_them is not None and without is not None and (with_them != without).any()


def test_a_face_is_turned_to_the_front_from_wherever_it_looks(opening: np.ndarray) -> None:
    from scipy.spatial.transform import Rotation

    front = frontal(opening[0])
    centre = opening[0].mean(0)
    for angles in ((25, 0, 0), (0, -30, 10), (5, 15, -20)):
        turned = (opening[0] - centre) @ Rotation.from_euler(
            "xyz", angles, degrees=True
        ).as_matrix().T + centre
        np.testing.assert_allclose(frontal(turned.astype(np.float32)), front, atol=0.05)
