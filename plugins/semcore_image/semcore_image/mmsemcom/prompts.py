"""The prompts that mini-clip chooses from: what it is, what colour it has, and on what ground it is."""

from __future__ import annotations

from semcore_image.mini.data import CLASSES, COLOURS, TEMPLATES, caption

_CLASS, _COLOUR, _GROUND = TEMPLATES[1], TEMPLATES[4], TEMPLATES[6]

PROMPTS: tuple[tuple[str, ...], ...] = (
    tuple(caption((label, 0, 0), _CLASS) for label in range(len(CLASSES))),
    tuple(caption((label, colour, 0), _COLOUR) for label in range(len(CLASSES)) for colour in range(len(COLOURS))),
    tuple(caption((label, 0, ground), _GROUND) for label in range(len(CLASSES)) for ground in range(len(COLOURS))),
)
"""Three lists, one for each prompt that is sent; the first names the class alone."""
