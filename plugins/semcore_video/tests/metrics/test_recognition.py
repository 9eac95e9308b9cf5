"""Recognisers that judge speech: any encoder of text, and a grammar of the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from semcore import (
    ComponentError,
    KnowledgeBase,
    Rng,
    RunError,
    Sample,
    SemanticEncoder,
    Semantics,
    Text,
)
from semcore_video.face.encoder import FaceMotion
from semcore_video.metrics.speech import SpeechWER
from semcore_video.speech.encoder import Speech
from semcore_video.speech.generator import EspeakVoice
from semcore_video.speech.moonshine import Moonshine
from semcore_video.speech.recognise import PocketSphinx

from ..support.speakers import cut, record

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")


@dataclass(frozen=True)
class Says(SemanticEncoder):
    """Recognises the same words in any sound, and records its inputs."""

    words: str = "bin blue"
    seen: ClassVar[list[Sample]] = []

    @property
    def streams(self) -> dict[str, type[Text]]:
        return {"text": Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        self.seen.extend(samples)
        return [Semantics(one.id, {"text": Text(self.words)}, one.user) for one in samples]


def test_any_encoder_of_text_recognises_and_the_signature_names_it(clip: Sample) -> None:
    source = replace(clip, text="Bin blue, at F2 now!")
    for said, errors in {
        "bin blue at f two now": 0,
        "BIN BLUE at f 2 now.": 0,
        "bin blue": 4,
        "": 6,
        "one two": 5,
    }.items():
        value = SpeechWER(recogniser=Says(said)).value(record(source, clip))
        assert value == pytest.approx(errors / 6) and (value.numerator, value.denominator) == (
            errors,
            6,
        )
    assert all(one.text is None and one.video is None and one.id != clip.id for one in Says.seen), (
        "it is not shown the words"
    )
    assert "asr=pocketsphinx(grammar=grid)" in SpeechWER().signature
    assert "asr=moonshine()" in SpeechWER(recogniser=Moonshine()).signature
    signatures = {
        SpeechWER(recogniser=one).signature
        for one in (Says(), Says("x"), PocketSphinx(), Moonshine())
    }
    assert len(signatures) == 4
    with pytest.raises(ComponentError, match=r"SpeechWER\.recogniser must give a text stream"):
        SpeechWER(recogniser=FaceMotion())


def test_the_whole_result_is_recognised_however_long(clip: Sample) -> None:
    Says.seen.clear()
    SpeechWER(recogniser=Says()).value(record(clip, cut(clip, 2.0)))
    SpeechWER(recogniser=Says(), of="source").value(record(clip, Sample("lost")))
    assert [len(one.audio) for one in Says.seen] == [2 * len(clip.audio), len(clip.audio)]


def test_pocketsphinx_follows_a_grammar_of_the_users(tmp_path: Path) -> None:
    grammar = tmp_path / "order.gram"
    grammar.write_text(
        "#JSGF V1.0;\ngrammar order;\npublic <order> = (place | set) (white | green) (again | "
        "please);\n"
    )
    said = (
        EspeakVoice()
        .generate(
            Speech(send="durations").encode(
                [
                    Sample(
                        "a",
                        audio=np.zeros(32000, np.float32),
                        sample_rate_hz=16000,
                        text="place white again",
                    )
                ],
                KnowledgeBase(),
            ),
            KnowledgeBase(),
            Rng(),
        )[0]
        .samples[0]
    )
    recognised = PocketSphinx(grammar=str(grammar)).recognise(said)
    assert (
        len(recognised.split()) == 3
        and len(set(recognised.split()) & {"place", "white", "again"}) >= 2
    )
    before = SpeechWER(recogniser=PocketSphinx(grammar=str(grammar))).signature
    grammar.write_text(grammar.read_text().replace("green", "red"))
    assert SpeechWER(recogniser=PocketSphinx(grammar=str(grammar))).signature != before, (
        "by content"
    )
    with pytest.raises(ComponentError, match=r"PocketSphinx\.grammar must be 'grid' or a file"):
        PocketSphinx(grammar=str(tmp_path / "nothing"))
    grammar.write_text("#JSGF V1.0;\ngrammar order;\npublic <order> = xyzzyx | plugh;\n")
    with pytest.raises(RunError, match="PocketSphinx cannot use the grammar"):
        PocketSphinx(grammar=str(grammar)).recognise(said)
