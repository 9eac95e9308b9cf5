"""Motion of a face in twelve numbers, and the face that they warp."""

from __future__ import annotations

import numpy as np
import pytest

from semcore import Extent, Picture, Rng, Sample, Semantics
from semcore_video.face.encoder import FaceMotion
from semcore_video.face.generator import MeshWarp
from semcore_video.face.mesh import eye_openness, face_size, lip_opening
from semcore_video.face.motion import NUMBERS, basis
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import track

from ..support.speakers import KB

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def test_numbers_of_points_that_they_made_are_the_numbers(points: np.ndarray) -> None:
    reference = points[best_reference(points)]
    numbers = np.random.default_rng(1).normal(0, 2, (20, NUMBERS)).astype(np.float32)
    found = basis().numbers(basis().points(numbers, reference), reference)
    assert np.abs(found - numbers).max() < 0.6 and np.abs(found - numbers).mean() < 0.08
    assert not basis().numbers(reference[None], reference).round(3).any()


def test_twelve_numbers_hold_what_a_face_does(points: np.ndarray) -> None:
    reference = points[best_reference(points)]
    fitted = basis().points(basis().numbers(points, reference), reference)
    apart = (
        np.linalg.norm(fitted[..., :2] - points[..., :2], axis=-1).mean() / face_size(points).mean()
    )
    still = (
        np.linalg.norm(reference[None, :, :2] - points[..., :2], axis=-1).mean()
        / face_size(points).mean()
    )
    assert apart < 0.006 and apart < still / 3
    assert np.corrcoef(lip_opening(fitted), lip_opening(points))[0, 1] > 0.9
    assert np.corrcoef(eye_openness(fitted), eye_openness(points))[0, 1] > 0.8


def test_the_whole_face_may_move_and_the_numbers_of_its_expression_stay(points: np.ndarray) -> None:
    reference = points[best_reference(points)]
    numbers = basis().numbers(points[:5], reference)
    shifted = basis().numbers(points[:5] + np.array([7.0, -3.0, 0.0], np.float32), reference)
    np.testing.assert_allclose(shifted[:, 6:], numbers[:, 6:], atol=1e-2)
    np.testing.assert_allclose(
        (shifted - numbers)[:, 3:5], [[7, -3]] * 5 / face_size(reference) / 0.003, rtol=1e-2
    )


def test_a_good_reference_has_open_eyes_and_a_shut_mouth(points: np.ndarray) -> None:
    chosen = points[best_reference(points)]
    assert (
        eye_openness(chosen) >= 0.9 * np.median(eye_openness(points))
        and lip_opening(chosen) <= 0.03
    )


def test_the_warped_face_does_what_the_source_did(clip: Sample, points: np.ndarray) -> None:
    kb = KB.add(clip.user, Picture(clip.video[best_reference(points)]))
    got = FaceMotion().encode([clip], kb)[0]
    video = MeshWarp().generate([got], kb, Rng())[0].samples[0].video
    assert video.shape == clip.video.shape
    seen = track(video[::5])
    assert np.corrcoef(lip_opening(seen), lip_opening(points[::5]))[0, 1] > 0.8
    apart = np.linalg.norm(seen[..., :2] - points[::5, :, :2], axis=-1).mean()
    still = np.linalg.norm(
        points[best_reference(points)][None, :, :2] - points[::5, :, :2], axis=-1
    ).mean()
    assert apart < still / 2


def test_without_motion_the_face_is_still_and_without_a_reference_there_is_none(
    clip: Sample,
) -> None:
    kb = KB.add(clip.user, Picture(clip.video[0]))
    nothing = Semantics(clip.id, {}, clip.user, extent=Extent(3, 25.0))
    still = MeshWarp().generate([nothing], kb, Rng())[0].samples[0]
    assert (still.video == clip.video[0]).all() and len(still.video) == 3
    assert (
        MeshWarp().generate([Semantics(clip.id, {}, clip.user)], KB, Rng())[0].samples[0].video
        is None
    )


def test_pictures_without_a_face_do_no_harm() -> None:
    grey = Sample("grey", "nobody", video=np.full((4, 64, 64, 3), 128, np.uint8), fps=25.0)
    kb = KB.add("nobody", Picture(grey.video[0]))
    got = FaceMotion().encode([grey], kb)[0]
    assert not got.streams["motion"].values.any()
    assert (MeshWarp().generate([got], kb, Rng())[0].samples[0].video == 128).all()
