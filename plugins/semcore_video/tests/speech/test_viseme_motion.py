"""Lips that phones move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semcore import ComponentError, Extent, Picture, Rng, Sample, Semantics
from semcore_video.face.generator import MeshWarp
from semcore_video.face.mesh import lip_opening
from semcore_video.face.motion import NUMBERS
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import track
from semcore_video.speech.encoder import Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.viseme_motion import VisemeMotion

from ..support.speakers import KB

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def test_phones_that_arrived_move_the_lips_as_they_moved(clip: Sample, points: np.ndarray) -> None:
    kb = KB.add(clip.user, Picture(clip.video[best_reference(points)]))
    got = replace(Speech(send="durations").encode([clip], kb)[0], extent=Extent.of(clip))
    video = VisemeMotion(renderer=MeshWarp()).generate([got], kb, Rng())[0].samples[0].video
    assert video.shape == clip.video.shape
    assert np.corrcoef(lip_opening(track(video)), lip_opening(points))[0, 1] > 0.4


def test_without_phones_the_face_is_still() -> None:
    motion = VisemeMotion(renderer=MeshWarp()).motion(
        Semantics("clip", {}, "someone", extent=Extent(20, 25.0))
    )
    assert motion.shape == (20, NUMBERS) and not motion[:, :6].any()
    assert (motion == motion[0]).all()


def test_a_renderer_that_draws_no_motion_is_refused() -> None:
    with pytest.raises(ComponentError, match="mesh-warp"):
        VisemeMotion(renderer=EspeakVoice())
