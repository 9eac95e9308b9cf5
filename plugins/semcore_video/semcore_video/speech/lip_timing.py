"""When each phone is spoken, read off the motion of a face: the way of V2A without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from semcore.errors import ComponentError
from semcore.interfaces import Generator
from semcore.rng import Rng
from semcore.types import Candidates, Features, KnowledgeBase, Semantics, Stream, Tokens
from semcore_video.face.encoder import MOTION
from semcore_video.face.motion import POSE
from semcore_video.paper import PAPER
from semcore_video.resampling import USUAL_FPS, in_steps
from semcore_video.speech.monotone import paced
from semcore_video.speech.phones import FRAME_S, NUMBERS, SILENCE
from semcore_video.speech.streams import DURATIONS, INTERVAL, PHONES, SPOKEN, TEXT, phone_times
from semcore_video.speech.visemes import motion_of
from semcore_video.weights import digest

LONGEST = 40
"""Most frames of 10 ms of a phone."""
TYPICAL_S, SPREAD = 0.08, 0.5
"""How long phones are, s, and how much the logarithm of that differs from one to the next."""
TRUST = 0.08
"""How much a frame of motion counts against the durations that are usual."""


@dataclass(frozen=True)
class LipTiming(Generator):
    """Gives the phones of a text the durations that fit the motion of the lips best, and has a
    voice say them.

    Phones follow each other through the interval of the speech; each wants the expression that the
    shipped visemes have for it, and about the usual duration, and dynamic programming finds the
    durations that suit both best. Without motion all phones are stretched alike; without an
    interval, or without a text, the voice is given what arrived.

    Fields:
        voice: says phones with durations
        visemes: folder that the recipe `visemes` wrote; null: the shipped ones
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
                f"LipTiming.voice must say {PHONES!r} with {DURATIONS!r}, as espeak does, and "
                f"{name} does not"
            )

    def identity(self) -> Any:
        """The digest of the visemes."""
        return digest("visemes", self.visemes)

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return self.voice.generate([self._timed(one) for one in batch], kb, rng.at("voice"))

    def _timed(self, got: Semantics) -> Semantics:
        names, ends = phone_times(got.only([TEXT, INTERVAL]))
        motion = got.streams.get(MOTION)
        if (
            not names
            or ends is None
            or not isinstance(motion, Features)
            or motion.values.ndim != 2
            or not len(motion.values)
        ):
            return got.only([TEXT, INTERVAL])
        first, last = (int(round(float(end) / FRAME_S)) for end in ends)
        # Text that was damaged may be of any length: what does not fit into the video is not said.
        count, fps = got.extent.pictures(USUAL_FPS)
        moved = in_steps(np.nan_to_num(motion.values), count or len(motion.values))
        names = names[: max(round(len(moved) / fps / FRAME_S) - first, 1)]
        durations = self.durations(names, moved, first, max(last, first + len(names)), fps)
        phones = np.array([NUMBERS[name] for name in (SILENCE, *names)], np.int64)
        frames = np.array([first, *durations], np.float32)
        return replace(
            got,
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
        """Frames of 10 ms of each phone between two moments, int64 (phones,); they sum to `last -
        first`.

        Args:
            motion: float32 (T, 12), `fps` a second
        """
        count = last - first
        times = (np.arange(first, last) + 0.5) * FRAME_S * fps - 0.5
        seen = np.stack(
            [np.interp(times, np.arange(len(motion)), column) for column in motion[:, POSE:].T], 1
        )
        shapes = np.stack(
            [
                motion_of([name], np.array([-1.0, 1.0]), 1, fps, self.visemes)[0, POSE:]
                for name in names
            ]
        )
        seen = (seen - seen.mean(0)) / (seen.std(0) + 1e-3)
        shapes = (shapes - shapes.mean(0)) / (shapes.std(0) + 1e-3)
        scores = -TRUST * np.square(seen[:, None] - shapes).sum(-1)
        usual = min(count / len(names), TYPICAL_S / FRAME_S * 2)
        return paced(scores, np.full(len(names), usual), SPREAD, LONGEST)
