"""The reader of pipeline files: YAML 1.2 scalars, positions, and files made to hurt."""

from __future__ import annotations

import json
import math
import os
import random
from pathlib import Path
from typing import Any

import pytest
import yaml as stock
from hypothesis import given, settings
from hypothesis import strategies as st

from semcore.config.document import MAX_BYTES, Document, Mark, parse, read, scalar
from semcore.errors import ConfigError

EXAMPLE = """\
# a comment
semcore: 1
name: caption-over-uma
source:    {use: image-folder, path: images/, limit: 8, size: [32, 32]}
encoder:   &e {use: mini-caption}
transport:
  caption: {use: ldpc, rate: 1/2, modulation: "4qam"}
  picture:
    use: ldpc
channel:   {use: uma, carrier_frequency_hz: 28e9, speed_kmh: [60, 120], snr_db: 5}
note: |
  two
  lines
copy: *e
sweep:
  channel.snr_db: [0, 2, 4]
"""


def problems(text: str | bytes, tmp_path: Path | None = None) -> list[str]:
    """What is wrong with a text, whether it could be read past or not."""
    try:
        if isinstance(text, bytes):
            assert tmp_path
            (tmp_path / "f.yaml").write_bytes(text)
            found = read(tmp_path / "f.yaml").problems
        else:
            found = parse(text, "f.yaml").problems
    except ConfigError as error:
        found = list(error.problems)
    assert found
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0), ("28e9", 28e9), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("-0.0", -0.0),
        ("+3", 3), ("007", 7), ("1E-3", 0.001), ("0o17", 15), ("0x1f", 31), ("0xFF", 255),
        ("0b11", "0b11"), ("1_000", "1_000"), ("12:30", "12:30"), ("190:20:30", "190:20:30"),
        ("0:20:5", "0:20:5"), ("1/2", "1/2"), ("4qam", "4qam"),
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("N", "N"),
        ("NO", "NO"), ("true", True), ("True", True), ("FALSE", False), ("tRUE", "tRUE"),
        ("~", None), ("null", None), ("", None), ("nil", "nil"), (".inf", math.inf),
        ("-.INF", -math.inf), ("+.Inf", math.inf), ("inf", "inf"), ("nan", "nan"),
        ("2024-01-01", "2024-01-01"), ("=", "="), ("<<", "<<"), ("'1e3'", "1e3"), ('"no"', "no"),
        ("''", ""), ("! 12", "12"), ("!!str 12", "12"), ("e3", "e3"), ("1e", "1e"),
        ("1.2.3", "1.2.3"), ("-", [None]),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    found = parse(f"key: {text}" if text != "-" else "key:\n  -").values["key"]
    assert found == value and type(found) is type(value)


def test_not_a_number_is_read() -> None:
    assert math.isnan(parse("key: .nan").values["key"])


def test_a_number_with_thousands_of_digits_takes_no_time() -> None:
    parse("a: " + "9" * 500_000)
    parse("a: " + "1." * 200_000)


def test_every_key_and_value_knows_its_place() -> None:
    document = parse(EXAMPLE)

    def there(mark: Mark) -> str:
        return document.lines[mark.line - 1][mark.column - 1 :]

    for path, mark in document.keys.items():
        assert there(mark).startswith(str(path[-1]) + ":")
    assert document.marks["source",] == Mark(4, 12)
    assert document.keys["sweep", "channel.snr_db"] == Mark(16, 3)
    for path, value in {
        ("source", "size", 1): "32]",
        ("encoder",): "&e {use",
        ("transport", "caption", "rate"): "1/2",
        ("transport", "caption", "modulation"): '"4qam"',
        ("transport", "picture"): "use: ldpc",
        ("transport", "picture", "use"): "ldpc",
        ("sweep", "channel.snr_db", 2): "4]",
        ("copy",): "*e",
        ("note",): "|",
    }.items():
        assert there(document.marks[path]).startswith(value), path
    assert document.values["copy"] == {"use": "mini-caption"}
    assert document.values["note"] == "two\nlines\n"


def test_a_problem_below_a_place_that_is_not_in_the_file_stands_at_the_nearest_above() -> None:
    found = parse(EXAMPLE, "f.yaml").problem(("channel", "speed_kmh", 7, "x"), "is wrong", "fix it")
    assert str(found) == (
        "f.yaml:10:62: error: is wrong\n"
        "      channel:   {use: uma, carrier_frequency_hz: 28e9, speed_kmh: [60, 120], snr_db: 5}\n"
        "                                                                   ^\n"
        "    hint: fix it"
    )


