"""Parsing of numbers as language models write them: quoted digits, with a unit, or English
words."""

from __future__ import annotations

import re

from semcore import unit_of

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen "
    "nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SCALES = {"thousand": 1000, "million": 1_000_000}
LONGEST = 100


def number_of(text: str, path: str) -> float | None:
    """The number in a text, an int if whole; None if there is none.

    Args:
        path: setting of the number; its unit, the suffix of the name, may follow the digits
    """
    digits = re.fullmatch(
        r"\s*([-+]?(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)\s*([^\d\s].*)?",
        text[:LONGEST],
        re.I,
    )
    if digits is None:
        return _spoken(text[:LONGEST].casefold().replace("-", " ").split())
    if digits[2] and digits[2].strip().casefold() != unit_of(path.rpartition(".")[2]).casefold():
        return None
    value = float(digits[1].replace(",", ""))
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _spoken(words: list[str]) -> float | None:
    """English words as a number: `minus twenty one point five`."""
    sign = -1 if words[:1] in (["minus"], ["negative"]) else 1
    words = words[1:] if sign < 0 else words
    whole, _, part = " ".join(words).partition(" point ")
    total = _whole([word for word in whole.split() if word != "and"])
    if total is None or not part:
        return None if total is None else sign * total
    decimals = [ONES.index(word) if word in ONES[:10] else -1 for word in part.split()]
    return None if -1 in decimals else sign * float(f"{total}.{''.join(map(str, decimals))}")


def _whole(words: list[str]) -> int | None:
    total = last = 0
    for word in words:
        if word in ONES:
            last += ONES.index(word)
        elif word in TENS:
            last += 10 * (TENS.index(word) + 2)
        elif word == "hundred":
            last = max(last, 1) * 100
        elif word in SCALES:
            total, last = total + max(last, 1) * SCALES[word], 0
        else:
            return None
    return total + last if words else None
