"""eSpeak NG in a separate process: this file is run, not imported, and needs only the standard
library.

The library keeps the state of a voice's flutter, so that a second call would give a different
sound; and it is GPL-3.0, which this package is not.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

RETRIEVAL, PHONEME_EVENTS = 1, 1
PHONEMES_AS_INPUT, CHARS_UTF8 = 0x100, 1
EVENT_PHONEME = 7
RATE, PITCH = 1, 3
"""Parameters of espeak_SetParameter."""


class Name(ctypes.Union):
    """Payload of an event."""

    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """espeak_EVENT."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", Name),
    )


CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
)


def main(
    library_path: str, data_path: str, text: str, voice: str, pitch: int, words_per_minute: int
) -> None:
    """Write a line of JSON (rate, events; or error), followed by the sound with 16 bits per sample,
    to standard output."""
    library = ctypes.CDLL(library_path)
    rate_hz = library.espeak_Initialize(RETRIEVAL, 0, data_path.encode(), PHONEME_EVENTS)
    if rate_hz <= 0:
        return _answer(
            {"error": f"eSpeak NG cannot start ({rate_hz}) with the data in {data_path}"}
        )
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        return _answer(
            {"error": f"eSpeak NG has no voice {voice!r}; for example en-us, en-us+f3, en-gb-x-rp"}
        )
    library.espeak_SetParameter(RATE, words_per_minute, 0)
    library.espeak_SetParameter(PITCH, pitch, 0)
    sound, events = bytearray(), list[tuple[int, str]]()

    @CALLBACK
    def collect(wave: Any, count: int, event: Any) -> int:
        if wave and count:
            sound.extend(ctypes.string_at(wave, 2 * count))
        index = 0
        while event[index].type:
            if event[index].type == EVENT_PHONEME:
                events.append(
                    (event[index].sample, event[index].id.string.decode("utf-8", "replace"))
                )
            index += 1
        return 0

    library.espeak_SetSynthCallback(collect)
    # Breath noise would otherwise be seeded by the clock.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, PHONEMES_AS_INPUT | CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    return _answer({"rate_hz": rate_hz, "events": events}, bytes(sound))


def _answer(head: dict[str, Any], sound: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + sound)


if __name__ == "__main__":
    main(**json.loads(sys.stdin.read()))
