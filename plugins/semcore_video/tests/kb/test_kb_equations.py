"""Eq. 24 to 26 of the satellite paper: the distances of a reference picture, on a modified
portrait."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from PIL import Image

from semcore_video.kb.face import FaceKB, Movement, likeness, movement
from semcore_video.kb.policies import psnr_db
from semcore_video.sources.talking_samples import TalkingSamples


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    [sample] = TalkingSamples(limit=1).samples()
    assert sample.video is not None
    return sample.video[0]


def shifted(picture: np.ndarray, right: int, down: int) -> np.ndarray:
    """The picture shifted, with its border repeated."""
    padded = np.pad(picture, ((32, 32), (32, 32), (0, 0)), "edge")
    return padded[
        32 - down : 32 - down + picture.shape[0], 32 - right : 32 - right + picture.shape[1]
    ]


@pytest.mark.parametrize(("right", "down"), [(1, 0), (0, 1)])
def test_translation_is_how_far_the_head_has_moved_in_either_direction(
    face: np.ndarray, right: int, down: int
) -> None:
    """Eq. 26: proportional to the shift, without effect on rotation and expression."""
    near, far = (
        movement(shifted(face, right * pixels, down * pixels), face) for pixels in (10, 20)
    )
    assert near is not None and far is not None
    assert (
        far.translation == pytest.approx(2 * near.translation, rel=0.2) and near.translation > 0.03
    )
    assert far.rotation_deg < 4 and far.expression < 3


def test_rotation_is_the_angle_by_which_the_head_was_turned(face: np.ndarray) -> None:
    """Eq. 26, for in-plane rotation, whose true angle is known."""
    turned = np.asarray(Image.fromarray(face).rotate(12, Image.Resampling.BICUBIC))
    found = movement(turned, face)
    assert found is not None and found.rotation_deg == pytest.approx(12, abs=2.5)
    same = movement(face, face)
    assert same is not None and astuple(same) == pytest.approx((0, 0, 0), abs=1e-6)


def test_likeness_is_one_for_the_same_picture_and_less_for_another(face: np.ndarray) -> None:
    """Eq. 24: a cosine similarity."""
    same, mirrored = likeness(face, face), likeness(np.ascontiguousarray(face[:, ::-1]), face)
    assert same == pytest.approx(1) and mirrored is not None and mirrored < 1
    assert likeness(np.full_like(face, 128), face) is None


@pytest.mark.parametrize("level", ["l0", "l1", "l2"])
@pytest.mark.parametrize("failing", ["l0", "l1", "l2"])
def test_a_level_sends_when_its_own_test_or_one_below_fails_and_only_then(
    face: np.ndarray, monkeypatch: pytest.MonkeyPatch, level: str, failing: str
) -> None:
    """Section III-D: L0 tests the person, L1 also the appearance, L2 also pose and expression."""
    found = {
        "likeness": 0.44 if failing == "l0" else 0.46,
        "psnr_db": 19.9 if failing == "l1" else 20.1,
        "movement": Movement(10.1 if failing == "l2" else 9.9, 0.19, 5.9),
    }
    for name, value in found.items():
        monkeypatch.setattr(f"semcore_video.kb.face.{name}", lambda here, there, value=value: value)
    policy = FaceKB(level=level, similarity=0.45, threshold_db=20.0, rotation_deg=10.0)  # type: ignore[arg-type]
    assert policy.needed(face, [face]) == (failing <= level)


@pytest.mark.parametrize("moved", [Movement(11, 0, 0), Movement(0, 0.3, 0), Movement(0, 0, 7)])
def test_each_part_of_a_movement_counts_by_itself(
    face: np.ndarray, monkeypatch: pytest.MonkeyPatch, moved: Movement
) -> None:
    monkeypatch.setattr("semcore_video.kb.face.likeness", lambda here, there: 1.0)
    monkeypatch.setattr("semcore_video.kb.face.movement", lambda here, there: moved)
    assert FaceKB().needed(face, [face])


def test_the_psnr_of_eq_25_is_that_of_its_definition(face: np.ndarray) -> None:
    off = np.where(face < 250, face + 5, face - 5).astype(np.uint8)
    assert psnr_db(face, off) == pytest.approx(20 * np.log10(255 / 5))
    assert FaceKB(level="l1", threshold_db=34.0).needed(face, [off]) is False
    assert FaceKB(level="l1", threshold_db=34.2).needed(face, [off]) is True
