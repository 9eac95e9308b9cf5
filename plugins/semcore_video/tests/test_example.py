"""The example of a talking head as a user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")


@pytest.mark.docs
def test_the_example_brings_back_a_moving_speaking_face(tmp_path: Path) -> None:
    import av

    from semcore.analysis import read_run
    from semcore.commands import main

    example = Path(__file__).resolve().parents[3] / "examples" / "av_v2a.yaml"
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "run",
                str(example),
                "channel.block_snr_db=12",
                "--limit",
                "1",
                "--out",
                str(tmp_path / "run"),
            ]
        )
    assert ended.value.code == 0
    [result] = read_run(tmp_path / "run").results
    uses = {(one["stream"], one["kind"]): one["channel_uses"] for one in result["ledger"]}
    assert uses["motion", "data"] == 300 and uses["motion", "header"] == 32
    assert result["metrics"]["bler"]["mean"] == 0 and any(
        stream == "reference" for stream, _ in uses
    )
    [row] = read_run(tmp_path / "run").items(result)
    for name in ("source", "result"):
        with av.open(str(tmp_path / "run" / "cells" / result["id"] / row["clips"][name])) as clip:
            assert (
                clip.streams.video[0].frames == 75
                and abs(clip.streams.audio[0].duration / 48000 - 3) < 0.1
            )
    page = (tmp_path / "run" / "report.html").read_text()
    assert (
        page.count('<video src="data:video/mp4;base64,') == 2 and "media-src data:" in page
    )  # both side by side
