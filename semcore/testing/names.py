"""Laws of names: no component of the link, channel or receiver reads the name of a sample or of a
user.

An id is often a path, a class or a speaker. A pipeline gives the receiver's half pseudonyms, so
whoever reads names fails there; here it is found out, with names as they are outside: of files, of
classes, and of whatever the component's own source holds words for.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from semcore.interfaces import ChannelModel, Generator, KBPolicy, Selector, Transport
from semcore.link.pseudonyms import is_genie, named, named_candidates, named_samples
from semcore.rng import Rng
from semcore.testing.compare import difference
from semcore.testing.examples import RNG, link, picture, symbols
from semcore.testing.law import Given, NotApplicable, require
from semcore.types import Candidates, KnowledgeBase, Picture, Sample, Semantics

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
    "0",
    "7",
    "red",
    "blue",
)
FORMS = ("{}-01", "{}/0002", "/data/test/{}/3.png", "{}")
"""How a class stands in the id of a sample."""
OWN_WORDS = 12
"""Number of words of a component's own source that are tried, besides `CLASSES`."""
ALONE = 2
"""Number of names tried with a knowledge base that holds nobody else."""
LEVEL = 1.0
"""Pixels may differ by one level within a batch: networks add up in another order."""
NAMELESS = Semantics("sample", {}, "user")


def wild(component: Any) -> list[Semantics]:
    """Names that tell something, of samples and their users, without streams."""
    words = list(dict.fromkeys((*CLASSES, *_own_words(type(component)))))
    return [
        Semantics(FORMS[(index + shift) % len(FORMS)].format(word), {}, f"{word} of {shift}")
        for shift in (0, 2)
        for index, word in enumerate(words)
    ]


def known_by(rng: Rng, names: Sequence[Semantics], address: str = NAMELESS.key) -> Rng:
    """The same address, below which every one of `names` has the numbers of one and the same
    sample."""
    return rng.alias({one.key: address for one in names})


def draws_the_same_under_any_name(generator: Generator, given: Given) -> None:
    """The same streams and random numbers give the same candidates, whatever sample and user are
    called.

    Nor does it remember what arrived earlier under a name.
    """
    if is_genie(generator):
        raise NotApplicable("it is a genie: it is given true names, and results say so")
    names, entries = wild(generator), (Picture(picture()),)
    rng, one = known_by(RNG, names), given.batch[0]
    kb = KnowledgeBase({name.user: entries for name in names})
    generator.generate(_spread(given.batch, names), kb, rng)  # what it could remember
    for when, arrived, known in (
        ("", one, kb),
        (" when nothing arrives", one.only([]), KnowledgeBase()),
    ):
        drawn = generator.generate(_under(arrived, names), known, rng)
        _all_alike(
            named_candidates(drawn, [NAMELESS] * len(names)),
            names,
            f"the same streams give other candidates{when}",
        )
    some = names[: ALONE * len(FORMS) : len(FORMS)]
    drawn = [
        generator.generate(_under(one, [name]), KnowledgeBase({name.user: entries}), rng)[0]
        for name in some
    ]
    _all_alike(
        named_candidates(drawn, [NAMELESS] * len(some)),
        some,
        "the same streams give other candidates alone",
    )


def chooses_the_same_under_any_name(selector: Selector, given: Given) -> None:
    """The same candidates and streams give the same choice, whatever sample and user are called.

    Nor does it remember what arrived earlier under a name.
    """
    if is_genie(selector):
        raise NotApplicable("it is a genie: it is given true names, and results say so")
    names, kb = wild(selector), KnowledgeBase()
    some = Candidates(tuple(Sample("", image=picture(32, 32, number)) for number in range(4)))
    candidates = named_candidates([some] * len(names), names)
    selector.select(candidates, _spread(given.batch, names), kb)
    for when, one in (("", given.batch[0]), (" when nothing arrives", given.batch[0].only([]))):
        chosen = selector.select(candidates, _under(one, names), kb)
        _all_alike(
            named_samples(chosen, [NAMELESS] * len(names)),
            names,
            f"the same streams give another choice{when}",
        )


