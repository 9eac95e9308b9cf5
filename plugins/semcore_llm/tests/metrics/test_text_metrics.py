"""Closed forms of the text metrics, and what happens to empty, lost and hostile texts."""

from __future__ import annotations

import importlib.util
import math
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcore import Bitstream, ComponentError, Ledger, Record, Sample, Semantics, Text
from semcore_llm.metrics.bleu import SentenceBLEU, tokenizer_of
from semcore_llm.metrics.char_accuracy import CharAccuracy, edit_distance
from semcore_llm.metrics.semantic_entropy import SemanticEntropy, phrases

BIRD = "A brown and white bird perched on a wooden post."
DAMAGED = "A brown and white bird perched on a wnoden p st."


def record(sent: dict[str, str], arrived: dict[str, str]) -> Record:
    both = [
        Semantics("a", {name: Text(text) for name, text in texts.items()})
        for texts in (sent, arrived)
    ]
    return Record(Sample("a"), *both, Sample("a"), Ledger())


def value(metric, sent: str, arrived: str | None) -> float:
    return metric.value(record({"x": sent}, {} if arrived is None else {"x": arrived}))


# ------------------------------------------------------------------------------------------ wording


@pytest.mark.parametrize(
    "metric", [SentenceBLEU(), CharAccuracy(), SentenceBLEU(smoothing="none")], ids=repr
)
@given(sent=st.text(max_size=30), arrived=st.text(max_size=30))
def test_likeness_of_any_two_texts_is_a_share_and_equal_texts_have_one(metric, sent, arrived):
    assert 0 <= value(metric, sent, arrived) <= 1
    assert value(metric, sent, sent) == 1
    assert value(metric, sent, None) == 0
    assert metric.value(record({}, {"x": arrived})) is None


def test_bleu_of_the_papers_damaged_prompt():
    # Of its 12 tokens (the full stop is one) 9 agree, and of the 11, 10 and 9 longer n-grams 7, 6
    # and 5.
    assert value(SentenceBLEU(), BIRD, DAMAGED) == pytest.approx(
        (9 / 12 * 7 / 11 * 6 / 10 * 5 / 9) ** (1 / 4)
    )


def test_bleu_punishes_what_is_missing():
    # Every n-gram of half the sentence is right, so only the brevity penalty is left: exp(1 - 8/4).
    assert value(SentenceBLEU(), "a b c d e f g h", "a b c d") == pytest.approx(math.exp(-1))


BRANCH = "一只棕色和白色的鸟栖息在木柱上"


@pytest.mark.parametrize("settings", [{}, {"tokenizer": "zh"}, {"tokenizer": "char"}], ids=str)
def test_one_wrong_character_of_fifteen_is_not_the_whole_chinese_caption(settings):
    """Of 15 characters the last is wrong: 14/15, 13/14, 12/13 and 11/12 of the n-grams agree."""
    assert len(BRANCH) == 15
    assert value(SentenceBLEU(**settings), BRANCH, BRANCH[:-1] + "土") == pytest.approx(
        (11 / 15) ** (1 / 4)
    )


def test_the_tokenizer_says_what_a_word_is():
    scores = {
        name: value(SentenceBLEU(tokenizer=name), "it's 3.5 m, wide", "it's 3.5 m , wide")
        for name in ("13a", "intl", "none")
    }
    assert scores["13a"] == scores["intl"] == 1 > scores["none"]
    assert value(SentenceBLEU(tokenizer="13a"), BRANCH, BRANCH[:-1] + "土") == 0  # one word
    assert (
        value(SentenceBLEU(tokenizer="none"), "a b", "a b.")
        < value(SentenceBLEU(tokenizer="char"), "a b", "a b.")
        < 1
    )


@pytest.mark.parametrize(
    ("text", "tokenizer"),
    [
        (BIRD, "13a"),
        ("naïve Füße, 3 €", "13a"),
        ("Птица на столбе", "13a"),
        ("새가 앉아 있다", "13a"),
        (BRANCH, "zh"),
        ("Photo 一只鸟", "zh"),
        ("鳥が止まっている", "char"),
        ("นกเกาะอยู่บนเสา", "char"),
        ("", "13a"),
    ],
)
def test_texts_without_spaces_between_words_go_by_characters(text, tokenizer):
    assert tokenizer_of(text) == tokenizer
    changed = f"{text[:-1]}x"
    assert value(SentenceBLEU(), text, changed) == pytest.approx(
        value(SentenceBLEU(tokenizer=tokenizer), text, changed)
    )


def test_every_tokenizer_has_a_signature_of_its_own():
    signatures = [
        SentenceBLEU(tokenizer=name).signature
        for name in ("auto", "13a", "intl", "char", "zh", "none")
    ]
    assert len(set(signatures)) == 6 and "tok:zh" in signatures[4] and "chinese=zh" in signatures[0]


@pytest.mark.parametrize(
    ("tokenizer", "extra"), [("ja-mecab", "sacrebleu[ja]"), ("ko-mecab", "sacrebleu[ko]")]
)
def test_a_tokenizer_whose_extra_is_missing_is_refused_with_what_to_install(
    tokenizer, extra, monkeypatch
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ComponentError,
        match=rf"SentenceBLEU\.tokenizer: {tokenizer} needs .*: pip install '{re.escape(extra)}'",
    ):
        SentenceBLEU(tokenizer=tokenizer)


