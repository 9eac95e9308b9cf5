"""Speech recognition by PocketSphinx with a grammar."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from semcore import (
    ComponentError,
    KnowledgeBase,
    RunError,
    Sample,
    SemanticEncoder,
    Semantics,
    Stream,
    Text,
)
from semcore_video.licences import POCKETSPHINX
from semcore_video.speech.align import decode_utterance, new_decoder, pcm
from semcore_video.speech.grid import GRID_WORDS
from semcore_video.speech.streams import TEXT

_LOCK = threading.Lock()
GRID = "grid"
LETTER_A = "lettera"
"""Entry for the letter A, which the dictionary only has as the article."""


@dataclass(frozen=True)
class PocketSphinx(SemanticEncoder):
    """Recognises the words of a sound by PocketSphinx with a grammar: the result is one of its
    sentences, or empty, for any sound.

    Emits the stream `text`; as the `recogniser` of the encoder `speech`, its words are aligned as
    well. The model is American English and part of the wheel.

    Errors: RunError if the library is not installed, or the grammar cannot be read or has words
    that are not in the dictionary.

    Fields:
        grammar: `grid`, the sentences of the GRID corpus; or a file with a grammar in the Java
            Speech Grammar Format
    """

    licences: ClassVar[tuple[str, ...]] = (POCKETSPHINX,)
    reference: ClassVar[str] = "D. Huggins-Daines et al., PocketSphinx, ICASSP 2006"
    cites: ClassVar[tuple[str, ...]] = ("huggins2006pocketsphinx", "cooke2006audio")

    grammar: str = GRID

    def libraries(self) -> Mapping[str, str]:
        return {"pocketsphinx": "semcore-video[speech]"}

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
        """The words of a sample's sound; "" if no sentence of the grammar matches."""
        if sample.audio is None or not sample.sample_rate_hz:
            raise ComponentError(
                f"PocketSphinx recognises sound, and sample {sample.id!r} has none"
            )
        with _LOCK:
            if self.grammar == GRID:
                decoder = _grid_decoder()
            else:
                decoder = _file_decoder(self.grammar, self._grammar_bytes)
            decode_utterance(decoder, pcm(sample.audio, sample.sample_rate_hz))
            best = decoder.hyp()
        return "" if best is None else best.hypstr.replace(LETTER_A, "a")

    @property
    def _grammar_bytes(self) -> bytes:
        try:
            return Path(self.grammar).expanduser().read_bytes()
        except OSError as error:
            raise RunError(
                f"the grammar {self.grammar} cannot be read: {error.strerror}"
            ) from error


def recognise_grid(audio: np.ndarray, sample_rate_hz: int) -> str:
    """The most similar sentence of GRID for a sound float32 (S,); "" if none matches."""
    return PocketSphinx().recognise(Sample("", audio=audio, sample_rate_hz=sample_rate_hz))


@functools.cache
def _grid_decoder() -> Any:
    decoder = new_decoder()
    decoder.add_word(LETTER_A, "EY", True)
    choices = []
    for words in GRID_WORDS:
        alternatives = [LETTER_A if word == "a" else word for word in words.values()]
        choices.append(f"({' | '.join(alternatives)})")
    sentence = " ".join(choices)
    decoder.add_jsgf_string(
        "grid", f"#JSGF V1.0;\ngrammar grid;\npublic <sentence> = {sentence};\n"
    )
    decoder.activate_search("grid")
    return decoder


@functools.lru_cache(maxsize=4)
def _file_decoder(name: str, grammar: bytes) -> Any:
    decoder = new_decoder()
    try:
        decoder.add_jsgf_string("file", grammar.decode("utf-8-sig"))
        decoder.activate_search("file")
    except (RuntimeError, ValueError) as error:
        raise RunError(
            f"PocketSphinx cannot use the grammar {name}: it must be JSGF in UTF-8, with all words "
            "in lower case and in its dictionary, and one public rule"
        ) from error
    return decoder
