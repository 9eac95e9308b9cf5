"""A voice without weights that speaks phones or text with given timing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore import Candidates, Generator, KnowledgeBase, Rng, Sample, Semantics, Stream
from semcore_video.licences import ESPEAK, POCKETSPHINX
from semcore_video.resampling import resample_audio
from semcore_video.speech.espeak import speak
from semcore_video.speech.phones import FRAME_S, SILENCE
from semcore_video.speech.streams import MOST_FRAMES, SPOKEN, phone_times
from semcore_video.speech.stretch import stretched


@dataclass(frozen=True)
class EspeakVoice(Generator):
    """Speaks phones or a text with eSpeak NG, time-stretched to the received durations (WSOLA).

    With `phones` and `durations` each phone has its given duration. With `text`, phones are those
    of the dictionary with durations of the synthesiser, scaled to the `interval`; without an
    interval they start at 0. Streams that are damaged beyond use are ignored; without phones or
    text the sound is silence. The sound is as long as the source's; the grant states its length.

    Fields:
        voice: voice of eSpeak NG, for example en-us, en-us+f3 or en-gb-x-rp
        pitch: 0..99; 50 is the default of the voice
        sample_rate_hz: sample rate of the sound
    """

    licences: ClassVar[tuple[str, ...]] = (ESPEAK, POCKETSPHINX)
    reference: ClassVar[str] = "eSpeak NG; stretched as W. Verhelst and M. Roelands, ICASSP 1993"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "verhelst1993overlap")
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = SPOKEN

    voice: str = "en-us"
    pitch: Annotated[int, Ge(0), Le(99)] = 50
    sample_rate_hz: Annotated[int, Ge(8000), Le(48000)] = 16000

    def libraries(self) -> Mapping[str, str]:
        return {"espeakng_loader": "semcore-video[speech]"}

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        return [Candidates([self._sample(received)]) for received in batch]

    def _sample(self, received: Semantics) -> Sample:
        names, ends = phone_times(received)
        audio = self._synthesise(names, ends, received.extent.sound_s)
        return Sample(received.key, received.user, audio=audio, sample_rate_hz=self.sample_rate_hz)

    def _synthesise(self, names: list[str], ends: np.ndarray | None, length_s: float) -> np.ndarray:
        """The sound of phones: float32 (S,).

        Args:
            ends: start and end times, s, one more than there are phones; one start and end of all;
                or None
            length_s: length of the sound, s; 0: as long as the speech
        """
        silence = np.zeros(round(length_s * self.sample_rate_hz), np.float32)
        spoken = [index for index, name in enumerate(names) if name != SILENCE]
        if not spoken:
            return silence
        per_phone = ends is not None and len(ends) == len(names) + 1
        span = slice(spoken[0], spoken[-1] + 1)
        wave, rate_hz, starts = speak(names[span], self.voice, self.pitch, WORDS_PER_MINUTE)
        if ends is not None and len(wave):
            length_wanted = ends[span.stop] - ends[span.start] if per_phone else ends[1] - ends[0]
            # A rate near the target needs less stretching, which sounds better.
            pace = WORDS_PER_MINUTE * len(wave) / rate_hz / max(float(length_wanted), 0.01)
            wave, rate_hz, starts = speak(
                names[span], self.voice, self.pitch, int(np.clip(pace, *PACES))
            )
        if not len(wave):
            return silence
        times = np.maximum.accumulate(np.array([*starts, len(wave)]) / rate_hz)
        if ends is None:
            target_times = times
        elif per_phone:
            target_times = ends[span.start : span.stop + 1]
        else:
            target_times = ends[0] + (times - times[0]) * (ends[1] - ends[0]) / max(
                times[-1] - times[0], 1e-3
            )
        return self._placed(
            wave,
            rate_hz,
            times,
            target_times,
            length_s or min(float(target_times[-1]), MOST_FRAMES * FRAME_S),
        )

    def _placed(
        self,
        wave: np.ndarray,
        rate_hz: int,
        times: np.ndarray,
        target_times: np.ndarray,
        length_s: float,
    ) -> np.ndarray:
        """A sound whose `times` are moved to `target_times`, with silence around it, resampled to
        `sample_rate_hz`."""
        begin = float(target_times[0])
        room, target_times = max(length_s - begin, 0.0), target_times - begin
        if target_times[-1] > room:
            # Damaged durations may be minutes long; what is beyond the end is dropped.
            audible = target_times < room
            times = np.append(times[audible], np.interp(room, target_times, times))
            target_times = np.append(target_times[audible], room)
        sound = stretched(wave, rate_hz, times.tolist(), target_times.tolist())
        sound = resample_audio(sound, rate_hz, self.sample_rate_hz)
        whole = np.zeros(round(length_s * self.sample_rate_hz), np.float32)
        start = min(max(round(begin * self.sample_rate_hz), 0), len(whole))
        part = sound[: len(whole) - start]
        whole[start : start + len(part)] = part
        return whole.clip(-1, 1)


WORDS_PER_MINUTE = 160
"""Rate of the synthesiser if the length of the speech is not known."""
PACES = (80, 450)
"""Minimum and maximum rate of the synthesiser."""