def test_equal_keys_are_all_told_with_the_line_of_the_first() -> None:
    first, second = problems("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert first.startswith("f.yaml:2:11: error: the key 'c' stands here again (first in line 2)")
    assert second.startswith("f.yaml:3:1: error: the key 'a' stands here again (first in line 1)")


def test_keys_equal_as_text_are_equal() -> None:
    assert "stands here again" in problems("'a': 1\na: 2")[0]
    assert parse("1: a\n1.0: b").values == {"1": "a", "1.0": "b"}


@pytest.mark.parametrize(
    "deep", ["[" * 10_000, "{a: " * 10_000, "[" * 10_000 + "]" * 10_000, "- " * 10_000]
)
def test_depth_is_bounded(deep: str) -> None:
    assert "nested deeper than" in problems(deep)[0]
    assert (
        "nested deeper than" in problems(f"source: {{path: {deep}}}" if deep[0] != "-" else deep)[0]
    )


def test_a_billion_laughs_are_refused() -> None:
    bomb = "a0: &a0 [ha, ha]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)
    )
    assert "aliases included" in problems(bomb)[0]


def test_a_tower_of_aliases_is_refused_like_one_of_brackets() -> None:
    """Each alone is flat; together they are deeper than any walk over values could bear."""
    tower = "a0: &a0 [" + "[" * 20 + "]" * 20 + "]\n"
    tower += "".join(f"a{i}: &a{i} {'[' * 20}*a{i - 1}{']' * 20}\n" for i in range(1, 30))
    assert "nested deeper than 40 levels (aliases included)" in problems(tower)[0]
    assert problems(tower)[0].startswith("f.yaml:2:")


def test_an_alias_that_stands_for_nothing_is_refused() -> None:
    assert "*a stands inside what it stands for" in problems("a: &a [*a]")[0]
    assert "there is no &b above it" in problems("a: *b\nb: &b 1")[0]


def test_merge_keys_are_refused_by_name() -> None:
    (found,) = problems("a: &a {x: 1}\nb: {<<: *a, y: 2}")
    assert (
        found.startswith("f.yaml:2:5: error: merge keys are not read")
        and "hint: write the settings out" in found
    )
    assert parse("a: &a {x: 1, y: 3}\nb: {<<: *a, y: 2}").values["b"] == {
        "x": 1,
        "y": 2,
    }  # as it was meant


def test_what_can_be_read_past_is_told_with_what_cannot() -> None:
    first, second, third = problems("a: 1\na: 2\nb: !x 3\nc: [1\n")
    assert (
        "the key 'a' stands here again" in first
        and "the tag '!x' is not allowed" in second
        and "not valid YAML" in third
    )


def test_the_first_of_two_equal_keys_stands() -> None:
    document = parse("a: {x: 1}\na: {y: {z: 2}}\n")
    assert document.values == {"a": {"x": 1}}
    assert document.marks["a",] == Mark(1, 4) and ("a", "y") not in document.marks


def test_a_large_file_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    assert "too large" in problems(b"a: 1\n" * 10_000_000, tmp_path)[0]


def test_only_files_are_read(tmp_path: Path) -> None:
    """A pipe that nobody writes to would be waited for, and a device may have no end."""
    os.mkfifo(tmp_path / "pipe")
    link = tmp_path / "link"
    link.symlink_to("/dev/zero")
    for path, kind in {
        tmp_path / "pipe": "a pipe",
        Path("/dev/zero"): "a device",
        link: "a device",
    }.items():
        with pytest.raises(ConfigError, match=f"error: is {kind}, not a pipeline file"):
            read(path)


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 5000, "\ud800", "x\ny"])
def test_a_name_that_no_file_can_have_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read(tmp_path / name)
    assert str(caught.value).replace("\n", "").isprintable() and len(str(caught.value)) < 1000


def test_many_problems_on_one_long_line_are_told_briefly() -> None:
    told = str(ConfigError(parse(" {" + "a: 1, " * 45_000 + "}   ").problems))
    assert len(told) < 50_000
    assert "and 44,949 more" in told


