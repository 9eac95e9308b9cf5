"""The receiver of speech: a voice without weights that says what arrived, when it was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore.interfaces import Generator
from semcore.rng import Rng
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics, Stream
from semcore_video.licences import ESPEAK, POCKETSPHINX
from semcore_video.resampling import resampled
from semcore_video.speech.espeak import speak
from semcore_video.speech.phones import FRAME_S, SILENCE
from semcore_video.speech.streams import MOST_FRAMES, SPOKEN, phone_times
from semcore_video.speech.stretch import stretched


@dataclass(frozen=True)
class EspeakVoice(Generator):
    """Says phones or a text with eSpeak NG, stretched to the durations that arrived (WSOLA).

    With `phones` and `durations` every phone lasts as long as it did. With `text`, phones are those
    of the dictionary with the durations that the synthesiser gives them, all stretched alike into
    the `interval`; without one they begin at 0. What is damaged beyond use is left out; without
    anything to say there is silence. The sound is as long as the source's, which the grant tells.

    Fields:
        voice: of eSpeak NG, for example en-us, en-us+f3 or en-gb-x-rp
        pitch: 0..99, of which 50 is the voice's own
        sample_rate_hz: samples of the sound a second
    """

    licences: ClassVar[tuple[str, ...]] = (ESPEAK, POCKETSPHINX)
    reference: ClassVar[str] = "eSpeak NG; stretched as W. Verhelst and M. Roelands, ICASSP 1993"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "verhelst1993overlap")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = SPOKEN

    voice: str = "en-us"
    pitch: Annotated[int, Ge(0), Le(99)] = 50
    sample_rate_hz: Annotated[int, Ge(8000), Le(48000)] = 16000

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(one)]) for one in batch]

    def _sample(self, got: Semantics) -> Sample:
        names, ends = phone_times(got)
        audio = self._said(names, ends, got.extent.sound_s)
        return Sample(got.key, got.user, audio=audio, sample_rate_hz=self.sample_rate_hz)

    def _said(self, names: list[str], ends: np.ndarray | None, length_s: float) -> np.ndarray:
        """The sound of phones: float32 (S,).

        Args:
            ends: where they begin and end, s, one more than there are phones; one begin and end for
                all; or None
            length_s: of the sound, s; 0: as long as it takes
        """
        silence = np.zeros(round(length_s * self.sample_rate_hz), np.float32)
        spoken = [index for index, name in enumerate(names) if name != SILENCE]
        if not spoken:
            return silence
        each = ends is not None and len(ends) == len(names) + 1
        kept = slice(spoken[0], spoken[-1] + 1)
        wave, rate_hz, starts = speak(names[kept], self.voice, self.pitch, WORDS_PER_MINUTE)
        if ends is not None and len(wave):
            wanted = ends[kept.stop] - ends[kept.start] if each else ends[1] - ends[0]
            # Spoken at about the right pace, a voice is stretched less, and sounds the better for
            # it.
            pace = WORDS_PER_MINUTE * len(wave) / rate_hz / max(float(wanted), 0.01)
            wave, rate_hz, starts = speak(
                names[kept], self.voice, self.pitch, int(np.clip(pace, *PACES))
            )
        if not len(wave):
            return silence
        here = np.maximum.accumulate(np.array([*starts, len(wave)]) / rate_hz)
        if ends is None:
            there = here
        elif each:
            there = ends[kept.start : kept.stop + 1]
        else:
            there = ends[0] + (here - here[0]) * (ends[1] - ends[0]) / max(here[-1] - here[0], 1e-3)
        return self._placed(
            wave, rate_hz, here, there, length_s or min(float(there[-1]), MOST_FRAMES * FRAME_S)
        )

    def _placed(
        self, wave: np.ndarray, rate_hz: int, here: np.ndarray, there: np.ndarray, length_s: float
    ) -> np.ndarray:
        """A sound with its moments `here` at `there`, between silences, at the rate that is asked
        for."""
        begin = float(there[0])
        room, there = max(length_s - begin, 0.0), there - begin
        if (
            there[-1] > room
        ):  # durations that arrived damaged may say minutes: what nobody hears is not made
            heard = there < room
            here, there = (
                np.append(here[heard], np.interp(room, there, here)),
                np.append(there[heard], room),
            )
        sound = stretched(wave, rate_hz, here.tolist(), there.tolist())
        sound = resampled(sound, rate_hz, self.sample_rate_hz)
        whole = np.zeros(round(length_s * self.sample_rate_hz), np.float32)
        start = min(max(round(begin * self.sample_rate_hz), 0), len(whole))
        part = sound[: len(whole) - start]
        whole[start : start + len(part)] = part
        return whole.clip(-1, 1)


WORDS_PER_MINUTE = 160
"""Of the synthesiser, where nobody says how long the speech is."""
PACES = (80, 450)
"""The slowest and the fastest that it speaks."""
