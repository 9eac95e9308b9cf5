"""The laws of a generator: it works with any streams that arrived, and with nothing else."""

from __future__ import annotations

import copy
import itertools
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from semcore.interfaces import Generator
from semcore.testing import hostile
from semcore.testing.compare import difference
from semcore.testing.examples import RNG, picture, semantics
from semcore.testing.law import Given, NotApplicable, require
from semcore.types import Candidates, KnowledgeBase, Picture, Semantics

LEVEL = 1.0
"""Pixels may differ by one level between batches: networks add up in another order."""


_unseen = itertools.count()
"""Makes keys that no component has seen before."""


def batch_for(generator: Generator) -> tuple[Semantics, ...]:
    """A batch with a stream for each name that the generator makes use of."""
    return semantics(tuple((name, types[0]) for name, types in generator.accepts.items()))


def knowledge() -> KnowledgeBase:
    """The receiver's knowledge base: a reference picture of one of the users."""
    return KnowledgeBase({"anna": (Picture(picture()),)})


def use(generator: Generator, given: Given) -> Any:
    """Candidates, with a knowledge base."""
    return generator.generate(given.batch, knowledge(), RNG)


def gives_candidates_for_each_sample(generator: Generator, given: Given) -> None:
    """One Candidates a sample, in order, each reconstruction with the sample's key and user."""
    _check(generator.generate(given.batch, knowledge(), RNG), given.batch, "with everything there")


def works_with_any_stream_lost(generator: Generator, given: Given) -> None:
    """With any subset of the streams erased, all of them included, and with an empty knowledge
    base, it still draws."""
    for kept in _subsets(given.batch):
        batch = [one.only(kept) for one in given.batch[:2]]
        _check(
            generator.generate(batch, KnowledgeBase(), RNG),
            batch,
            f"with the streams {list(kept)} alone",
        )


def works_with_damaged_streams(generator: Generator, given: Given) -> None:
    """Streams with any content of their type and form, the strangest texts say, are no reason to
    stop."""
    for batch in hostile.batches(given.batch):
        _check(generator.generate(batch, knowledge(), RNG), batch, "with a damaged stream")


def gives_as_many_as_asked_for(generator: Generator, given: Given) -> None:
    """Asked for k candidates it gives k."""
    wanted = getattr(generator, "candidates", None)
    if not isinstance(wanted, int):
        raise NotApplicable("it has no setting `candidates`")
    for one in generator.generate(given.batch, knowledge(), RNG):
        require(
            len(one.samples) == wanted,
            f"asked for {wanted} candidates, it gives {len(one.samples)}",
        )


def generates_a_sample_the_same_in_any_batch(generator: Generator, given: Given) -> None:
    """A reconstruction depends on what arrived of its sample and on its address; not on the batch
    or on its order."""
    together = generator.generate(given.batch, knowledge(), RNG)
    for one, some in reversed(list(zip(given.batch, together, strict=True))):
        where = difference(some, generator.generate([one], knowledge(), RNG)[0], LEVEL)
        require(not where, f"sample {one.key!r}, generated alone: {where}")


def is_unchanged_if_the_source_is_destroyed(generator: Generator, given: Given) -> None:
    """What arrived is all it knows: it draws the same from a copy when the original has been
    overwritten."""
    unseen = next(_unseen)
    batch = [replace(one, key=f"{one.key}, {unseen}") for one in given.batch]
    original = copy.deepcopy(batch)
    drawn = pickle.dumps(generator.generate(original, knowledge(), RNG))
    for one in original:
        for stream in one.streams.values():
            for name in ("values", "pixels"):
                if (array := getattr(stream, name, None)) is not None and array.flags.writeable:
                    array[...] = 0
    again = generator.generate(batch, knowledge(), RNG)
    where = difference(pickle.loads(drawn), again)
    require(not where, f"once the original is overwritten, {where}")


LAWS = (
    gives_candidates_for_each_sample, works_with_any_stream_lost, works_with_damaged_streams,
    gives_as_many_as_asked_for, generates_a_sample_the_same_in_any_batch,
    is_unchanged_if_the_source_is_destroyed,
)  # fmt: skip


# ------------------------------------------------------------------------------------------ helpers


def _check(drawn: Sequence[Candidates], batch: Sequence[Semantics], when: str) -> None:
    require(len(drawn) == len(batch), f"{when}: {len(batch)} samples became {len(drawn)}")
    for some, one in zip(drawn, batch, strict=True):
        for sample in some.samples:
            found = (sample.id, sample.user)
            require(
                found == (one.key, one.user),
                f"{when}: sample {(one.key, one.user)} comes back as {found}",
            )


def _subsets(batch: Sequence[Semantics]) -> Iterator[tuple[str, ...]]:
    """Subsets of the names of streams: all of up to four, else none, all but one, and one alone."""
    names = tuple(dict.fromkeys(name for one in batch for name in one.streams))
    sizes = range(len(names) + 1) if len(names) <= 4 else (0, 1, len(names) - 1)
    return itertools.chain.from_iterable(itertools.combinations(names, size) for size in sizes)
