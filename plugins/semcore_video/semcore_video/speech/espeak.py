"""Speech synthesis by eSpeak NG, from phones to sound with phone times."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semcore import RunError, extra
from semcore_video.speech import espeak_process
from semcore_video.speech.phones import ARPABET, SILENCE

QUIET = 0.004
"""Amplitude below which sound is silence."""
PATIENCE_S = 60
AT_ONCE = 150
"""Maximum number of phones per call: the library crashes at somewhat more than two hundred."""
SAME_LETTER, OTHER_LETTER, NO_EVENT, NO_PHONE = 0.5, 1.2, 1.0, 0.6
"""Costs of the alignment of phones and events: same first letter, different first letter, phone
without event, event without phone. Additional glides are the most frequent deviation."""


def speak(
    phones: Sequence[str], voice: str, pitch: int, words_per_minute: int
) -> tuple[np.ndarray, int, list[int]]:
    """Speech for a sequence of phones of the CMU dictionary.

    Returns:
        float32 (S,), sample rate, and the first sample of each phone; merged phones begin together

    Raises:
        RunError: eSpeak NG is not installed, or has no such voice
    """
    parts, starts, rate_hz, length = list[np.ndarray](), list[int](), 0, 0
    for first in range(0, max(len(phones), 1), AT_ONCE):
        some = phones[first : first + AT_ONCE]
        names = ["_:" if phone == SILENCE else ARPABET[phone] for phone in some]
        text = f"[[{'|'.join(names)}]]"
        wave, rate_hz, events = _synthesise(text, voice, pitch, words_per_minute)
        loud = np.flatnonzero(np.abs(wave) > QUIET)
        wave = wave[: loud[-1] + 1] if len(loud) else wave[:0]  # without the silence at the end
        starts += [length + start for start in _starts(some, events, len(wave))]
        parts.append(wave)
        length += len(wave)
    return np.concatenate(parts), rate_hz, starts


@functools.lru_cache(maxsize=64)
def _synthesise(
    text: str, voice: str, pitch: int, words_per_minute: int
) -> tuple[np.ndarray, int, list[tuple[int, str]]]:
    with extra("semcore-video[speech]", "speech synthesis needs eSpeak NG"):
        import espeakng_loader
    request = {
        "library_path": str(espeakng_loader.get_library_path()),
        "data_path": str(espeakng_loader.get_data_path()),
        "text": text,
        "voice": voice,
        "pitch": pitch,
        "words_per_minute": words_per_minute,
    }
    command = [sys.executable, "-I", str(Path(espeak_process.__file__))]
    process = subprocess.run(
        command,
        input=json.dumps(request).encode(),
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    head, _, sound = process.stdout.partition(b"\n")
    if process.returncode != 0 or not head:
        raise RunError(
            f"eSpeak NG failed ({process.returncode}): "
            f"{process.stderr.decode('utf-8', 'replace').strip()[-200:]}"
        )
    answer = json.loads(head)
    if "error" in answer:
        raise RunError(answer["error"])
    events = [(int(sample), str(name)) for sample, name in answer["events"]]
    return np.frombuffer(sound, "<i2").astype(np.float32) / 32768, int(answer["rate_hz"]), events


def _starts(phones: Sequence[str], events: Sequence[tuple[int, str]], length: int) -> list[int]:
    """The first sample of each phone, by the alignment of phones and events with the least cost;
    additional glides remain unassigned."""
    names = [ARPABET.get(phone, "_:") for phone in phones]
    rows, columns = len(names) + 1, len(events) + 1
    cost = np.full((rows, columns), np.inf)
    cost[0] = np.arange(columns) * NO_PHONE
    cost[:, 0] = np.arange(rows) * NO_EVENT
    for i, name in enumerate(names, 1):
        for j, (_, event) in enumerate(events, 1):
            paired = cost[i - 1, j - 1] + _pairing_cost(name, event)
            cost[i, j] = min(paired, cost[i - 1, j] + NO_EVENT, cost[i, j - 1] + NO_PHONE)
    starts = [-1] * len(names)
    i, j = rows - 1, columns - 1
    while i and j:
        if np.isclose(
            cost[i, j], cost[i - 1, j - 1] + _pairing_cost(names[i - 1], events[j - 1][1])
        ):
            starts[i - 1] = events[j - 1][0]
            i, j = i - 1, j - 1
        elif np.isclose(cost[i, j], cost[i, j - 1] + NO_PHONE):
            j -= 1
        else:
            i -= 1
    after = length
    for index in reversed(range(len(starts))):
        after = starts[index] = after if starts[index] < 0 else min(starts[index], after)
    return starts


def _pairing_cost(phone: str, event: str) -> float:
    """The cost of aligning a phone with an event."""
    if event == phone:
        return 0.0
    return SAME_LETTER if event[:1].lower() == phone[:1].lower() else OTHER_LETTER
