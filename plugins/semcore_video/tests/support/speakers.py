"""What tests of speakers share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semcore import KnowledgeBase, Ledger, Record, Rng, Sample, Semantics

KB = KnowledgeBase()
WORDS = "bin blue at f two now"
"""What the speaker of the fixture `clip` says."""


def record(source: Sample, result: Sample | None = None) -> Record:
    """A record of a result, or of the source itself, over a link that sent nothing."""
    nothing = Semantics(source.id, {}, source.user)
    return Record(source, nothing, nothing, result or source, Ledger(()), {})


def cut(clip: Sample, share: float) -> Sample:
    """The first part of a clip, or the clip followed by a part of it."""
    frames, samples = round(share * len(clip.video)), round(share * len(clip.audio))
    return replace(
        clip,
        video=np.concatenate([clip.video] * 3)[:frames],
        audio=np.concatenate([clip.audio] * 3)[:samples],
    )


def said(generator: object, got: Semantics) -> np.ndarray:
    """The sound that a generator makes of what arrived."""
    audio = generator.generate([got], KB, Rng())[0].samples[0].audio  # type: ignore[attr-defined]
    assert isinstance(audio, np.ndarray)
    return audio


def stranger(number: int) -> np.ndarray:
    """A small face of "Labeled Faces in the Wild" from scikit-image, enlarged.

    Returns:
        uint8 (320, 320, 3)
    """
    from PIL import Image
    from skimage.data import lfw_subset

    small = Image.fromarray((255 * lfw_subset()[number]).astype(np.uint8)).convert("RGB")
    large = np.asarray(small.resize((200, 200), Image.Resampling.BICUBIC))
    return np.pad(large, ((60, 60), (60, 60), (0, 0)), "edge")
