"""Whether sound and lips belong together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from semcore import RunError, Sample
from semcore_video.metrics.lip_fit import LipFit, LipFitLag
from semcore_video.metrics.speech import RATE_HZ
from semcore_video.metrics.syncnet import LSEC, LSED, build

from ..support.speakers import record

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


def test_sound_that_is_late_is_found_out(clip: Sample) -> None:
    pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
    late = replace(clip, audio=np.roll(clip.audio, round(0.2 * RATE_HZ)))
    there, then = LipFit().measure([record(clip), record(late)])
    assert there > then + 0.1
    first, second = LipFitLag().measure([record(clip), record(late)])
    assert abs(first) <= 2 and abs(second - 5) <= 2
    assert LipFit().measure([record(replace(clip, audio=None, sample_rate_hz=None))]) == [None]


@pytest.mark.slow
def test_syncnet_judges_with_the_weights_that_a_user_names(clip: Sample, tmp_path: Path) -> None:
    pytest.importorskip("python_speech_features", reason="pip install 'semcore-video[metrics]'")
    pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
    from safetensors.torch import save_file

    short = replace(clip, video=clip.video[:12], audio=clip.audio[: 12 * 640])
    torch.manual_seed(1)
    save_file(build().state_dict(), tmp_path / "syncnet.safetensors")
    name = str(tmp_path / "syncnet.safetensors")
    (distance,), (confidence,) = (
        LSED(weights=name).measure([record(short)]),
        LSEC(weights=name).measure([record(short)]),
    )
    assert distance > 0 and confidence >= 0
    # Sound that is missing is silence, and a video of another frame rate is seen as long as it
    # lasts.
    silent = replace(short, audio=np.concatenate([short.audio[:4000], 0 * short.audio[4000:]]))
    assert LSED(weights=name).measure([record(replace(short, audio=short.audio[:4000]))]) == LSED(
        weights=name
    ).measure([record(silent)])
    doubled = replace(short, video=short.video.repeat(2, 0), fps=50.0)
    assert LSED(weights=name).measure([record(doubled)]) == [pytest.approx(distance, rel=0.02)]
    with pytest.raises(RunError, match=r"syncnet_v2\.model"):
        LSED(weights=str(tmp_path / "nothing")).measure([record(short)])
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(RunError, match="does not contain its weights"):
        LSEC(weights=str(tmp_path / "other.safetensors")).measure([record(short)])
