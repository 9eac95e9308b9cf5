"""Pseudonyms of samples and users at the receiver, drawn at random for each call.

The id of a sample often names its class, its file or its speaker, which a receiver must not know.
So transports, generators, selectors and a policy's `apply` at the receiver see pseudonyms; results,
ledger and reports have the true names. No random number depends on a pseudonym: the `Rng` that goes
with it maps it to the true address. A component with `genie = True` sees true names.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from semcore.component.digest import digest
from semcore.rng import Rng
from semcore.types import (
    Bitstream,
    Candidates,
    KnowledgeBase,
    Pictures,
    Sample,
    Semantics,
    Text,
    Tokens,
)

NOTHING = KnowledgeBase()


def is_genie(component: Any) -> bool:
    """Whether a component, or one inside it, is a genie."""
    if isinstance(component, Mapping):
        return any(map(is_genie, component.values()))
    if isinstance(component, (list, tuple)):
        return any(map(is_genie, component))
    if getattr(component, "genie", False) is True:
        return True
    if not dataclasses.is_dataclass(component) or isinstance(component, type):
        return False
    return any(is_genie(getattr(component, field.name)) for field in dataclasses.fields(component))


@dataclass(frozen=True, eq=False, repr=False)
class Pseudonyms:
    """The names that a component of the receiver sees in one call.

    Fields:
        keys: key of a sample -> its pseudonym
        users: user -> its pseudonym
    """

    keys: Mapping[str, str]
    users: Mapping[str, str]

    @classmethod
    def of(
        cls, batch: Sequence[Semantics], kb: KnowledgeBase = NOTHING, component: Any = None
    ) -> Pseudonyms:
        """Pseudonyms for samples and users, for one call of `component`; none for a genie."""
        genie = is_genie(component)

        def drawn(names: Iterable[str]) -> dict[str, str]:
            return {name: name if genie else secrets.token_hex(8) for name in dict.fromkeys(names)}

        users = [*(one.user for one in batch), *kb.entries]
        return cls(drawn(one.key for one in batch), drawn(users))

    def batch(self, batch: Sequence[Semantics]) -> list[Semantics]:
        """A batch under its pseudonyms."""
        keys, users = self.keys, self.users
        return [replace(one, key=keys[one.key], user=users[one.user]) for one in batch]

    def knowledge(self, kb: KnowledgeBase) -> KnowledgeBase:
        """A knowledge base under the pseudonyms of its users."""
        return KnowledgeBase({self.users[user]: entries for user, entries in kb.entries.items()})

    def rng(self, rng: Rng) -> Rng:
        """The same address; below it, the pseudonym of a sample stands for its key."""
        return rng.alias({pseudonym: key for key, pseudonym in self.keys.items()})

    def receivers_rng(self, rng: Rng, arrived: Sequence[Semantics]) -> Rng:
        """The same address; below it, the pseudonym of a sample stands for `address_of` it."""
        return rng.alias({self.keys[one.key]: address_of(one) for one in arrived})

    def true_knowledge(self, kb: KnowledgeBase) -> KnowledgeBase:
        """The inverse of `knowledge`; other users keep their names."""
        true = {pseudonym: user for user, pseudonym in self.users.items()}
        return KnowledgeBase(
            {true.get(user, user): entries for user, entries in kb.entries.items()}
        )

    @contextlib.contextmanager
    def in_errors(self) -> Iterator[Pseudonyms]:
        """A context in which messages of exceptions get the true names."""
        try:
            yield self
        except Exception as error:
            args = (self._true(one) if isinstance(one, str) else one for one in error.args)
            error.args = tuple(args)
            raise

    def _true(self, text: str) -> str:
        for true, pseudonym in (*self.keys.items(), *self.users.items()):
            text = text.replace(pseudonym, true)
        return text


def address_of(arrived: Semantics) -> str:
    """The address at which the receiver draws random numbers for what arrived of a sample.

    Numbers drawn at the key would reveal the sample to a receiver that tries ids and seeds. So the
    address is made of the texts, tokens and bytes that arrived, and of the form of other streams,
    whose values can differ between machines in the last bit.
    """
    exact, streams = (Text, Tokens, Bitstream), arrived.streams.items()
    return digest({name: one if isinstance(one, exact) else one.form for name, one in streams})


def named(semantics: Sequence[Semantics], batch: Sequence[Semantics]) -> list[Semantics]:
    """Streams under the true names of their batch."""
    pairs = zip(semantics, batch, strict=True)
    return [replace(one, key=true.key, user=true.user) for one, true in pairs]


def named_candidates(
    candidates: Sequence[Candidates], batch: Sequence[Semantics]
) -> list[Candidates]:
    """Candidates under the names of a batch."""
    return [_candidates(one, true) for one, true in zip(candidates, batch, strict=True)]


def named_samples(samples: Sequence[Sample], batch: Sequence[Semantics]) -> list[Sample]:
    """Reconstructions under the true names of their batch."""
    pairs = zip(samples, batch, strict=True)
    return [replace(one, id=true.key, user=true.user) for one, true in pairs]


def _candidates(some: Candidates, true: Semantics) -> Candidates:
    if isinstance(some.samples, Pictures):
        return Candidates(replace(some.samples, id=true.key, user=true.user))
    return Candidates(tuple(replace(one, id=true.key, user=true.user) for one in some.samples))
