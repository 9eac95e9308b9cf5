"""The laws of a semantic encoder."""

from __future__ import annotations

from typing import Any

from semcore.interfaces import SemanticEncoder
from semcore.testing.compare import difference
from semcore.testing.law import Given, require
from semcore.types import KnowledgeBase, Stream

EMPTY = KnowledgeBase()


def use(encoder: SemanticEncoder, given: Given) -> Any:
    """What it makes of the samples."""
    return encoder.encode(given.samples, EMPTY)


def emits_what_it_declares(encoder: SemanticEncoder, given: Given) -> None:
    """One Semantics a sample, with its key and user, and streams of the names and types in
    `streams`."""
    sent = encoder.encode(given.samples, EMPTY)
    require(len(sent) == len(given.samples), f"{len(given.samples)} samples became {len(sent)}")
    for sample, one in zip(given.samples, sent, strict=True):
        found = (one.key, one.user)
        require(
            found == (sample.id, sample.user),
            f"sample {(sample.id, sample.user)} is sent as {found}",
        )
        emitted: dict[str, type[Stream]] = {
            name: type(stream) for name, stream in one.streams.items()
        }
        require(
            emitted == dict(encoder.streams),
            f"it declares {dict(encoder.streams)} and emits {emitted}",
        )


def encodes_a_sample_the_same_in_any_batch(encoder: SemanticEncoder, given: Given) -> None:
    """What a sample says does not depend on the others in the batch or on their order."""
    together = encoder.encode(given.samples, EMPTY)
    for sample, one in reversed(list(zip(given.samples, together, strict=True))):
        where = difference(one, encoder.encode([sample], EMPTY)[0], 1e-4)
        require(not where, f"sample {sample.id!r}, encoded alone: {where}")


LAWS = (emits_what_it_declares, encodes_a_sample_the_same_in_any_batch)