def test_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: 2\r\n")
    document = read(tmp_path / "f.yaml")
    assert document.values == {"a": 1, "b": {"c": 2}}
    assert document.keys["a",] == Mark(1, 1) and document.keys["b", "c"] == Mark(3, 3)
    assert document.lines == ["a: 1", "b:", "  c: 2"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"a: 1\nb: \xff\xfe",
            "f.yaml:2:4: error: not UTF-8 text: the byte 0xff stands for no character",
        ),
        (
            b"\xef\xbb\xbfa: 1\n\xc3\xa4\xc3",
            "f.yaml:2:2: error: not UTF-8 text: the byte 0xc3 stands for no character",
        ),
        ("a: 1".encode("utf-16"), "f.yaml: error: is UTF-16 text"),
        (
            b"a: 1\nb: x\x00y",
            "f.yaml:2:5: error: not valid YAML: the character U+0000 is not allowed",
        ),
        (
            b"a: 1\r\nb: x\x0cy",
            "f.yaml:2:5: error: not valid YAML: the character U+000C is not allowed",
        ),
        (
            b"a: \xc3\xa4\xc3\xa4 \x1b[31m",
            "f.yaml:1:7: error: not valid YAML: the character U+001B is not allowed",
        ),
    ],
)
def test_bytes_that_are_no_text_are_told_with_their_place(
    data: bytes, message: str, tmp_path: Path
) -> None:
    assert message in problems(data, tmp_path)[0]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\n\tb: 2", "2:1", "tab"),
        (
            "a: [1, 2",
            "1:4",
            "did not find expected ',' or ']' while parsing a flow sequence that starts in line 1",
        ),
        ("a: 1\nb: c: d", "2:5", "not allowed"),
        ("a: 'x", "1:6", "end of stream while scanning a quoted scalar that starts in line 1"),
        (
            "a: !!python/object:os.system {}",
            "1:4",
            "tag 'tag:yaml.org,2002:python/object:os.system' is not allowed",
        ),
        ("a: !!python/name:os.system", "1:4", "is not allowed"),
        ("a: !!int '3'", "1:4", "is not allowed"),
        ("a: !!map {}", "1:4", "is not allowed"),
        ("a: !mine [1]", "1:4", "tag '!mine' is not allowed"),
        ("!!set {a: 1}", "1:1", "is not allowed"),
        ("!x a: 1", "1:1", "a key must be a plain word"),
        ("? [a]\n: 1", "1:3", "a key must be a plain word"),
        ("a: 1\n---\nb: 2", "2:1", "only one YAML document"),
        ("a: &x 1\n*x : 2", "2:1", "a key must be a plain word"),
        ("%YAML 3.0\n---\na: 1", "1:1", "incompatible"),
    ],
)
def test_what_is_not_read_is_told_with_its_place(text: str, place: str, message: str) -> None:
    found = problems(text)[0]
    assert found.startswith(f"f.yaml:{place}: error: ") and message in found, found


def test_anchors_and_aliases_are_read() -> None:
    assert parse("a: &x {b: 1}\nc: [*x, *x]").values == {"a": {"b": 1}, "c": [{"b": 1}, {"b": 1}]}


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "~"])
def test_an_empty_file_holds_nothing(text: str) -> None:
    assert parse(text).values is None


def test_what_cannot_be_read_is_told_with_what_may_have_been_meant(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("a: 1")
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "pipelin.yaml")
    assert str(caught.value) == (
        f"{tmp_path}/pipelin.yaml: error: cannot be read: No such file or directory\n"
        f"    hint: did you mean {tmp_path}/pipeline.yaml?"
    )
    with pytest.raises(
        ConfigError,
        match=r"is a directory, not a pipeline file\n    hint: did you mean .*/pipeline.yaml",
    ):
        read(tmp_path)


KEYS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"
    ),
    max_size=8,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_json_is_yaml(value: Any) -> None:
    assert parse(json.dumps(value, indent=1, ensure_ascii=False)).values == value


def misread(value: Any) -> bool:
    """Whether a text inside is a number to YAML 1.2 and a plain word to the 1.1 writer (`1e3`)."""
    if isinstance(value, (dict, list)):
        return any(map(misread, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and not isinstance(scalar(value), str)


@given(JSON.filter(lambda value: not misread(value)))
def test_what_stock_yaml_writes_is_read_back(value: Any) -> None:
    assert parse(stock.safe_dump(value, allow_unicode=True)).values == value
    assert parse(stock.safe_dump(value, default_flow_style=True)).values == value


def outcome(text: str) -> Document | None:
    """The document, or None if it was refused; anything but ConfigError is a bug."""
    try:
        return parse(text)
    except ConfigError as error:
        assert str(error).startswith("<text>:")
        return None


@settings(max_examples=300)
@given(st.integers(0, 2**32))
def test_a_mutated_file_is_read_or_refused(seed: int) -> None:
    dice = random.Random(seed)
    text = EXAMPLE
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(text))
        piece = dice.choice(
            [
                *"{}[]:,&*!|>'\"%@`#-?\t\n \x07é",
                "<<: ",
                "&a ",
                "*e",
                text[: dice.randrange(len(text))],
            ]
        )
        text = dice.choice(
            [
                text[:at] + piece + text[at:],
                text[:at] + text[at + len(piece) :],
                text[at:] + text[:at],
            ]
        )
        text = text[: MAX_BYTES // 100] or " "
    document = outcome(text)
    if document is not None:
        for mark in (*document.marks.values(), *document.keys.values()):
            assert 1 <= mark.line <= len(document.lines) + 1 and mark.column >= 1


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    outcome(text)


@given(st.text(max_size=30))
def test_a_scalar_never_fails(text: str) -> None:
    scalar(text)
