"""What a generator or selector reads from what arrived."""

from __future__ import annotations

import numpy as np

from semcore import KnowledgeBase, Picture, Semantics

CAPTION = "caption"
"""Name of the text stream that captioners emit and generators draw."""


LONGEST = 2000
"""Characters of a caption that are read: no model sees as many, and tokenizers may take the square of its length."""


def caption_of(semantics: Semantics) -> str:
    """The caption as it arrived, cut to `LONGEST`; empty if it is lost. Lone surrogates, which tokenizers refuse, are "?"."""
    return (semantics.text(CAPTION) or "")[:LONGEST].encode("utf-8", "replace").decode("utf-8")


def reference_of(kb: KnowledgeBase, user: str) -> np.ndarray | None:
    """The newest picture that the knowledge base holds of `user`: uint8 (H, W, 3), or None."""
    pictures = [stream.pixels for stream in kb.of(user) if isinstance(stream, Picture)]
    return pictures[-1] if pictures else None
