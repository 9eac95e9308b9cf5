"""Words and numbers that only look right: messages name the character and what to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semcore.cli import main
from semcore.errors import ConfigError
from semcore.plugins.docstrings import first_sentence, summary
from semcore.wording.suggest import foreign, to_ascii

MINUS = "MINUS SIGN (U+2212): type '-'"


def told(bench: Any, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        bench.load(*overrides)
    assert len(caught.value.problems) == 1, "one mistake, one message"
    return str(caught.value)


@pytest.mark.parametrize(
    ("override", "texts"),
    [
        ("channel.snr_db=\u22123", [MINUS, "write -3"]),
        ("channel.snr_db=0,\u22123", [MINUS, "write -3"]),
        ("channel.snr_db=\u22126:6:3", [MINUS, "write -6:6:3"]),
        ("channel.snr_db=1\u066b5", ["ARABIC DECIMAL SEPARATOR (U+066B): type '.'", "write 1.5"]),
        ("channel.snr_db=\u207b\u00b3", ["SUPERSCRIPT MINUS (U+207B): type '-'", "write -3"]),
        ("channel.snr_db=\uff13", ["FULLWIDTH DIGIT THREE (U+FF13): type '3'", "write 3"]),
        ("channel.snr_db='\u22123'", [MINUS, "write -3"]),
        ("channel.snr_db=\u22123 dB", ["this setting is in dB: snr_db: -3"]),
        ("source.limit=3\u200b", ["U+200B ZERO WIDTH SPACE cannot be seen: delete it", "write 3"]),
        ("seed=\u20131", ["EN DASH (U+2013): type '-'"]),
        ("channel.snr_d\u042c=3",
         ["'\u042c' is CYRILLIC CAPITAL LETTER SOFT SIGN (U+042C)", "did you mean 'snr_db'?"]),
        ("channel.\u0455nr_db=3",
         ["'\u0455' is CYRILLIC SMALL LETTER DZE (U+0455): type 's'", "did you mean 'snr_db'?"]),
        ("ch\u0430nnel.snr_db=3",
         ["CYRILLIC SMALL LETTER A (U+0430): type 'a'", "did you mean 'channel'?"]),
        ("channel.use=n\u03bfise",
         ["GREEK SMALL LETTER OMICRON (U+03BF): type 'o'", "did you mean 'noise'?"]),
        ("channel.snr\u2011db=3", ["NON-BREAKING HYPHEN (U+2011): type '-'"]),
        ("channel.snr_db\uff1d3", ["FULLWIDTH EQUALS SIGN (U+FF1D): type '='"]),
    ],
)  # fmt: skip
def test_a_character_that_only_looks_right_is_named(
    bench: Any, override: str, texts: list[str]
) -> None:
    message = told(bench, override)
    for text in texts:
        assert text in message, message


@pytest.mark.parametrize(
    ("line", "place", "text"),
    [
        ("\u0455eed: 3", "10:1", "type 's'; did you mean 'seed'?"),
        (
            "seed: \uff13",
            "10:7",
            "'\uff13' is not a number: '\uff13' is FULLWIDTH DIGIT THREE (U+FF13): type '3'",
        ),
        ("sweep: {channel.snr_db: [0, \u22123]}", "10:29", MINUS),
        ("sweep: {channel.snr_db: \u22123:3:3}", "10:25", MINUS),
        ("space: {channel.snr_db: {from: \u22123, to: 3}}", "10:32", MINUS),
        ("scenario: {t\u0430sk: speak}", "10:12", "type 'a'; did you mean 'task'?"),
    ],
)
def test_in_a_file_it_is_named_at_its_place(bench: Any, line: str, place: str, text: str) -> None:
    bench.text += line + "\n"
    message = told(bench)
    assert f"pipeline.yaml:{place}: error: " in message and text in message


def test_words_of_other_languages_are_left_alone(bench: Any) -> None:
    bench.text += (
        "description: −3 °C снаружи\nscenario: {task: \u0441\u043a\u0430\u0437\u0430\u0442\u044c}\n"
    )
    bench.load()
    assert (
        foreign("видео") == foreign("naïve") == foreign("a-b") == ""
        and to_ascii("видео") == "видео"
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [("QPSK", "4qam"), ("4-QAM", "4qam"), ("16-QAM", "16qam"), ("16\u2011QAM", "16qam"),
     ("QAM64", "64qam"), ("qam-256", "256qam"), ("BPSK", "bpsk"), ("4PSK", "4qam"),
     ("2-PSK", "bpsk")],
)  # fmt: skip
def test_a_constellation_by_another_name_is_understood(
    bench: Any, written: str, meant: str
) -> None:
    assert f"hint: did you mean {meant!r}?" in told(
        bench, f"transport={{use: ldpc, modulation: {written}}}"
    )


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("space: {channel.snr_db: {from: 1, too: 3}}", "channel.snr_db has no 'too'"),
        ("space: {channel.snr_db: {from: 1}}", "channel.snr_db needs 'to'"),
        ("space: {channel.snr_db: {}}", "channel.snr_db needs 'from' and 'to'"),
        ("space: {channel.snr_db: {from: 3, to: 1}}", "to must be greater than from (3), not 1"),
        ("space: {channel.snr_db: {from: x, to: 1}}", "from must be a number, not 'x'"),
        ("scenario: {utility: {grey-error: {good: 0}}}", "grey-error needs 'bad'"),
        (
            "scenario: {utility: {grey-error: {good: 0, bad: 1, wait: 2}}}",
            "grey-error has no 'wait'",
        ),
    ],
)
def test_a_mapping_is_not_refused_for_being_one(bench: Any, line: str, text: str) -> None:
    bench.text += line + "\n"
    message = told(bench)
    assert text in message and "not a mapping" not in message


@pytest.mark.parametrize(("given", "count"), [("[60]", 1), ("[60, 60, 60]", 3), ("[]", 0)])
def test_a_list_of_two_is_asked_for_as_such(bench: Any, given: str, count: int) -> None:
    assert f"speed_kmh must be a list of 2, not a list of {count}" in told(
        bench, f"channel.speed_kmh={given}"
    )


@pytest.mark.parametrize(
    "command",
    [["run", "PIPELINE", "--out", ""], ["run", ""], ["report", ""], ["table", ""],
     ["schema", "--out", ""], ["cp", "x", ""], ["new", "channel", "x", "--out", ""],
     ["train", "x", "--out", ""], ["merge", "", "-o", "x"], ["merge", ".", "-o", ""]],
    ids=" ".join,
)  # fmt: skip
def test_an_empty_path_is_refused(
    bench: Any, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(bench.path) if one == "PIPELINE" else one for one in command])
    assert end.value.code == 2 and "is empty: name a file or a folder" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------- hints


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("channel.snr_db=0:20", "several values are swept: channel.snr_db=start:stop:step"),
        ("channel.snr_db=0..20", "several values are swept: channel.snr_db=start:stop:step"),
        ("channel.snr_db=0-20", "several values are swept: channel.snr_db=start:stop:step"),
        ("channel.snr_db=0:5:20", "it is written start:stop:step; did you mean 0:20:5?"),
        ("channel={use: noise, snr_db: 0:20:5}", "'sweep: {channel.snr_db: 0:20:5}'"),
        (
            "channel={use: noise, snr_db: [0, 5, 10]}",
            "channel.snr_db=0,5,10, or 'sweep: {channel.snr_db: [0, 5, 10]}'",
        ),
        ("metrics=[wer]", "did you mean 'speech-wer'?"),
        ("metrics=[WER]", "did you mean 'speech-wer'?"),
    ],
)
def test_hints_name_what_was_sought(bench: Any, override: str, hint: str) -> None:
    assert hint in told(bench, override)


@pytest.mark.parametrize("name", ["av_a2v", "av-a2v.yaml", "examples/av_a2v.yaml", "av_a2vv"])
def test_the_name_of_an_example_offers_to_copy_it(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("run", "check"):
        with pytest.raises(SystemExit):
            main([verb, str(tmp_path / name)])
        assert (
            "there is an example 'av_a2v': semcore cp av_a2v copies it here"
            in capsys.readouterr().err
        )


def test_without_a_pipeline_the_examples_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run"])
    assert "semcore cp lists the examples" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("The gain of eq. 7 in dB. More.", "The gain of eq. 7 in dB"),
        ("As in Fig. 3, Sec. II and Tab. 1: more.", "As in Fig. 3, Sec. II and Tab. 1"),
        ("A channel, e.g. AWGN, i.e. noise vs. fading. More",
         "A channel, e.g. AWGN, i.e. noise vs. fading"),
        ("Follows Xie et al. 2021 (Eqs. 3 and 4). More", "Follows Xie et al. 2021 (Eqs. 3 and 4)"),
        ("One\n  line and 3.5 dB. Two.", "One line and 3.5 dB"),
        ("Nothing ends it", "Nothing ends it"),
    ],
)  # fmt: skip
def test_a_first_sentence_is_whole(text: str, sentence: str) -> None:
    assert summary(text) == first_sentence(text) == sentence


@pytest.mark.parametrize("written", ["\u00bd", "1\u22152", "1\u20442"])
def test_a_fraction_in_other_characters_is_named(bench: Any, written: str) -> None:
    text = told(bench, f"transport={{use: ldpc, rate: {written}}}")
    assert "(U+" in text and text.rstrip().endswith("write 1/2")
