"""Words and numbers that look right and are not: letters of other alphabets, typographic signs,
other names."""

from __future__ import annotations

import difflib
import re
import typing
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_CYRILLIC = dict(
    zip("аеорсухіјѕԛԝһԁӏкмтьЬАВЕКМНОРСТУХІЈЅ", "aeopcyxijsqwhdlkmtbbABEKMHOPCTYXIJS", strict=True)
)
_GREEK = dict(zip("αορνικυχτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aopvikuxtABEZHIKMNOPTYX", strict=True))
_SIGNS = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u02d7\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2236\u0589\ua789", ":"),
    **dict.fromkeys("\u2024\u00b7\u3002\u066b", "."),
    **dict.fromkeys("\u201a\u3001", ","),
    **dict.fromkeys("\u2018\u2019\u2032", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u2033", '"'),
    **dict.fromkeys("\u2044\u2215\u29f8", "/"),
}
_TWINS = {**_CYRILLIC, **_GREEK, **_SIGNS}
"""Characters and those of ASCII that they look like, besides what Unicode itself says."""


@dataclass(frozen=True)
class Spelt:
    """In the annotation of a field: other names, in small letters and digits, by which its choices
    are known."""

    names: tuple[tuple[str, str], ...]


def _ascii(character: str) -> str | None:
    """What a character looks like in ASCII: "" if it cannot be seen; None if it looks like nothing
    there."""
    if character.isascii():
        return character
    if character in _TWINS:
        return _TWINS[character]
    kind = unicodedata.category(character)
    if kind == "Cf":
        return ""
    if kind == "Zs":
        return " "
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    same = "".join(_TWINS.get(one, one) for one in unicodedata.normalize("NFKC", character))
    return same if same.isascii() else None


def to_ascii(text: str) -> str:
    """A text with what it looks like in ASCII; the text itself if not all of it looks like
    ASCII."""
    if text.isascii():
        return text
    found = [_ascii(character) for character in text]
    return text if None in found else "".join(filter(None, found))


def foreign(text: str) -> str:
    """Which characters of a text only look like ASCII, and what to type in their place; "" if none
    does."""
    return "" if to_ascii(text) == text else not_ascii(text)


def not_ascii(text: str) -> str:
    """The characters of a text that are not ASCII by their names, and what to type in the place of
    each, if that is known."""
    odd = [character for character in dict.fromkeys(text) if not character.isascii()]
    return ", ".join(map(_named, odd[:3]))


def _named(character: str) -> str:
    name = unicodedata.name(character, "a character without a name")
    meant = _ascii(character)
    if meant is None:
        return f"{character!r} is {name} (U+{ord(character):04X})"
    if not meant:
        return f"U+{ord(character):04X} {name} cannot be seen: delete it"
    return f"{character!r} is {name} (U+{ord(character):04X}): type {meant!r}"


def choice(found: str, choices: Iterable[str], annotation: Any) -> str | None:
    """The choice that is meant by a word spelt otherwise (`16-QAM`, `QAM16`) or by another name;
    None if that is not clear."""
    known = {_bare(one): one for one in choices}
    word = _bare(to_ascii(found))
    turned = re.sub(r"\A([a-z]+)([0-9]+)\Z", r"\2\1", word)
    names = dict(pair for spelt in _spelt(annotation) for pair in spelt.names)
    tried = (_bare(one) for one in (word, turned, names.get(word), names.get(turned)) if one)
    return next((known[one] for one in tried if one in known), None)


def _bare(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())


def _spelt(annotation: Any) -> Iterator[Spelt]:
    if typing.get_origin(annotation) is typing.Annotated:
        yield from (one for one in annotation.__metadata__ if isinstance(one, Spelt))
    for inner in typing.get_args(annotation):
        yield from _spelt(inner)


def guess(word: object, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The known word that a misspelt one probably means; `alike`: how similar they must be,
    0..1."""
    text = to_ascii(str(word))
    close = difflib.get_close_matches(text, sorted(known), 1, alike) if len(text) < 100 else []
    return close[0] if close else None


def part_of(word: object, known: Iterable[str]) -> str | None:
    """The known word that has a misspelt one as one of its parts (`wer` of `speech-wer`), the
    shortest of several."""
    text = to_ascii(str(word)).casefold()
    holding = [one for one in known if len(text) > 2 and text in re.split("[-_]", one)]
    return min(holding, key=lambda one: (len(one), one), default=None)


def nearest(word: object, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to a misspelt one, or lists what is known."""
    words, odd = sorted(known), foreign(str(word))
    if close := part_of(word, words) or guess(word, words):
        odd = odd or (not_ascii(str(word)) if close.isascii() else "")
        return "; ".join(filter(None, (odd, f"did you mean {close!r}?")))
    if odd:
        return odd
    return f"known here: {', '.join(words)}" if words and len(words) <= 24 else ""
