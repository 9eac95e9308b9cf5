"""What a recipe learns from, in the words of its card."""

from __future__ import annotations

from semcore.component.base import Component
from semcore.component.digest import digest
from semcore.errors import ComponentError
from semcore.fingerprint.content import file_digest
from semcore_video.sources.clips import Clips
from semcore_video.speech.grid import grid_sentence


def learnt_from(data: str) -> str:
    """The videos of a folder: how many, where from, and a digest of what they hold.

    Names that spell sentences of the GRID corpus are those of that corpus; of other videos nobody
    knows more than the folder.
    """
    places = Clips(data, face=False).places()
    known = digest(sorted(file_digest(place) for place in places))[:12]
    folder = f"folder `{places[0].parent.resolve().name}` ({len(places)} videos, digest {known})"
    if all(grid_sentence(place.stem) for place in places):
        return (
            f"the {folder}, whose names are those of the GRID corpus (M. Cooke et al., 2006, CC BY "
            "4.0)"
        )
    return f"the {folder}"


def check_enough(recipe: Component, found: int, least: int, what: str) -> None:
    """Refuse to learn from too little.

    Args:
        found: usable videos
        what: which they are, after "videos"

    Raises:
        ComponentError: there are fewer than `least`
    """
    if found < least:
        raise ComponentError(
            f"{type(recipe).__name__}.data: {least} videos {what} are needed, and {found} are there"
        )
