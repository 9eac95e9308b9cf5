"""Vocabulary of captions: the classes of CIFAR-10, ten colours, and sentence templates.

A caption states up to three facts of a picture: its class, the colour of the object and the colour
of the background.
"""

from __future__ import annotations

from collections.abc import Sequence

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
COLOURS = ("black", "white", "grey", "brown", "red", "orange", "yellow", "green", "blue", "purple")

# The first template is the full caption; the others state fewer facts. {a} and {b} are articles.
FULL = "{a} {colour} {class} on {b} {background} background"
TEMPLATES = (
    FULL,
    "{a} {class}",
    "a photo of {a} {class}",
    "a picture of {a} {class}",
    "{a} {colour} {class}",
    "a photo of {a} {colour} {class}",
    "{a} {class} on {b} {background} background",
    "a photo of {a} {class} on {b} {background} background",
)


def caption(facts: Sequence[int], template: str = FULL, classes: Sequence[str] = CLASSES) -> str:
    """The caption of (class, object colour, background colour), e.g. "a brown bird on a green
    background"."""
    name, colour, background = classes[facts[0]], COLOURS[facts[1]], COLOURS[facts[2]]
    first = colour if "{colour}" in template else name
    return template.format(
        **{
            "a": _article(first),
            "b": _article(background),
            "class": name,
            "colour": colour,
            "background": background,
        }
    )


def with_article(word: str) -> str:
    """The word with its indefinite article."""
    return f"{_article(word)} {word}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
