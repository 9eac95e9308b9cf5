"""Recipe of temporal-motion: variances of the cosine coefficients of motion for a few kinds of
clips."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le
from safetensors.numpy import save_file
from scipy.fft import dct

from semcore import ChannelModel, Features, Recipe, Rng, Semantics, Transport, name_of
from semcore.training import at_snr, command_of, measured_at
from semcore_video.face.encoder import MOTION
from semcore_video.face.motion import POSE, basis
from semcore_video.face.reference import best_reference
from semcore_video.face.tracker import track
from semcore_video.sources.clips import Clips
from semcore_video.speech.visemes import motion_of
from semcore_video.training.corpus import dictionary, sentences
from semcore_video.training.data import data_summary
from semcore_video.transports.dct import DCT
from semcore_video.transports.spectral import Prior
from semcore_video.transports.temporal import FRAMES, TemporalMotion

FPS, STEP = 25.0, 25
"""Frame rate of the clips, and step between windows of a long clip, frames."""
REACH = np.array([4.0, 5.0, 2.0, 3.0, 2.0, 1.5])
"""Amplitude of the sway of synthetic heads, pose numbers."""
SYNTHETIC, PER_CLIP, ROUNDS, NOISE, LEAST = 240, 240, 10, 0.05, 1e-3
"""Number of synthetic clips, variations per person, iterations of the clustering, its noise
variance, and minimum variance."""
EXPONENT, SMOOTHING = 0.85, 0.3
"""Exponent of the trained variances, and weight of the prior of `dct` mixed in: with fading, priors
that are too narrow cause large errors."""
MEASURED = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
EDGES = np.unique(np.concatenate([[0, 1, 2, 3], np.geomspace(4, FRAMES, 12).round()])).astype(int)
"""Bands of frequencies that share a variance."""


@dataclass(frozen=True)
class MotionCodeRecipe(Recipe):
    """Trains the variances of the cosine coefficients of facial motion, per kind of clip.

    Fields:
        data: folder of videos of speaking people
        channel: channel of the measurements; its `snr_db` or `block_snr_db` is set to each SNR of
            the table
        kinds: number of kinds of clips, besides the prior of `dct`
        symbols: complex symbols per clip
        times: transmissions averaged in the card
        seed: seed of the clips and their variations
    """

    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "cooke2006audio")

    data: str
    channel: ChannelModel
    kinds: Annotated[int, Ge(1), Le(7)] = 7
    symbols: Annotated[int, Ge(1)] = 300
    times: Annotated[int, Ge(1)] = 8
    seed: int = 6

    def train(self, out: Path) -> None:
        """Write model.safetensors, config.json and the card into `out`."""
        people = motions(self)
        variances = learn(self, people)
        write(variances, out)
        rows = compared(self, people)
        settings = ", ".join(
            f"{key} = {value}"
            for key, value in self.settings().items()
            if key not in ("data", "channel")
        )
        count = sum(map(len, people.values()))
        (out / "README.md").write_text(
            CARD.format(
                fields=settings,
                people=len(people),
                clips=count,
                rows="\n".join(rows),
                command=command_of(self),
                data=data_summary(self.data),
                channel=name_of(type(self.channel)),
                measured=measured_at(self.channel),
            )
        )


def write(variances: np.ndarray, out: Path) -> None:
    """Write the weights of the transport."""
    out.mkdir(parents=True, exist_ok=True)
    save_file({"variances": variances.astype(np.float32)}, out / "model.safetensors")
    (out / "config.json").write_text(
        json.dumps({"frames": FRAMES, "kinds": len(variances)}, indent=2) + "\n"
    )


def compared(recipe: MotionCodeRecipe, people: Mapping[str, Sequence[np.ndarray]]) -> list[str]:
    """The rows of the card's table: clips of each person with kinds trained on the others, and
    with `dct`."""
    errors: dict[float, list[list[float]]] = defaultdict(list)
    for who, clips in people.items():
        others = {name: own for name, own in people.items() if name != who}
        with tempfile.TemporaryDirectory() as folder:
            write(learn(recipe, others), Path(folder))
            codes = (
                TemporalMotion(symbols=recipe.symbols, weights=folder),
                DCT(symbols=recipe.symbols),
            )
            for snr in MEASURED:
                for clip in clips:
                    errors[snr].append([error(recipe, code, clip, snr) for code in codes])
    rows = []
    for snr, pairs in errors.items():
        ratios = [ours / theirs for ours, theirs in pairs]
        ours, theirs = np.mean(pairs, axis=0)
        rows.append(
            f"| {snr:g} | {ours:.3f} | {theirs:.3f} | {np.mean(ratios):.2f} | {min(ratios):.2f} to "
            f"{max(ratios):.2f} |"
        )
    return rows


def motions(recipe: MotionCodeRecipe) -> dict[str, list[np.ndarray]]:
    """Windows of motion (75, 12) by person."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for sample in Clips(recipe.data).samples():
        assert sample.video is not None
        points = track(sample.video)
        for start in range(0, len(points) - FRAMES + 1, STEP):
            part = points[start : start + FRAMES]
            found[sample.user].append(
                basis().numbers(part, part[best_reference(part)]).astype(np.float64)
            )
    return dict(found)


