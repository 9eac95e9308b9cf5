"""The command `kb`: thresholds of a knowledge base from the data of a pipeline."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from semcore import RunError
from semcore.commands import OVERRIDES, PIPELINE
from semcore_video.kb.face import FaceKB, likeness, movement
from semcore_video.kb.policies import psnr_db

if TYPE_CHECKING:
    from semcore import Sample
    from semcore_video.kb.face import FaceKB

MOST_PAIRS = 2000
"""Maximum number of pairs of segments that are compared, spread evenly over all."""


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

    The threshold of identity is the midpoint between the smallest similarity within users and the
    largest between users. The other thresholds trade quality against channel uses: each is set so
    that it would class the given `share` of pairs as too different by itself. The last line states
    the number of updates at each level.

    For example: semcore kb calibrate av_knowledge.yaml source.limit=20
    """
    from semcore.commands import columns, console, load
    from semcore.commands import load_samples as samples_of

    experiment = load(pipeline, overrides)
    setup = experiment.resolve(experiment.cells[0])
    policy = setup.pipeline.kb
    if not isinstance(policy, FaceKB):
        kind = "no knowledge base" if policy is None else type(policy).__name__
        raise RunError(f"kb calibrate is for `kb: {{use: face}}`, and this pipeline has {kind}")
    samples, _ = samples_of(setup.source)
    measured = measure(policy, samples)
    if not len(measured.psnr_db):
        raise RunError(
            "kb calibrate needs at least two segments of one user: set source.segment_s, or use "
            "more samples"
        )
    found = propose(policy, measured, share)
    rows = []
    for name, values in measured.series():
        if len(values):
            least, median, most = np.quantile(values, (0, 0.5, 1))
            rows.append([name, f"{least:.3g}", f"{median:.3g}", f"{most:.3g}"])
    console().print(columns(["over pairs of segments", "least", "median", "most"], rows, 1))
    names = ("similarity", "threshold_db", "rotation_deg", "translation", "expression")
    settings = ", ".join(f"{name}: {getattr(found, name):.3g}" for name in names)
    click.echo(f"\nkb: {{use: face, {settings}}}")
    if not measured.separable:
        click.echo(
            "similarity is unchanged: setting it needs segments of two users whose faces are "
            "separable"
        )
    counts = []
    for level in ("l0", "l1", "l2", "forced"):
        counts.append(f"{level} {count_updates(replace(found, level=level), samples)}")
    click.echo(f"updates: {', '.join(counts)} of {len(samples)} segments")


@dataclass(frozen=True)
class Measurements:
    """Differences of pairs of reference pictures of one user, one value per pair, and similarities
    between users."""

    similarity: np.ndarray
    different_users: np.ndarray
    psnr_db: np.ndarray
    rotation_deg: np.ndarray
    translation: np.ndarray
    expression: np.ndarray

    def series(self) -> Iterator[tuple[str, np.ndarray]]:
        """Series of values with their labels."""
        yield "similarity, same user", self.similarity
        yield "similarity, different users", self.different_users
        yield "PSNR, dB", self.psnr_db
        yield "rotation, degrees", self.rotation_deg
        yield "translation, faces", self.translation
        yield "expression, deviations", self.expression

    @property
    def separable(self) -> bool:
        """Whether the similarities within users exceed all those between users."""
        return bool(
            len(self.different_users)
            and len(self.similarity)
            and self.similarity.min() > self.different_users.max()
        )


def measure(policy: FaceKB, samples: Sequence[Sample]) -> Measurements:
    """Compare the pictures that the policy would send for segments."""
    pictures = []
    for sample in samples:
        picture = policy.picture(sample)
        if picture is not None:
            pictures.append((sample.user, picture))
    pairs = list(itertools.combinations(pictures, 2))
    pairs = pairs[:: max(1, -(-len(pairs) // MOST_PAIRS))]
    # As in the policy, a later picture is compared with an earlier one: the measures are not
    # symmetric.
    same: list[tuple[np.ndarray, np.ndarray]] = []
    same_user: list[float] = []
    different_users: list[float] = []
    for (user, earlier), (other_user, later) in pairs:
        if user == other_user:
            same.append((later, earlier))
        similarity = likeness(later, earlier)
        if similarity is not None:
            (same_user if user == other_user else different_users).append(similarity)
    movements = []
    for pair in same:
        moved = movement(*pair)
        if moved is not None and np.isfinite(moved.rotation_deg):
            movements.append(moved)
    psnr = np.array([min(psnr_db(*pair), 100.0) for pair in same])
    return Measurements(
        similarity=np.array(same_user),
        different_users=np.array(different_users),
        psnr_db=psnr,
        rotation_deg=np.array([moved.rotation_deg for moved in movements]),
        translation=np.array([moved.translation for moved in movements]),
        expression=np.array([moved.expression for moved in movements]),
    )


def propose(policy: FaceKB, measured: Measurements, share: float) -> FaceKB:
    """The policy with thresholds that class the share of pairs as too different, and separate users
    if possible."""
    similarity = (
        float(measured.similarity.min() + measured.different_users.max()) / 2
        if measured.separable
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


def count_updates(policy: FaceKB, samples: Sequence[Sample]) -> int:
    """Number of updates that a policy sends over segments if none is lost."""
    from semcore import KnowledgeBase

    kb, sent = KnowledgeBase(), 0
    for sample in samples:
        delivered = policy.update(kb, [sample])
        kb, sent = policy.apply(kb, delivered), sent + bool(delivered[0].streams)
    return sent
