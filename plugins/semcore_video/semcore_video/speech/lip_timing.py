"""Phone durations from the motion of a face: audio from video without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from semcore import (
    Candidates,
    ComponentError,
    Features,
    Generator,
    KnowledgeBase,
    Rng,
    Semantics,
    Stream,
    Tokens,
)
from semcore_video.face.encoder import MOTION
from semcore_video.face.motion import POSE
from semcore_video.paper import PAPER
from semcore_video.resampling import USUAL_FPS, interpolated
from semcore_video.speech.monotone import durations_by_viterbi
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE
from semcore_video.speech.streams import DURATIONS, INTERVAL, PHONES, SPOKEN, TEXT, phone_times
from semcore_video.speech.visemes import motion_of
from semcore_video.weights import digest

LONGEST = 40
"""Maximum duration of a phone, frames of 10 ms."""
TYPICAL_S, SPREAD = 0.08, 0.5
"""Typical duration of a phone, s, and standard deviation of its logarithm."""
TRUST = 0.08
"""Weight of a motion frame relative to the duration prior."""


@dataclass(frozen=True)
class LipTiming(Generator):
    """Assigns the phones of a text the durations that best match the motion of the lips, and passes
    them to a voice.

    Phones are consecutive within the interval of speech. Each has a target expression, from the
    shipped visemes, and a duration prior; dynamic programming finds the durations with the best
    total score. Without motion all phones are scaled equally; without an interval or a text, the
    voice receives the streams unchanged.

    Fields:
        voice: speaks phones with durations
        visemes: folder written by the recipe `visemes`; null: the shipped ones
    """

    reference: ClassVar[str] = f"in place of {PAPER}, eq. 19 to 21"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cooke2006audio")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {
        MOTION: (Features,), TEXT: SPOKEN[TEXT], INTERVAL: SPOKEN[INTERVAL],
    }  # fmt: skip
    test_settings = ({"voice": {"use": "espeak"}},)

    voice: Generator
    visemes: str | None = None

    def check(self) -> None:
        if not {PHONES, DURATIONS} <= self.voice.accepts.keys():
            name = type(self.voice).__name__
            raise ComponentError(
                f"LipTiming.voice must accept {PHONES!r} and {DURATIONS!r}, as espeak does; {name} "
                "does not"
            )

    def identity(self) -> Any:
        """The digest of the visemes."""
        return digest("visemes", self.visemes)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return self.voice.generate(
            [self._timed(received) for received in batch], kb, rng.at("voice")
        )

    def _timed(self, received: Semantics) -> Semantics:
        names, ends = phone_times(received.only([TEXT, INTERVAL]))
        motion = received.streams.get(MOTION)
        if (
            not names
            or ends is None
            or not isinstance(motion, Features)
            or motion.values.ndim != 2
            or not len(motion.values)
        ):
            return received.only([TEXT, INTERVAL])
        first, last = (int(round(float(end) / FRAME_S)) for end in ends)
        # Damaged text may have any length: phones that do not fit into the video are dropped.
        count, fps = received.extent.pictures(USUAL_FPS)
        moved = interpolated(np.nan_to_num(motion.values), count or len(motion.values))
        names = names[: max(round(len(moved) / fps / FRAME_S) - first, 1)]
        durations = self.durations(names, moved, first, max(last, first + len(names)), fps)
        phones = np.array([NUMBERS[name] for name in (SILENCE, *names)], np.int64)
        frames = np.array([first, *durations], np.float32)
        return replace(
            received,
            streams={PHONES: Tokens(phones, len(NUMBERS)), DURATIONS: Features(frames)},
            intact={},
        )

    def durations(
        self,
        names: Sequence[str],
        motion: np.ndarray,
        first: int,
        last: int,
        fps: float = USUAL_FPS,
    ) -> np.ndarray:
        """Duration of each phone between two times, frames of 10 ms, int64 (phones,); they sum to
        `last - first`.

        Args:
            motion: float32 (T, 12), at `fps`
        """
        count = last - first
        times = (np.arange(first, last) + 0.5) * FRAME_S * fps - 0.5
        observed = np.stack(
            [np.interp(times, np.arange(len(motion)), column) for column in motion[:, POSE:].T], 1
        )
        shapes = np.stack(
            [
                motion_of([name], np.array([-1.0, 1.0]), 1, fps, self.visemes)[0, POSE:]
                for name in names
            ]
        )
        observed = (observed - observed.mean(0)) / (observed.std(0) + 1e-3)
        shapes = (shapes - shapes.mean(0)) / (shapes.std(0) + 1e-3)
        scores = -TRUST * np.square(observed[:, None] - shapes).sum(-1)
        usual = min(count / len(names), TYPICAL_S / FRAME_S * 2)
        return durations_by_viterbi(scores, np.full(len(names), usual), SPREAD, LONGEST)
