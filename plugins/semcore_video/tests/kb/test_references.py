"""When a picture of a speaker is sent: what each level asks, and whom it takes for another."""

from __future__ import annotations

import numpy as np
import pytest

from semcore import Picture, Sample
from semcore_video.kb.face import FaceKB

from ..support.speakers import KB, stranger

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def test_a_reference_is_sent_once_and_again_when_the_face_has_turned(clip: Sample) -> None:
    policy = FaceKB()
    [first] = policy.update(KB, [clip])
    kb = policy.apply(KB, [first])
    assert first.streams and not policy.update(kb, [clip])[0].streams
    assert (
        not FaceKB(level="l0", rotation_deg=0.0)
        .update(KB.add(clip.user, Picture(clip.video[40])), [clip])[0]
        .streams
    )
    assert (
        FaceKB(rotation_deg=0.0)
        .update(KB.add(clip.user, Picture(clip.video[40])), [clip])[0]
        .streams
    )


def test_every_level_asks_what_the_one_below_asks_and_more(clip: Sample) -> None:
    here, darker = clip.video[0], (clip.video[0] * 0.4).astype(np.uint8)
    cases = {
        "the same": here,
        "darker": darker,
        "turned": clip.video[40],
        "nobody": np.full_like(here, 128),
    }
    strict = {"rotation_deg": 0.1}
    for name, held in cases.items():
        sent = [
            FaceKB(level=level, **strict).needed(here, [held])
            for level in ("l0", "l1", "l2", "forced")
        ]
        first = {"the same": 3, "darker": 1, "turned": 2, "nobody": 0}[
            name
        ]  # the level that notices; those above do, too
        assert sent == [level >= first for level in range(4)], (name, sent)
    assert FaceKB(level="l0").needed(here, [])


def test_a_stranger_is_another_person(clip: Sample) -> None:
    policy = FaceKB(level="l0")
    assert not policy.needed(clip.video[0], [clip.video[30]])
    assert not policy.needed(clip.video[0], [(clip.video[30] * 0.6).astype(np.uint8)])
    assert FaceKB(level="l0", similarity=1.0).needed(clip.video[0], [clip.video[30]])
    for number in (0, 18, 54):
        assert policy.needed(stranger(number), [clip.video[30]]) and policy.needed(
            clip.video[0], [stranger(number)]
        )
    assert policy.needed(stranger(0), [stranger(18)]) and not policy.needed(
        stranger(18), [stranger(18)]
    )
