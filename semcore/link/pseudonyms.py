"""What the receiver's half calls samples and users: names drawn at random for one call, which say nothing of them.

The id of a sample often names its class, its file or its speaker, and a receiver that could read it would know what was
sent however bad the link is. So transports, generators, selectors and a policy's `apply` at the receiver see pseudonyms;
results, ledger and reports have the true names. No number depends on a pseudonym: the `Rng` that goes with it knows which
address is meant. A component that is labelled `genie = True` sees true names.
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
from semcore.types import Bitstream, Candidates, KnowledgeBase, Pictures, Sample, Semantics, Text, Tokens

NOTHING = KnowledgeBase()


def is_genie(component: Any) -> bool:
    """Whether a component, or one inside of it, may know what an honest receiver could not."""
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
    """The names that one call of a receiver's component sees.

    Fields:
        keys: key of a sample -> its pseudonym
        users: user -> its pseudonym
    """

    keys: Mapping[str, str]
    users: Mapping[str, str]

    @classmethod
    def of(cls, batch: Sequence[Semantics], kb: KnowledgeBase = NOTHING, component: Any = None) -> Pseudonyms:
        """Pseudonyms for the samples of a batch, and for its users and those of a knowledge base.

        Args:
            component: what is going to see them; a genie sees the true names
        """
        genie = is_genie(component)

        def drawn(names: Iterable[str]) -> dict[str, str]:
            return {name: name if genie else secrets.token_hex(8) for name in dict.fromkeys(names)}

        return cls(drawn(one.key for one in batch), drawn([*(one.user for one in batch), *kb.entries]))

    def batch(self, batch: Sequence[Semantics]) -> list[Semantics]:
        """A batch under its pseudonyms."""
        return [replace(one, key=self.keys[one.key], user=self.users[one.user]) for one in batch]

    def knowledge(self, kb: KnowledgeBase) -> KnowledgeBase:
        """A knowledge base under the pseudonyms of its users."""
        return KnowledgeBase({self.users[user]: entries for user, entries in kb.entries.items()})

    def rng(self, rng: Rng) -> Rng:
        """The same address; below it, the pseudonym of a sample leads to where its key does."""
        return rng.alias({pseudonym: key for key, pseudonym in self.keys.items()})

    def receivers_rng(self, rng: Rng, arrived: Sequence[Semantics]) -> Rng:
        """The same address; below it, the pseudonym of a sample leads to numbers that say nothing of it, see `address_of`."""
        return rng.alias({self.keys[one.key]: address_of(one) for one in arrived})

    def true_knowledge(self, kb: KnowledgeBase) -> KnowledgeBase:
        """The inverse of `knowledge`; users that it does not know keep their names."""
        true = {pseudonym: user for user, pseudonym in self.users.items()}
        return KnowledgeBase({true.get(user, user): entries for user, entries in kb.entries.items()})

    @contextlib.contextmanager
    def in_errors(self) -> Iterator[Pseudonyms]:
        """Gives itself; what is raised inside has true names in its message."""
        try:
            yield self
        except Exception as error:
            error.args = tuple(self._true(one) if isinstance(one, str) else one for one in error.args)
            raise

    def _true(self, text: str) -> str:
        for true, pseudonym in (*self.keys.items(), *self.users.items()):
            text = text.replace(pseudonym, true)
        return text


def address_of(arrived: Semantics) -> str:
    """Where the receiver draws its random numbers for what arrived of a sample.

    Numbers drawn at the key would name the sample to whoever tries the ids of a data set, and seeds, until one gives the same
    numbers. So the address is made of the texts, tokens and bytes that arrived, and of the form of everything else, which need
    not be equal to the last bit on another machine. Samples of which the same arrived have the same numbers.
    """
    exact = (Text, Tokens, Bitstream)
    return digest({name: one if isinstance(one, exact) else one.form for name, one in arrived.streams.items()})


def named(made: Sequence[Semantics], batch: Sequence[Semantics]) -> list[Semantics]:
    """Streams under the names of the batch that they belong to."""
    return [replace(one, key=true.key, user=true.user) for one, true in zip(made, batch, strict=True)]


def named_candidates(made: Sequence[Candidates], batch: Sequence[Semantics]) -> list[Candidates]:
    """Candidates under the names of the batch that they were made of."""
    return [_candidates(one, true) for one, true in zip(made, batch, strict=True)]


def named_samples(made: Sequence[Sample], batch: Sequence[Semantics]) -> list[Sample]:
    """Reconstructions under the names of the batch that they were made of."""
    return [replace(one, id=true.key, user=true.user) for one, true in zip(made, batch, strict=True)]


def _candidates(some: Candidates, true: Semantics) -> Candidates:
    if isinstance(some.samples, Pictures):
        return Candidates(replace(some.samples, id=true.key, user=true.user))
    return Candidates(tuple(replace(one, id=true.key, user=true.user) for one in some.samples))
