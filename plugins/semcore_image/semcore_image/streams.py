"""The received caption and the reference picture, for generators and selectors."""

from __future__ import annotations

import numpy as np

from semcore import KnowledgeBase, Picture, Semantics

CAPTION = "caption"
"""Name of the text stream between captioning encoders and generators."""


LONGEST = 2000
"""Maximum characters of a caption. No model uses more, and the time of some tokenizers is quadratic
in the length."""


def caption_of(semantics: Semantics) -> str:
    """The received caption, at most `LONGEST` characters; empty if lost. Lone surrogates, which
    tokenizers refuse, become "?"."""
    return (semantics.text(CAPTION) or "")[:LONGEST].encode("utf-8", "replace").decode("utf-8")


def reference_of(kb: KnowledgeBase, user: str) -> np.ndarray | None:
    """The newest picture of `user` in the knowledge base: uint8 (H, W, 3), or None."""
    pictures = [stream.pixels for stream in kb.of(user) if isinstance(stream, Picture)]
    return pictures[-1] if pictures else None
