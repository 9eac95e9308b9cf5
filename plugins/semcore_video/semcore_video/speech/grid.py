"""The grammar of the GRID corpus, and the sentences that its file names spell."""

from __future__ import annotations

GRID_WORDS: tuple[dict[str, str], ...] = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
    {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},
    dict(
        zip("z123456789", "zero one two three four five six seven eight nine".split(), strict=True)
    ),
    {"a": "again", "n": "now", "p": "please", "s": "soon"},
)
"""Letter in a file name -> word, for each of the six words of a sentence of GRID."""


def grid_sentence(name: str) -> str | None:
    """The sentence spelled by a file name of GRID, or None."""
    letters = name.lower()
    if len(letters) != len(GRID_WORDS):
        return None
    found = [words.get(letter) for letter, words in zip(letters, GRID_WORDS, strict=True)]
    known = [word for word in found if word is not None]
    return " ".join(known) if len(known) == len(found) else None