def sends_the_same_under_any_name(transport: Transport, given: Given) -> None:
    """The same streams give the same symbols, and these the same streams again, whatever samples
    and users are called."""
    from semcore.testing.transport import sendable

    batch = sendable(transport)
    plain = transport.send(batch, RNG)
    noisy = link(plain, 0.1)
    got = transport.receive(noisy)
    known = wild(transport) * -(-2 * len(batch) // len(wild(transport)))
    for names in (known[: len(batch)], known[len(batch) : 2 * len(batch)]):
        renamed = named(batch, names)
        rng = RNG.alias({new.key: old.key for new, old in zip(names, batch, strict=True)})
        again = transport.send(renamed, rng)
        where = difference(
            [again.values, again.layout.spans], [plain.values, plain.layout.spans], 1e-6
        )
        require(
            not where, f"called {names[0].key!r} and so on, samples are sent otherwise: {where}"
        )
        arrived = transport.receive(replace(noisy, layout=again.layout))
        where = difference(named(arrived, batch), got, 1e-6)
        require(
            not where,
            f"called {names[0].key!r} and so on, the same symbols are received otherwise: {where}",
        )


def learns_the_same_under_any_name(policy: KBPolicy, given: Given) -> None:
    """`apply` gives every user the entries that were delivered, whatever samples and users are
    called."""
    updates = policy.update(KnowledgeBase(), given.samples)
    known = policy.apply(KnowledgeBase(), updates)
    users = list(dict.fromkeys(one.user for one in updates))
    for name in wild(policy):
        called = {user: f"{name.user} {number}" for number, user in enumerate(users)}
        renamed = [
            replace(one, key=f"{name.key} {number}", user=called[one.user])
            for number, one in enumerate(updates)
        ]
        again = policy.apply(KnowledgeBase(), renamed)
        where = difference(
            {called.get(user, user): entries for user, entries in known.entries.items()},
            dict(again.entries),
        )
        require(
            not where,
            f"with users called {list(called.values())}, it knows something else: {where}",
        )


def transmits_the_same_under_any_name(channel: ChannelModel, given: Given) -> None:
    """The same symbols and random numbers give the same outcome, whatever the rows are called."""
    sent = symbols((40, 25, 7))
    plain = channel.transmit(sent, RNG)
    names = wild(channel)[: len(sent.layout.keys)]
    rng = RNG.alias({new.key: old for new, old in zip(names, sent.layout.keys, strict=True)})
    layout = replace(
        sent.layout,
        keys=tuple(one.key for one in names),
        senders=tuple((one.key, one.user) for one in names),
    )
    again = channel.transmit(replace(sent, layout=layout), rng)
    where = difference(
        [again.values, again.noise_var, again.overhead],
        [plain.values, plain.noise_var, plain.overhead],
        1e-6,
    )
    require(not where, f"with rows called {[one.key for one in names]}, {where}")


# ------------------------------------------------------------------------------------------ helpers


def _under(one: Semantics, names: Sequence[Semantics]) -> list[Semantics]:
    """One and the same sample under many names."""
    return named([one] * len(names), names)


def _spread(batch: Sequence[Semantics], names: Sequence[Semantics]) -> list[Semantics]:
    """The samples of a batch in turn, each under a name of its own."""
    return named([batch[index % len(batch)] for index in range(len(names))], names)


def _all_alike(made: Sequence[Any], names: Sequence[Semantics], what: str) -> None:
    for one, name in zip(made, names, strict=True):
        where = difference(made[0], one, LEVEL)
        words = (
            f"sample {name.key!r} of {name.user!r} against {names[0].key!r} of {names[0].user!r}"
        )
        require(not where, f"{what}: {words}: {where}")


def _own_words(cls: type) -> list[str]:
    """Words that the class, or else its module, is written with: what it could know the names of
    classes from."""
    found = dict.fromkeys(word for source in _sources(cls) for word in _words(source))
    return list(found)[:OWN_WORDS]


def _sources(cls: type) -> Iterator[str]:
    read: tuple[Callable[[], str], ...] = (
        lambda: textwrap.dedent(inspect.getsource(cls)),
        lambda: inspect.getsource(inspect.getmodule(cls) or cls),
    )
    for one in read:
        try:
            yield one()
        except (OSError, TypeError):  # made without a file
            continue


def _words(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    listed = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict))
    ]
    for node in listed:
        for part in ast.iter_child_nodes(node):
            if (
                isinstance(part, ast.Constant)
                and isinstance(part.value, str)
                and re.fullmatch(r"[\w-]{1,24}", part.value)
            ):
                yield part.value
