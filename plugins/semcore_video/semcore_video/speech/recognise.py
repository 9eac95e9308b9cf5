"""What is said: recognition by PocketSphinx, led by a grammar."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semcore.errors import ComponentError, RunError
from semcore.interfaces import SemanticEncoder
from semcore.types import KnowledgeBase, Sample, Semantics, Stream, Text
from semcore_video.licences import POCKETSPHINX
from semcore_video.speech.align import decoded, pcm, sphinx
from semcore_video.speech.grid import GRID_WORDS
from semcore_video.speech.streams import TEXT

_LOCK = threading.Lock()
GRID = "grid"
LETTER_A = "lettera"
"""The letter, which the dictionary has as the article alone."""


@dataclass(frozen=True)
class PocketSphinx(SemanticEncoder):
    """Recognises the words of a sound by PocketSphinx with a grammar: it finds one of its
    sentences, or nothing, in anything.

    Emits the stream `text`; as the `recogniser` of the encoder `speech`, its words are aligned,
    too. Its model is of American English and comes in its wheel.

    Errors: RunError if the library is not installed, or the grammar cannot be read or has words
    that its dictionary lacks.

    Fields:
        grammar: `grid`, the sentences of the GRID corpus; or a file with a grammar in the Java
            Speech Grammar Format
    """

    licences: ClassVar[tuple[str, ...]] = (POCKETSPHINX,)
    reference: ClassVar[str] = "D. Huggins-Daines et al., PocketSphinx, ICASSP 2006"
    cites: ClassVar[tuple[str, ...]] = ("huggins2006pocketsphinx", "cooke2006audio")

    grammar: str = GRID

    def check(self) -> None:
        if self.grammar != GRID and not Path(self.grammar).expanduser().is_file():
            raise ComponentError(
                "PocketSphinx.grammar must be 'grid' or a file, and there is no file "
                f"{self.grammar!r}"
            )

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        return {TEXT: Text}

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        return [
            Semantics(sample.id, {TEXT: Text(self.recognise(sample))}, sample.user)
            for sample in samples
        ]

    def recognise(self, sample: Sample) -> str:
        """The words of a sample's sound; "" if they are like no sentence of the grammar."""
        if sample.audio is None or not sample.sample_rate_hz:
            raise ComponentError(
                f"PocketSphinx recognises sound, and sample {sample.id!r} has none"
            )
        with _LOCK:
            decoder = _grid() if self.grammar == GRID else _led(self.grammar, self._file)
            decoded(decoder, pcm(sample.audio, sample.sample_rate_hz))
            best = decoder.hyp()
        return "" if best is None else best.hypstr.replace(LETTER_A, "a")

    @property
    def _file(self) -> bytes:
        try:
            return Path(self.grammar).expanduser().read_bytes()
        except OSError as error:
            raise RunError(
                f"the grammar {self.grammar} cannot be read: {error.strerror}"
            ) from error


def recognised(audio: np.ndarray, sample_rate_hz: int) -> str:
    """The sentence of GRID that a sound float32 (S,) is nearest to; "" if it is like none."""
    return PocketSphinx().recognise(Sample("", audio=audio, sample_rate_hz=sample_rate_hz))


@functools.cache
def _grid() -> Any:
    decoder = sphinx()
    decoder.add_word(LETTER_A, "EY", True)
    choices = " ".join(
        "(" + " | ".join(LETTER_A if word == "a" else word for word in words.values()) + ")"
        for words in GRID_WORDS
    )
    decoder.add_jsgf_string("grid", f"#JSGF V1.0;\ngrammar grid;\npublic <sentence> = {choices};\n")
    decoder.activate_search("grid")
    return decoder


@functools.lru_cache(maxsize=4)
def _led(name: str, grammar: bytes) -> Any:
    decoder = sphinx()
    try:
        decoder.add_jsgf_string("file", grammar.decode("utf-8-sig"))
        decoder.activate_search("file")
    except (RuntimeError, ValueError) as error:
        raise RunError(
            f"the grammar {name} is not one that PocketSphinx can follow: JSGF in UTF-8, all words "
            "in lower case and in its "
            "dictionary, one rule public"
        ) from error
    return decoder
