"""The laws of a knowledge-base policy: both ends agree, whatever is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from semcore.interfaces import KBPolicy
from semcore.testing.compare import difference
from semcore.testing.hostile import batches
from semcore.testing.law import Given, require
from semcore.types import KnowledgeBase, Sample

EMPTY = KnowledgeBase()


def use(policy: KBPolicy, given: Given) -> Any:
    """Two rounds with the samples: what is sent, and what is known then."""
    first = policy.update(EMPTY, given.samples)
    known = policy.apply(EMPTY, first)
    second = policy.update(known, given.samples)
    return first, known, second, policy.apply(known, second)


def sends_what_it_declares(policy: KBPolicy, given: Given) -> None:
    """One update a sample, with its key and user, and streams of the names and types in `streams`,
    or none."""
    updates = policy.update(EMPTY, given.samples)
    require(
        len(updates) == len(given.samples),
        f"{len(given.samples)} samples gave {len(updates)} updates",
    )
    for sample, one in zip(given.samples, updates, strict=True):
        found = (one.key, one.user)
        require(
            found == (sample.id, sample.user),
            f"sample {(sample.id, sample.user)} is updated as {found}",
        )
        for name, stream in one.streams.items():
            wanted = policy.streams.get(name)
            require(
                wanted is type(stream),
                f"it sends {name!r} as {type(stream).__name__} and declares {wanted}",
            )


def both_ends_agree(policy: KBPolicy, given: Given) -> None:
    """After rounds without loss both ends know the same, and what was sent is known."""
    tx, rx = EMPTY, EMPTY
    for _ in range(3):
        updates = policy.update(tx, given.samples)
        tx, rx = policy.apply(tx, updates), policy.apply(rx, updates)
        where = difference(tx.entries, rx.entries)
        require(not where, f"after a round without loss the two ends differ: {where}")
        for update in updates:
            for stream in update.streams.values():
                known = any(not difference(stream, entry) for entry in rx.of(update.user))
                require(
                    known,
                    f"the update of {update.user!r} arrived, but its knowledge base does "
                    "not hold it",
                )


def a_lost_update_changes_nothing(policy: KBPolicy, given: Given) -> None:
    """An update that was lost leaves the receiver as it was, at first and later; the next round
    asks for it again."""
    for known in (EMPTY, policy.apply(EMPTY, policy.update(EMPTY, given.samples[:1]))):
        updates = policy.update(known, given.samples)
        after = policy.apply(known, [replace(update, streams={}) for update in updates])
        where = difference(dict(known.entries), dict(after.entries))
        require(not where, f"all updates were lost, and yet {where}")
        again = policy.update(after, given.samples)
        require(
            not (where := difference(updates, again)),
            f"after a lost round it asks for something else: {where}",
        )


def strange_updates_do_no_harm(policy: KBPolicy, given: Given) -> None:
    """After an update with any content of its type and form it still judges every sample."""
    for delivered in batches(policy.update(EMPTY, given.samples)):
        known = policy.apply(EMPTY, delivered)
        updates = policy.update(known, given.samples)
        require(
            len(updates) == len(given.samples),
            f"{len(given.samples)} samples gave {len(updates)} updates",
        )


def users_do_not_mix(policy: KBPolicy, given: Given) -> None:
    """What is sent for a user, and what is known of one, does not depend on the others."""
    known = policy.apply(EMPTY, policy.update(EMPTY, given.samples))
    for user in dict.fromkeys(sample.user for sample in given.samples):
        mine = [sample for sample in given.samples if sample.user == user]
        others = {other: known.of(other) for other in known.entries if other != user}
        for held in ({}, {user: known.of(user)}):
            alone = policy.update(KnowledgeBase(held), mine)
            where = difference(alone, policy.update(KnowledgeBase({**others, **held}), mine))
            require(
                not where, f"what is sent for {user!r} depends on what is known of others: {where}"
            )
            after = policy.apply(KnowledgeBase({**others, **held}), alone)
            where = difference(others, {other: after.of(other) for other in others})
            require(not where, f"an update of {user!r} changes what is known of others: {where}")


def asks_the_same_in_any_batch(policy: KBPolicy, given: Given) -> None:
    """Whether a sample needs an update depends on it and on what is known, not on the batch."""
    together = policy.update(EMPTY, given.samples)
    alone = [policy.update(EMPTY, [sample])[0] for sample in given.samples]
    require(not (where := difference(together, alone)), f"sample by sample: {where}")


LAWS = (
    sends_what_it_declares, both_ends_agree, a_lost_update_changes_nothing,
    strange_updates_do_no_harm, users_do_not_mix, asks_the_same_in_any_batch,
)  # fmt: skip


def one_a_user(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """The first sample of each user: a segment of a session."""
    first: dict[str, Sample] = {}
    for sample in samples:
        first.setdefault(sample.user, sample)
    return tuple(first.values())