def learn(recipe: MotionCodeRecipe, people: Mapping[str, Sequence[np.ndarray]]) -> np.ndarray:
    """Variances of coefficients by kind, each of mean 1, the last being those of `dct`: float64
    (kinds + 1, 75, 12).

    Clustering: each clip is assigned to the kind whose code gives the least error, and each kind is
    the mean of its clips, alternately.
    """
    rng = np.random.Generator(np.random.PCG64(recipe.seed))
    clips = synthetic(rng)
    for own in people.values():
        clips += [_varied(own[int(rng.integers(len(own)))], rng) for _ in range(PER_CLIP)]
    spectra = np.stack([dct(clip, axis=0, norm="ortho") for clip in clips])
    spectra /= np.sqrt(np.square(spectra).mean((1, 2), keepdims=True))
    powers = _banded(np.square(spectra))
    logarithms = np.log(powers + 1e-3).reshape(len(powers), -1)
    centres = logarithms[rng.choice(len(logarithms), recipe.kinds, replace=False)]
    kind_of = _nearest(logarithms, centres)
    for _ in range(ROUNDS):  # first by the shape of the spectra
        kind_of = _nearest(logarithms, _means(logarithms, kind_of, recipe.kinds, rng))
    code = DCT(symbols=recipe.symbols, snr_db=-10 * np.log10(2 * NOISE))
    variances = np.empty((0, FRAMES, 1))
    for _ in range(ROUNDS):  # then by the error
        variances = _means(powers, kind_of, recipe.kinds, rng) + LEAST
        variances /= variances.mean((1, 2), keepdims=True)
        plans = [code.plan(Prior(variances[kind])) for kind in range(recipe.kinds)]
        errors = []
        for plan in plans:
            errors.append([plan.error(clip.ravel(), NOISE) for clip in spectra])
        kind_of = np.argmin(errors, axis=0)
    usual = code.priors((FRAMES, variances.shape[2]))[0].variances
    usual /= usual.mean()
    flattened = variances**EXPONENT
    flattened /= flattened.mean((1, 2), keepdims=True)
    return np.concatenate([(1 - SMOOTHING) * flattened + SMOOTHING * usual, usual[None]])


def synthetic(rng: np.random.Generator) -> list[np.ndarray]:
    """Motion of synthetic heads that sway, blink and speak by visemes, (75, 12) each."""
    found, time = [], np.arange(FRAMES) / FPS
    for text in sentences(SYNTHETIC, rng):
        names = [name for word in text.split() for name in dictionary()[word]]
        begin = rng.uniform(0.2, 0.8)
        end = min(begin + len(names) * rng.uniform(0.07, 0.12), 2.9)
        motion = motion_of(names, np.linspace(begin, end, len(names) + 1), FRAMES, FPS).astype(
            np.float64
        )
        motion *= rng.uniform(0.8, 1.6)
        for axis, reach in enumerate(REACH * rng.uniform(0.3, 1.5, POSE)):
            motion[:, axis] += reach * np.sin(
                2 * np.pi * rng.uniform(0.2, 0.9) * time + rng.uniform(0, 2 * np.pi)
            )
        blink = int(rng.integers(5, FRAMES - 5))
        motion[blink : blink + 5, POSE] -= rng.choice([0, 4.5]) * np.array(
            [0.35, 0.9, 1.0, 0.7, 0.25]
        )
        found.append(motion)
    return found


def _varied(motion: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Motion (75, 12), randomly reversed in time, slowed, and scaled per number."""
    motion = motion[::-1] if rng.random() < 0.5 else motion
    length = int(FRAMES * rng.uniform(0.75, 1.0))
    start = int(rng.integers(0, FRAMES - length + 1))
    places = np.linspace(start, start + length - 1, FRAMES)
    slower = np.stack([np.interp(places, np.arange(FRAMES), column) for column in motion.T], 1)
    return slower * np.exp(0.3 * rng.standard_normal(motion.shape[1]))


def _banded(powers: np.ndarray) -> np.ndarray:
    """Powers (N, 75, 12), averaged within bands."""
    found = np.empty_like(powers)
    for first, last in zip(EDGES, EDGES[1:], strict=False):
        found[:, first:last] = powers[:, first:last].mean(1, keepdims=True)
    return found


def _nearest(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    return np.square(rows[:, None] - centres).sum(-1).argmin(1)


def _means(
    rows: np.ndarray, kind_of: np.ndarray, kinds: int, rng: np.random.Generator
) -> np.ndarray:
    """The mean of the rows of each kind; a random row for an empty kind."""
    means = []
    for kind in range(kinds):
        own = rows[kind_of == kind]
        means.append(own.mean(0) if len(own) else rows[int(rng.integers(len(rows)))])
    return np.stack(means)


def error(recipe: MotionCodeRecipe, code: Transport, motion: np.ndarray, snr_db: float) -> float:
    """Mean squared error of motion over the channel, averaged over `recipe.times` transmissions."""
    channel, found = at_snr(recipe.channel, snr_db), []
    transport = code.adapted_to(channel)
    for number in range(recipe.times):
        rng = Rng(recipe.seed).at("measure", number)
        clip = Semantics("clip", {MOTION: Features(motion.astype(np.float32))})
        received = channel.transmit(transport.send([clip], rng), rng.at("channel"))
        stream = transport.receive(received)[0].streams.get(MOTION)
        values = stream.values if isinstance(stream, Features) else 0  # no motion if lost
        found.append(np.square(motion - values).mean())
    return float(np.mean(found))


CARD = """# temporal-motion

Variances of the cosine coefficients of the twelve motion numbers, for a few kinds of clips.

## Training

```
{command}
```

Settings: {fields}. Trained on {clips} windows of 3 s of {people} people of {data},
augmented, and on synthetic clips of heads that sway and speak.

## Measured over the channel `{channel}`

Mean squared error of the motion numbers, each person with kinds trained on the others, and that
of the transport `dct` over the same channel realisations; {measured}.

| SNR, dB | temporal-motion | dct | ratio, mean over windows | its range |
|---|---|---|---|---|
{rows}
"""
