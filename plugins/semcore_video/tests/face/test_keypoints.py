"""Key points of a face, sent and warped."""

from __future__ import annotations

import numpy as np
import pytest

from semcore import Picture, Rng, Sample
from semcore_video.face.keypoints import FaceKeypoints, KeypointWarp
from semcore_video.face.mesh import lip_opening
from semcore_video.face.tracker import track

from ..support.speakers import KB

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


@pytest.mark.slow
def test_key_points_move_a_face_as_it_moved(clip: Sample) -> None:
    kb = KB.add(clip.user, Picture(clip.video[0]))
    sent = FaceKeypoints().encode([clip], kb)[0]
    assert sent.streams["keypoints"].form == (75, 42)
    video = KeypointWarp().generate([sent], kb, Rng())[0].samples[0].video
    assert np.corrcoef(lip_opening(track(video)), lip_opening(track(clip.video)))[0, 1] > 0.8
