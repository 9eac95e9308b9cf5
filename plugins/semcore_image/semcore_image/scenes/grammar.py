"""Captions of scenes: written from descriptions, and read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from semcore_image.scenes.world import (
    BACKGROUNDS,
    COLOURS,
    KINDS,
    PLACES,
    RELATIONS,
    SIZES,
    TIMES,
    Description,
    Group,
    beyond,
)

NUMBERS = ("one", "two", "three", "four")
PLURALS = {"butterfly": "butterflies", "fish": "fish"}
"""Plurals that are not formed with s."""
WHERE = "where is what?"
MAIN = "only the main object"
PROMPTS = (WHERE, MAIN)
"""Prompts that ask for a part of the description."""
WORDINGS = (
    "{main} {place}{relation}, {background}{time}{accent}",
    "{background}{time}, there {verb} {main} {place}{relation}{accent}",
    "a picture of {main} {place}{relation}{accent}, {background}{time}",
    "{main} {place} {background}{time}{relation}{accent}",
)
"""Forms of a caption; all say the same."""
FILLERS = ("a", "an", "and", "are", "by", "day", "is", "of", "picture", "there", "with")
"""Words that say nothing about the scene."""


def plural(kind: str) -> str:
    """The plural of a kind."""
    return PLURALS.get(kind, f"{kind}s")


def phrase(group: Group, counted: bool = False) -> str:
    """Count, size, colour and kind: "two small red birds".

    Args:
        counted: whether a single object is "one" instead of "a"
    """
    noun = group.kind if group.count == 1 else plural(group.kind)
    size = () if group.size == "medium" else (group.size,)
    words = [*size, group.colour, noun]
    article = "an" if words[0][0] in "aeiou" else "a"
    first = NUMBERS[group.count - 1] if group.count > 1 or counted else article
    return " ".join([first, *words])


def caption(description: Description, wording: int = 0) -> str:
    """The caption of a description, for example "two red birds at the top, above a small green
    tree, under a grey sky, one small white boat on the left".

    Args:
        wording: number of the form, of WORDINGS
    """
    one = description
    related = one.other is not None and f", {one.relation} {phrase(one.other)}"
    accented = one.accent is not None and f", {phrase(one.accent, True)} {one.accent.place}"
    return WORDINGS[wording].format(
        main=phrase(one.main),
        place=one.main.place,
        relation=related or "",
        background=BACKGROUNDS[one.background],
        time=" at night" if one.time == "night" else "",
        accent=accented or "",
        verb="is" if one.main.count == 1 else "are",
    )


def answer(description: Description, prompt: str, wording: int = 0) -> str:
    """What a description answers to a prompt: where what is, the main object, or the caption."""
    asked = " ".join(prompt.lower().split())
    if asked == WHERE:
        return ", ".join(f"{phrase(group)} {group.place}" for group in description.groups)
    if asked == MAIN:
        return phrase(description.main)
    return caption(description, wording)


KIND_OF = {name: kind for kind in KINDS for name in (kind, plural(kind))}
PHRASES: dict[tuple[str, ...], tuple[str, str]] = {
    tuple(text.split()): (role, name)
    for role, texts in {
        "place": {one: one for one in PLACES},
        "relation": {one: one for one in RELATIONS},
        "background": {text: name for name, text in BACKGROUNDS.items()},
        "time": {"at night": "night"},
        "kind": KIND_OF,
        "colour": {one: one for one in COLOURS},
        "size": {one: one for one in SIZES},
        "count": {word: str(at + 1) for at, word in enumerate(NUMBERS)},
        "filler": {one: "" for one in FILLERS},
    }.items()
    for text, name in (texts.items() if isinstance(texts, dict) else ())
}
"""Words in a row -> what they say: a role and its value."""
LONGEST = max(map(len, PHRASES))
WORDS = tuple(sorted({word for words in PHRASES for word in words}))
"""All words of captions."""


@dataclass
class _Reading:
    """What was read so far; `named`: (relation before it, words, place) of each group."""

    background: str = ""
    time: str = TIMES[0]
    relation: str = ""
    words: dict[str, str] = field(default_factory=dict)
    named: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def take(self, role: str, value: str) -> None:
        if role == "background":
            self.background = value
        elif role == "time":
            self.time = value
        elif role == "relation":
            self.relation = value
        elif role == "place":
            if self.named:
                self.named[-1][1].setdefault("place", value)
        elif role == "kind":
            self.named.append((self.relation, {**self.words, "kind": value}))
            self.relation, self.words = "", {}
        elif role != "filler":
            self.words[role] = value


def parse(text: str) -> Description:
    """The description that a caption states, in any wording.

    Raises:
        ValueError: a word is unknown, or kind, colour, place or background is missing
    """
    reading, words, at = _Reading(), re.findall(r"[a-z]+", text.lower()), 0
    while at < len(words):
        for length in range(min(LONGEST, len(words) - at), 0, -1):
            if found := PHRASES.get(tuple(words[at : at + length])):
                reading.take(*found)
                at += length
                break
        else:
            raise ValueError(f"the caption has the word {words[at]!r}, which no scene has")
    return _description(reading)


def _description(reading: _Reading) -> Description:
    if not reading.named:
        raise ValueError("the caption names no object")
    if not reading.background:
        raise ValueError("the caption names no background")
    main = _group(reading.named[0][1])
    relation, other, accent = "", None, None
    for related, words in reading.named[1:]:
        if related:
            other = _group({**words, "place": beyond(main.place, related)})
            relation = related
        else:
            accent = _group(words)
    return Description(main, reading.background, reading.time, relation, other, accent)


def _group(words: dict[str, str]) -> Group:
    for role in ("colour", "place"):
        if role not in words:
            raise ValueError(f"the caption states no {role} of the {words['kind']}")
    count, size = int(words.get("count", 1)), words.get("size", "medium")
    return Group(words["kind"], words["colour"], count, size, words["place"])


def corrected(text: str) -> str:
    """A caption with damaged characters, each word replaced by the nearest that captions have.

    A word that is near to none is split in two where that fits better (a lost space), or left out.
    """
    found: list[str] = []
    for word in text.lower().replace(",", " ").split():
        found += _nearest(word)
    return " ".join(found)


def _nearest(word: str) -> Sequence[str]:
    """One word of captions, two, or none."""
    if word in WORDS:
        return (word,)
    cost, best = min((distance(word, known), known) for known in WORDS)
    splits = range(1, len(word)) if cost > 1 and len(word) > 4 else ()
    for at in splits:
        parts = [
            min((distance(part, known), known) for known in WORDS)
            for part in (word[:at], word[at:].lstrip() or "-")
        ]
        joint = parts[0][0] + parts[1][0] + 1
        if joint < cost:
            return tuple(known for _, known in parts)
    return (best,) if cost <= max(1, len(word) // 2) else ()


def distance(one: str, other: str) -> int:
    """Characters to insert, delete or replace between two words (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        last, row[0] = row[0], at
        for to, target in enumerate(other, 1):
            last, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, last + (letter != target))
    return row[-1]
