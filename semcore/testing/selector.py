"""The laws of a selector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semcore.interfaces import Selector
from semcore.testing.compare import difference
from semcore.testing.examples import picture
from semcore.testing.hostile import batches
from semcore.testing.law import Given, NotApplicable, require
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics

EMPTY = KnowledgeBase()


def use(selector: Selector, given: Given) -> Any:
    """Its choice."""
    return selector.select(_candidates(given.batch), given.batch, EMPTY)


def chooses_one_of_the_candidates(selector: Selector, given: Given) -> None:
    """It returns one of the candidates of each sample, whatever arrived, the strangest texts say,
    and invents nothing."""
    nothing = [one.only([]) for one in given.batch]
    for batch in (given.batch, nothing, *batches(given.batch)):
        candidates = _candidates(batch)
        chosen = selector.select(candidates, batch, EMPTY)
        require(len(chosen) == len(batch), f"{len(batch)} samples became {len(chosen)}")
        for one, some in zip(chosen, candidates, strict=True):
            found = any(not difference(one, sample) for sample in some.samples)
            require(
                found, f"what it returns for {some.samples[0].id!r} is not one of the candidates"
            )


def chooses_by_content_and_not_by_place(selector: Selector, given: Given) -> None:
    """The order of the candidates does not matter."""
    if selector.order_matters:
        raise NotApplicable("it says itself that order matters (`order_matters`)")
    chosen = selector.select(_candidates(given.batch), given.batch, EMPTY)
    for shift in (1, 2, 3):
        turned = [
            Candidates((*some.samples[shift:], *some.samples[:shift]))
            for some in _candidates(given.batch)
        ]
        where = difference(chosen, selector.select(turned, given.batch, EMPTY))
        require(not where, f"the candidates in another order, {where}")


def chooses_the_same_in_any_batch(selector: Selector, given: Given) -> None:
    """The choice for a sample does not depend on the others in the batch or on their order."""
    candidates = _candidates(given.batch)
    together = selector.select(candidates, given.batch, EMPTY)
    for index in reversed(range(len(given.batch))):
        alone = selector.select([candidates[index]], [given.batch[index]], EMPTY)[0]
        where = difference(together[index], alone)
        require(not where, f"sample {given.batch[index].key!r} alone: {where}")


LAWS = (
    chooses_one_of_the_candidates,
    chooses_by_content_and_not_by_place,
    chooses_the_same_in_any_batch,
)


def _candidates(batch: Sequence[Semantics]) -> list[Candidates]:
    """Four different pictures for each sample."""
    return [
        Candidates(
            tuple(Sample(one.key, one.user, image=picture(32, 32, 4 * index + k)) for k in range(4))
        )
        for index, one in enumerate(batch)
    ]
