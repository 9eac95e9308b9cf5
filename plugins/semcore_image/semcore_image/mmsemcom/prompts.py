"""The prompts that mini-clip chooses from: what it is, what colour it has, and on what ground it is."""

from __future__ import annotations

import functools


@functools.cache
def prompts() -> tuple[tuple[str, ...], ...]:
    """Three lists, one for each prompt that is sent; the first names the class alone."""
    from semcore_image.mini.data import CLASSES, COLOURS, TEMPLATES, caption

    name, colour, ground = TEMPLATES[1], TEMPLATES[4], TEMPLATES[6]
    classes, colours = range(len(CLASSES)), range(len(COLOURS))
    return (
        tuple(caption((one, 0, 0), name) for one in classes),
        tuple(caption((one, other, 0), colour) for one in classes for other in colours),
        tuple(caption((one, 0, other), ground) for one in classes for other in colours),
    )
