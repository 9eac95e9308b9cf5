"""Random mutations of examples and overrides: accepted or refused, never a traceback or a hang."""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from semcore.config.configuration import Configuration, load
from semcore.errors import ConfigError

ROOT = Path(__file__).parents[2]
EXAMPLES = [path.read_text() for path in sorted((ROOT / "examples").glob("*.yaml"))]
SECONDS = 30
"""A mutated file that takes so long hangs; it should take some hundredths of a second."""

TOKEN = re.compile(r"[\w./-]+|\s+|.")
KEYS = sorted({token for text in EXAMPLES for token in re.findall(r"[\w.-]+(?=:)", text)})
NASTY = [
    *"|>%@`#\t\0\x1b\x85\u2028\ufeff\ud7ffé🙂\r\"'", "日本", "", "~", "null", "true", "no", "[]",
    "{}", "[[]]", "{use: x}", "{use: [x]}", "{use: {use: ldpc}}", "''", "- ", "? ", "0", "-1",
    "1e400", "-.inf", ".nan", "9" * 300, "0x7fffffffffffffffffff", "1e-320", "0:1e9:1",
    "0:1:1e-300", "1:1:0", "0:10000:1", ":::", "a:b:c", "1/0", "1/3",
    "28 GHz", "5dB", "&a", "*a", "<<", "<<: *a", "!!python/object:os.system", "!!str 1", "a" * 5000,
    "[" * 60, "{a: " * 60, "\n---\n", "\n...\n", "\n%YAML 1.1\n", "\r\n", ", ", ": ", "use",
    "sweep", "workflow", "transport: ldpc", "channel.snr_db", "transport.caption.rate",
    "metrics.99999999999999999999.x", "a..b", "..", "source.", "seed",
]  # fmt: skip


def mutated(dice: random.Random, text: str) -> str:
    """`text` with one change."""
    lines, tokens = text.split("\n"), TOKEN.findall(text) or [""]
    at, line, token = (
        dice.randrange(len(text) + 1),
        dice.randrange(len(lines)),
        dice.randrange(len(tokens)),
    )
    match dice.randrange(14):
        case 0:  # another character
            return (
                text[:at]
                + chr(dice.choice([dice.randrange(32, 127), dice.randrange(0x250)]))
                + text[at + 1 :]
            )
        case 12:  # a letter or digit for another
            places = [place for place, character in enumerate(text) if character.isalnum()] or [0]
            place = dice.choice(places)
            return text[:place] + dice.choice("0123456789aeinorst") + text[place + 1 :]
        case 13:  # a number for another
            numbers = list(re.finditer(r"(?<![\w.])-?\d[\d.e]*", text))
            found = dice.choice(numbers) if numbers else None
            new = dice.choice(
                [
                    "0",
                    "1",
                    "-1",
                    "2",
                    "2.5",
                    "100",
                    "1e6",
                    "1e30",
                    "-1e30",
                    "0.0001",
                    "999999999",
                    "4611686018427387904",
                ]
            )
            return text[: found.start()] + new + text[found.end() :] if found else text
        case 1:  # characters too few
            return text[:at] + text[at + dice.randint(1, 8) :]
        case 2:  # characters too many
            return (
                text[:at]
                + dice.choice([*"{}[]:,&*!|>'\"%@`#-?\t\n .0", dice.choice(NASTY)])
                + text[at:]
            )
        case 3:  # lines swapped
            other = dice.randrange(len(lines))
            lines[line], lines[other] = lines[other], lines[line]
        case 4:  # a line twice
            lines.insert(dice.randrange(len(lines) + 1), lines[line])
        case 5:  # a line lost
            del lines[line]
        case 6:  # another indentation
            lines[line] = " " * dice.randrange(9) + lines[line].lstrip()
        case 7:  # another word
            tokens[token] = dice.choice(KEYS)
            return "".join(tokens)
        case 8:  # a value that hurts
            values = [
                index for index, one in enumerate(tokens) if one.strip() and one not in ":,{}[]"
            ]
            tokens[dice.choice(values or [0])] = dice.choice(NASTY)
            return "".join(tokens)
        case 9:  # words swapped
            other = dice.randrange(len(tokens))
            tokens[token], tokens[other] = tokens[other], tokens[token]
            return "".join(tokens)
        case 10:  # the end of another file
            other_text = dice.choice(EXAMPLES)
            return text[:at] + other_text[dice.randrange(len(other_text)) :]
        case _:  # lines of another file
            other_lines = dice.choice(EXAMPLES).split("\n")
            start = dice.randrange(len(other_lines))
            lines[line:line] = other_lines[start : start + dice.randint(1, 6)]
    return "\n".join(lines)


def override(dice: random.Random) -> str:
    """An override, as likely wrong as right."""
    path = dice.choice(
        [
            *KEYS,
            "channel.snr_db",
            "encoder.codec.quality",
            "metrics.0",
            "transport",
            "kb.threshold_db",
        ]
    )
    path = dice.choice(
        [path, f"{path}.{dice.choice(KEYS)}", f"channel.{path}", f"workflows.semantic.{path}"]
    )
    value = dice.choice([*NASTY, "1", "0:3:1", "1,2,3", "[1,2]", "{use: awgn}", dice.choice(KEYS)])
    text = f"{path}={value}".replace("\0", "")
    return mutated(dice, text).replace("\0", "") if dice.random() < 0.3 else text


@contextmanager
def no_longer_than(seconds: int, what: str) -> Iterator[None]:
    def late(number: int, at: FrameType | None) -> None:
        raise TimeoutError(f"{what} takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tried(seed: int, path: Path, check_places: Callable[..., None]) -> Configuration | ConfigError:
    """The outcome of a mutation: anything but these two is a bug; `seed` reproduces it."""
    dice = random.Random(seed)
    text = dice.choice(EXAMPLES)
    for _ in range(dice.choice([1, 1, 1, 2, 3, 6])):
        text = mutated(dice, text)
    overrides = [override(dice) for _ in range(dice.choice([0, 0, 1, 2]))]
    path.write_bytes(text.encode("utf-8", "replace"))
    with no_longer_than(SECONDS, f"mutation {seed}"):
        try:
            return load(path, overrides)
        except ConfigError as error:
            check_places(
                error,
                path,
                path.read_bytes().decode("utf-8-sig", "replace").splitlines(),
                overrides,
            )
            return error


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(100), id="100"),
        pytest.param(range(100, 3_100), id="3000", marks=pytest.mark.slow),
    ],
)
def test_a_mutated_example_is_fine_or_refused(
    seeds: range, tmp_path: Path, check_places: Callable[..., None]
) -> None:
    outcomes = []
    for seed in seeds:
        try:
            outcomes.append(tried(seed, tmp_path / "mutated.yaml", check_places))
        except Exception as error:
            raise AssertionError(f"mutation {seed}: {type(error).__name__}: {error}") from error
    refused = sum(isinstance(one, ConfigError) for one in outcomes)
    assert len(seeds) / 2 < refused < len(seeds)  # neither harmless nor hopeless
