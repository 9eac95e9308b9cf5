"""The candidate prompts of mini-clip: class, colour and background."""

from __future__ import annotations

import functools
from collections.abc import Sequence


def prompts(classes: Sequence[str] | None = None) -> tuple[tuple[str, ...], ...]:
    """Three lists, one per prompt that is sent; the first names only the class.

    Args:
        classes: names of the classes; None: the ten of CIFAR-10
    """
    return _prompts(None if classes is None else tuple(classes))


@functools.cache
def _prompts(names: tuple[str, ...] | None) -> tuple[tuple[str, ...], ...]:
    from semcore_image import vocabulary
    from semcore_image.vocabulary import CLASSES, COLOURS, TEMPLATES

    names = CLASSES if names is None else names
    caption = functools.partial(vocabulary.caption, classes=names)
    name, colour, ground = TEMPLATES[1], TEMPLATES[4], TEMPLATES[6]
    classes, colours = range(len(names)), range(len(COLOURS))
    return (
        tuple(caption((one, 0, 0), name) for one in classes),
        tuple(caption((one, other, 0), colour) for one in classes for other in colours),
        tuple(caption((one, 0, other), ground) for one in classes for other in colours),
    )
