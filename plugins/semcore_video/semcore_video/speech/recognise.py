"""What is said: recognition by PocketSphinx, led by the grammar of the GRID corpus."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np

from semcore_video.clips import WORDS
from semcore_video.speech.align import decoded, pcm, sphinx

_LOCK = threading.Lock()
LETTER_A = "lettera"
"""The letter, which the dictionary has as the article alone."""


def recognised(audio: np.ndarray, sample_rate_hz: int) -> str:
    """The sentence of GRID that a sound float32 (S,) is nearest to; "" if it is like none."""
    with _LOCK:
        decoder = _grid()
        decoded(decoder, pcm(audio, sample_rate_hz))
        heard = decoder.hyp()
    return "" if heard is None else heard.hypstr.replace(LETTER_A, "a")


@functools.cache
def _grid() -> Any:
    decoder = sphinx()
    decoder.add_word(LETTER_A, "EY", True)
    choices = " ".join("(" + " | ".join(LETTER_A if word == "a" else word for word in words.values()) + ")" for words in WORDS)
    decoder.add_jsgf_string("grid", f"#JSGF V1.0;\ngrammar grid;\npublic <sentence> = {choices};\n")
    decoder.activate_search("grid")
    return decoder