def test_several_texts_count_alike_and_other_streams_do_not():
    both = record({"x": "a cat", "y": "a dog"}, {"x": "a cat"})
    assert SentenceBLEU().value(both) == CharAccuracy().value(both) == 0.5
    bits = Record(
        both.source,
        Semantics("a", {"x": Bitstream(b"a")}),
        Semantics("a"),
        both.result,
        both.ledger,
    )
    assert SentenceBLEU().value(bits) is None


def test_signatures_tell_settings_apart():
    assert "smooth:exp" in SentenceBLEU().signature and "eff:yes" in SentenceBLEU().signature
    assert SentenceBLEU().signature != SentenceBLEU(smoothing="floor").signature
    metric = SentenceBLEU()
    value(metric, "a b", "a c")
    assert metric.signature == SentenceBLEU().signature
    assert pickle.loads(pickle.dumps(metric)) == metric


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), (BIRD, DAMAGED, 2), ("\ud800", "é", 1)],
)
def test_known_edit_distances(one, other, distance):
    assert edit_distance(one, other) == edit_distance(other, one) == distance


@given(*[st.text(alphabet="abc", max_size=6)] * 3)
def test_the_edit_distance_is_a_metric(one, two, three):
    assert edit_distance(one, three) <= edit_distance(one, two) + edit_distance(two, three)
    assert (edit_distance(one, two) == 0) == (one == two)


# ------------------------------------------------------------------------------------------ meaning

WORLDS = [
    f"a {colour} {thing} on {'an' if ground == 'orange' else 'a'} {ground} background"
    for colour in ("brown", "green")
    for thing in ("bird", "cat", "dog", "ship")
    for ground in ("green", "blue", "orange", "white")
]


@pytest.fixture
def entropy(tmp_path) -> SemanticEntropy:
    file = tmp_path / "knowledge.txt"
    file.write_text("\n".join(WORLDS) + "\n\n")
    return SemanticEntropy(knowledge=str(file))


@pytest.mark.parametrize(
    ("sentence", "bits"),
    [
        ("", 0),
        ("xq zzt", 0),
        ("a photo on the background", 0),  # every world has a background
        ("a bird", 2),
        ("a brown thing", 1),
        ("A brown, BIRD!", 3),
        ("a green bird", 3),
        ("green", math.log2(32 / 20)),  # 16 green things, and 4 brown ones on green
        ("a bird on a green background", 4),
        ("a brown bird on a green background", 5),
        (
            "a brown bird om a green backgrouxd",
            5,
        ),  # what is green is no brown bird, so the background is
        ("a brown bi d on a grexn background", 1),
        ("a bird and a cat", math.log2(33)),  # true of no world
        ("a blue bird", math.log2(33)),
    ],
)
def test_entropy_is_minus_log2_of_the_share_of_worlds(entropy, sentence, bits):
    assert value(entropy, "whatever was sent", sentence) == pytest.approx(bits)


@given(
    subset=st.sets(
        st.sampled_from("brown green bird cat dog ship blue orange background photo".split())
    )
)
def test_saying_more_never_says_less(subset):
    metric = SemanticEntropy(knowledge="unused")
    metric.__dict__["captions"] = tuple(WORLDS)
    ordered = sorted(subset)
    bits = [value(metric, "x", " of a ".join(ordered[:count])) for count in range(len(ordered) + 1)]
    assert bits == sorted(bits) and bits[0] == 0 and bits[-1] <= math.log2(33)


def test_lost_and_absent_texts(entropy):
    assert value(entropy, "a bird", None) == 0
    assert entropy.value(record({}, {})) is None
    assert entropy.value(record({"x": "", "y": ""}, {"x": "a bird", "y": "something brown"})) == 3


def test_repeated_captions_are_more_likely(tmp_path):
    file = tmp_path / "k.txt"
    file.write_text("a bird\na bird\na bird\na cat\n")
    assert value(SemanticEntropy(knowledge=str(file)), "x", "a cat") == 2
    assert value(SemanticEntropy(knowledge=str(file)), "x", "a bird") == pytest.approx(
        math.log2(4 / 3)
    )


def test_phrases_keep_roles_apart():
    content = frozenset({"brown", "white", "bird", "green", "background"})
    assert phrases("a brown and white bird on a green background", content) == {
        frozenset({"brown", "white", "bird"}),
        frozenset({"green", "background"}),
    }


def test_the_signature_is_that_of_the_knowledge(entropy, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("a bird\n")
    assert "captions=32" in entropy.signature
    assert SemanticEntropy(knowledge=str(other)).signature != entropy.signature
    assert pickle.loads(pickle.dumps(entropy)).signature == entropy.signature


@pytest.mark.parametrize("content", [None, b"", b"\n \n", b"\xff\xfe\xfa"])
def test_unusable_knowledge_is_named(tmp_path, content):
    file = tmp_path / "bad.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ComponentError, match="knowledge"):
        value(SemanticEntropy(knowledge=str(file)), "a", "a")


def test_a_knowledge_base_may_have_a_byte_order_mark_and_must_be_text(tmp_path):
    file = tmp_path / "captions.txt"
    file.write_bytes("\ufeffa cat\na dog\n".encode())
    assert SemanticEntropy(knowledge=str(file)).captions == ("a cat", "a dog")
    file.write_bytes("a cat\na d\xf6g\n".encode("latin-1"))
    with pytest.raises(
        ComponentError, match=r"captions\.txt is not UTF-8 text: byte 0xF6 at position 9 \(line 2\)"
    ):
        _ = SemanticEntropy(knowledge=str(file)).captions
