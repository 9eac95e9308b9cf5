"""Which detector judges faces, and how well detectors agree with marks by hand."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from semcore import ComponentError, Sample
from semcore_video.face.landmarks import Detector, landmarks
from semcore_video.metrics import by_hand
from semcore_video.metrics.faces import AKD, CSIM, CentredCSIM, LipCorrelation
from semcore_video.metrics.lip_fit import LipFit
from semcore_video.metrics.sync import LipSync, SyncLag

from ..support.speakers import record

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")


def test_the_detector_is_a_setting_and_stands_in_the_signature(clip: Sample) -> None:
    part = replace(clip, video=clip.video[:4])
    moved = replace(part, video=np.roll(part.video, 4, axis=2))
    for kind in (AKD, CSIM, CentredCSIM, LipCorrelation, LipSync, SyncLag, LipFit):
        signatures = [kind(detector=detector).signature for detector in ("mediapipe", "dlib")]
        assert "judge=mediapipe" in signatures[0] and "judge=dlib" in signatures[1]
        assert kind().signature == signatures[0]
    for detector in ("mediapipe", "dlib"):
        assert AKD(detector=detector).value(record(part, moved)) == pytest.approx(4, abs=0.5)
        assert CSIM(detector=detector).value(record(part, moved)) > 0.95
    with pytest.raises(ComponentError, match="detector"):
        AKD(detector="haar")


def test_both_detectors_find_the_same_places(clip: Sample) -> None:
    one, other = (landmarks(clip.video[:3], detector) for detector in ("mediapipe", "dlib"))
    apart = np.linalg.norm(one - other, axis=-1)[
        :, 17:
    ].mean()  # the outline of a face is where a model draws it
    assert apart < 0.05 * np.linalg.norm(other[0, 27] - other[0, 8])


def test_a_hundred_frames_are_marked_by_hand() -> None:
    marks = by_hand.marks()
    assert len(marks) == 100 and len({(one.clip, one.frame) for one in marks}) == 100
    assert len({one.clip for one in marks}) == 9
    openings = np.array([one.opening_px for one in marks])
    assert openings.min() == 0 and 20 < (openings == 0).sum() < 40 and openings.max() > 20
    assert (2 * openings == np.round(2 * openings)).all(), "to half a pixel"


def test_agreement_is_that_of_the_openings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A detector equal to the annotations agrees completely; one with an offset of a pixel
    correlates, with an error of one pixel."""
    marks = by_hand.marks()

    def made(name: str, off: float, lost: int = 0) -> np.ndarray:
        points = np.zeros((200, 68, 2), np.float32)
        for mark in (one for one in marks if one.clip == name):
            points[mark.frame, 66, 1] = mark.opening_px + off
        points[:lost] = np.nan
        return points

    monkeypatch.setattr(by_hand, "_frames", lambda place: str(place.relative_to(tmp_path)))
    monkeypatch.setattr(
        by_hand, "landmarks", lambda name, detector: made(name, 0.0 if detector == "dlib" else 1.0)
    )
    assert by_hand.agreement("dlib", tmp_path) == by_hand.Agreement(
        100, 100, pytest.approx(1), pytest.approx(1), 0.0
    )
    assert by_hand.agreement("mediapipe", tmp_path) == by_hand.Agreement(
        100, 100, pytest.approx(1), pytest.approx(1), 1.0
    )
    monkeypatch.setattr(by_hand, "landmarks", lambda name, detector: made(name, 0.0, lost=7))
    assert by_hand.agreement("dlib", tmp_path).found == 91


@pytest.mark.skipif(
    "SEMCORE_MARKED_CLIPS" not in os.environ,
    reason="SEMCORE_MARKED_CLIPS names the folder of the clips",
)
@pytest.mark.slow
def test_the_default_agrees_best_with_the_marks() -> None:
    data = Path(os.environ["SEMCORE_MARKED_CLIPS"])
    found = {detector: by_hand.agreement(detector, data) for detector in get_args(Detector)}
    best = max(found, key=lambda one: found[one].correlation)
    assert best == AKD().detector == min(found, key=lambda one: found[one].error_px)
    assert (
        found[best].correlation > 0.97 and found[best].error_px < 1.2 and found[best].found == 100
    )
