"""Alignments of phones that others made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from semcore import ComponentError, Sample
from semcore_video.speech.encoder import Speech
from semcore_video.speech.phones import NUMBERS, SILENCE

from ..support.speakers import KB

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
3
<exists>
2
"IntervalTier"
"words"
0
3
3
0
0.6
""
0.6
1.1
"bin"
1.1
3
""
"IntervalTier"
"phones"
0
3
5
0
0.6
""
0.6
0.7
"B"
0.7
0.95
"IH1"
0.95
1.1
"N"
1.1
3
"spn"
"""


def test_the_alignment_of_a_whole_clip_is_not_that_of_its_segment(
    clip: Sample, tmp_path: Path
) -> None:
    pytest.importorskip("praatio", reason="pip install 'semcore-video[speech]'")
    (tmp_path / "astronaut.TextGrid").write_text(TEXTGRID)
    part = replace(clip, audio=clip.audio[:16000])
    with pytest.raises(
        ComponentError,
        match=r"astronaut\.TextGrid lasts 3\.00 s, and the sound of sample .* 1\.00 s",
    ):
        Speech(textgrids=str(tmp_path)).encode([part], KB)


def test_alignments_of_the_montreal_aligner_are_imported(clip: Sample, tmp_path: Path) -> None:
    pytest.importorskip("praatio", reason="pip install 'semcore-video[speech]'")
    (tmp_path / "astronaut.TextGrid").write_text(TEXTGRID)
    sent = Speech(send="durations", textgrids=str(tmp_path)).encode([clip], KB)[0].streams
    assert sent["phones"].values.tolist() == [
        NUMBERS[name] for name in (SILENCE, "B", "IH", "N", SILENCE)
    ]
    assert sent["durations"].values.tolist() == [60, 10, 25, 15, 190]
    both = Speech(textgrids=str(tmp_path)).encode([clip], KB)[0]
    assert both.text("text") == "bin" and both.streams["interval"].values.tolist() == [60, 110]
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "astronaut.TextGrid").write_bytes(TEXTGRID.encode(encoding))
        assert Speech(send="durations", textgrids=str(tmp_path)).encode([clip], KB)[0].streams[
            "phones"
        ].form == (5, 40)
    (tmp_path / "astronaut.TextGrid").write_bytes(
        TEXTGRID.replace('"bin"', '"b\xefn"').encode("latin-1")
    )
    with pytest.raises(
        ComponentError,
        match=r"astronaut.TextGrid is not UTF-8 text: byte 0xEF at position \d+ \(line \d+\)",
    ):
        Speech(textgrids=str(tmp_path)).encode([clip], KB)
    with pytest.raises(ComponentError, match="nobody.TextGrid"):
        Speech(textgrids=str(tmp_path)).encode([replace(clip, user="nobody")], KB)
    (tmp_path / "astronaut.TextGrid").write_text("words")
    with pytest.raises(ComponentError, match="tiers"):
        Speech(textgrids=str(tmp_path)).encode([clip], KB)
