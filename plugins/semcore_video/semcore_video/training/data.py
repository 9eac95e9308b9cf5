"""Description of training data for model cards."""

from __future__ import annotations

from semcore import Component, ComponentError, digest, file_digest
from semcore_video.sources.clips import Clips
from semcore_video.speech.grid import grid_sentence


def data_summary(data: str) -> str:
    """The videos of a folder: number, folder name, and a digest of their content.

    If all file names are sentences of the GRID corpus, they are attributed to it.
    """
    videos = Clips(data, face=False).videos()
    content = digest(sorted(file_digest(place) for place in videos))[:12]
    folder = f"folder `{videos[0].parent.resolve().name}` ({len(videos)} videos, digest {content})"
    if all(grid_sentence(place.stem) for place in videos):
        return (
            f"the {folder}, with file names of the GRID corpus (M. Cooke et al., 2006, CC BY 4.0)"
        )
    return f"the {folder}"


def check_enough(recipe: Component, found: int, least: int, what: str) -> None:
    """Check that there are enough videos.

    Args:
        found: usable videos
        what: their description, after "videos"

    Raises:
        ComponentError: there are fewer than `least`
    """
    if found < least:
        raise ComponentError(
            f"{type(recipe).__name__}.data: {least} videos {what} are needed, not {found}"
        )
