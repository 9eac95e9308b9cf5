"""The verb `kb`: thresholds of a knowledge base from the very data that it is for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from semcore.cli.run import OVERRIDES, PIPELINE
from semcore.errors import RunError
from semcore_video.kb.face import FaceKB, likeness, movement
from semcore_video.kb.policies import psnr_db

if TYPE_CHECKING:
    from semcore.types import Sample
    from semcore_video.kb.face import FaceKB

MOST_PAIRS = 2000
"""Pairs of segments that are compared, spread over all."""


@click.group("kb")
def command() -> None:
    """Knowledge bases of reference pictures."""


@command.command("calibrate")
@PIPELINE
@OVERRIDES
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of the pairs of segments of one user that each threshold classes as too different.",
)
def calibrate(pipeline: Path, overrides: tuple[str, ...], share: float) -> None:
    """Propose thresholds for the `kb: {use: face}` of PIPELINE, from the segments of its source.

    Identity is parted in the middle between the least similarity of one user's segments and the
    largest of different users. For the other thresholds any value is a trade of quality against
    channel uses: they are set so that the `share` of pairs is found too different, each threshold
    by itself. At the end stands how many updates each level would send.

    For example: semcore kb calibrate av_knowledge.yaml source.limit=20
    """
    from semcore.cli.columns import columns, console
    from semcore.config.experiment import load
    from semcore.runs.runner import load as samples_of

    experiment = load(pipeline, overrides)
    setup = experiment.resolve(experiment.cells[0])
    policy = setup.pipeline.kb
    if not isinstance(policy, FaceKB):
        raise RunError("kb calibrate is for `kb: {use: face}`, and this pipeline has " + (
            "no knowledge base" if policy is None else f"{type(policy).__name__}"))  # fmt: skip
    samples, _ = samples_of(setup.source)
    measured = measure(policy, samples)
    if not len(measured.psnr_db):
        raise RunError(
            "kb calibrate needs two segments of one user at least: set source.segment_s, or more "
            "samples"
        )
    found = proposed(policy, measured, share)
    rows = [
        [name, *(f"{np.quantile(values, at):.3g}" for at in (0, 0.5, 1))]
        for name, values in measured.named()
        if len(values)
    ]
    console().print(columns(["over pairs of segments", "least", "median", "most"], rows, 1))
    settings = ("similarity", "threshold_db", "rotation_deg", "translation", "expression")
    click.echo(
        "\nkb: {use: face, "
        + ", ".join(f"{name}: {getattr(found, name):.3g}" for name in settings)
        + "}"
    )
    if not measured.apart:
        click.echo(
            "similarity is unchanged: it takes segments of two users, the faces of whom can be "
            "told apart"
        )
    counts = {
        level: updates(replace(found, level=level), samples)
        for level in ("l0", "l1", "l2", "forced")
    }
    click.echo(
        "updates: "
        + ", ".join(f"{level} {count}" for level, count in counts.items())
        + f" of {len(samples)} segments"
    )


@dataclass(frozen=True)
class Measured:
    """What pairs of reference pictures have, one value a pair: of one user, and the similarity of
    different users."""

    similarity: np.ndarray
    strangers: np.ndarray
    psnr_db: np.ndarray
    rotation_deg: np.ndarray
    translation: np.ndarray
    expression: np.ndarray

    def named(self) -> Iterator[tuple[str, np.ndarray]]:
        """Names as they are shown, with their values."""
        yield "similarity, same user", self.similarity
        yield "similarity, different users", self.strangers
        yield "PSNR, dB", self.psnr_db
        yield "rotation, degrees", self.rotation_deg
        yield "translation, faces", self.translation
        yield "expression, deviations", self.expression

    @property
    def apart(self) -> bool:
        """Whether users can be told apart."""
        return bool(
            len(self.strangers)
            and len(self.similarity)
            and self.similarity.min() > self.strangers.max()
        )


def measure(policy: FaceKB, samples: Sequence[Sample]) -> Measured:
    """Compare the pictures that the policy would send of segments."""
    pictures = [
        (sample.user, picture)
        for sample in samples
        if (picture := policy.picture(sample)) is not None
    ]
    pairs = list(itertools.combinations(pictures, 2))
    pairs = pairs[:: max(1, -(-len(pairs) // MOST_PAIRS))]
    # As the policy does: a later picture is asked how far it is from an earlier one, which is not
    # the same the other way.
    same = [(later, one) for (user, one), (stranger, later) in pairs if user == stranger]
    others = [(later, one) for (user, one), (stranger, later) in pairs if user != stranger]
    alike, strange = (
        [value for pair in some if (value := likeness(*pair)) is not None]
        for some in (same, others)
    )
    moved = [
        one
        for pair in same
        if (one := movement(*pair)) is not None and np.isfinite(one.rotation_deg)
    ]
    motion = [
        np.array([getattr(one, name) for one in moved])
        for name in ("rotation_deg", "translation", "expression")
    ]
    psnr = np.array([min(psnr_db(*pair), 100.0) for pair in same])
    return Measured(np.array(alike), np.array(strange), psnr, *motion)


def proposed(policy: FaceKB, measured: Measured, share: float) -> FaceKB:
    """The policy with thresholds by which the share of pairs is found too different, and users are
    told apart."""
    similarity = (
        float(measured.similarity.min() + measured.strangers.max()) / 2
        if measured.apart
        else policy.similarity
    )

    def most(values: np.ndarray, otherwise: float) -> float:
        return float(np.quantile(values, 1 - share)) if len(values) else otherwise

    return replace(
        policy,
        similarity=similarity,
        threshold_db=max(float(np.quantile(measured.psnr_db, share)), 0.0),
        rotation_deg=most(measured.rotation_deg, policy.rotation_deg),
        translation=most(measured.translation, policy.translation),
        expression=most(measured.expression, policy.expression),
    )


def updates(policy: FaceKB, samples: Sequence[Sample]) -> int:
    """How many updates a policy sends over segments, if none is lost."""
    from semcore.types import KnowledgeBase

    kb, sent = KnowledgeBase(), 0
    for sample in samples:
        delivered = policy.update(kb, [sample])
        kb, sent = policy.apply(kb, delivered), sent + bool(delivered[0].streams)
    return sent
