"""The command `kb` on the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from semcore import Sample
from semcore.commands import cli
from semcore_video.kb.command import Measurements, count_updates, measure, propose
from semcore_video.kb.face import FaceKB
from semcore_video.sources.talking_samples import TalkingSamples

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
EXAMPLE = Path(__file__).parents[4] / "examples" / "av_knowledge.yaml"


@pytest.fixture(scope="module")
def segments() -> list[Sample]:
    """Short parts of two clips of one user."""
    clips = TalkingSamples(limit=2, size=(128, 128)).samples()
    return [
        replace(one, id=f"{one.id}/{at}", video=one.video[at : at + 4])
        for one in clips
        for at in (0, 35, 60)
    ]


def test_the_share_of_pairs_is_what_was_asked_for(segments: list[Sample]) -> None:
    measured = measure(FaceKB(), segments)
    assert (
        len(measured.psnr_db) == 15 and not len(measured.different_users) and not measured.separable
    )
    for share in (0.2, 0.6):
        found = propose(FaceKB(), measured, share)
        assert (measured.rotation_deg > found.rotation_deg).mean() == pytest.approx(share, abs=0.07)
        assert (measured.psnr_db < found.threshold_db).mean() == pytest.approx(share, abs=0.07)
        assert found.similarity == FaceKB().similarity
    assert (
        count_updates(propose(FaceKB(), measured, 0.0), segments)
        == 1
        <= count_updates(propose(FaceKB(), measured, 0.6), segments)
    )


def test_users_are_parted_in_the_middle() -> None:
    none = np.zeros(0)
    measured = Measurements(
        np.array([0.9, 0.7]), np.array([0.1, 0.3]), np.array([20.0]), none, none, none
    )
    assert propose(FaceKB(), measured, 0.5).similarity == pytest.approx(0.5)
    assert (
        propose(FaceKB(), replace(measured, different_users=np.array([0.8])), 0.5).similarity
        == FaceKB().similarity
    )


@pytest.mark.slow
def test_the_verb_proposes_what_a_pipeline_can_be_given() -> None:
    done = CliRunner().invoke(
        cli, ["kb", "calibrate", str(EXAMPLE), "source.limit=2", "source.size=[128,128]"]
    )
    assert done.exit_code == 0, done.output
    assert "kb: {use: face, similarity: 0.45, threshold_db: " in done.output
    assert "updates: l0 1," in done.output and "forced 2 of 2 segments" in done.output


def test_what_cannot_be_calibrated_is_refused() -> None:
    alone = CliRunner().invoke(cli, ["kb", "calibrate", str(EXAMPLE), "source.limit=1"])
    assert "two segments of one user" in str(alone.exception)
    other = CliRunner().invoke(
        cli, ["kb", "calibrate", str(EXAMPLE.parent / "captions_with_references.yaml")]
    )
    assert "this pipeline has PsnrKB" in str(other.exception)
