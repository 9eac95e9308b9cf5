"""Which laws a component has, and two ways to try them: as pytest cases, and as a list of
verdicts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semcore.component.base import Component
from semcore.entrypoints.discovery import one_line
from semcore.entrypoints.extras import extra
from semcore.interfaces import Generator
from semcore.testing import (
    channel,
    codec,
    component,
    encoder,
    examples,
    executor,
    generator,
    hooks,
    kb,
    metric,
    names,
    planner,
    recipe,
    selector,
    source,
    transport,
)
from semcore.testing.build import tried
from semcore.testing.law import Check, Given, Law, NotApplicable, Verdict
from semcore.types import Sample, Semantics, Text

Use = Callable[[Any, Given], Any]

KINDS: Mapping[str, tuple[Use, Sequence[Check]]] = {
    "encoder": (encoder.use, encoder.LAWS),
    "transport": (transport.use, (*transport.LAWS, names.sends_the_same_under_any_name)),
    "channel": (channel.use, (*channel.LAWS, names.transmits_the_same_under_any_name)),
    "generator": (generator.use, (*generator.LAWS, names.draws_the_same_under_any_name)),
    "selector": (selector.use, (*selector.LAWS, names.chooses_the_same_under_any_name)),
    "kb": (kb.use, (*kb.LAWS, names.learns_the_same_under_any_name)),
    "planner": (planner.use, planner.LAWS),
    "source": (source.use, source.LAWS),
    "codec": (codec.use, codec.LAWS),
    "metric": (metric.use, metric.LAWS),
    "executor": (executor.use, executor.LAWS),
    "recipe": (recipe.use, recipe.LAWS),
    "hooks": (hooks.use, hooks.LAWS),
}
"""Kind of component -> how it is put to use, and the laws of its interface."""


def laws(
    one: Component, *, samples: Sequence[Sample] = (), batch: Sequence[Semantics] = ()
) -> list[Law]:
    """The laws of a component: those of every component, and those of its interface.

    Args:
        one: the component
        samples: what an encoder, a knowledge-base policy or a metric is tried on, several users
            among them; by default samples with a picture, a video, a sound and a text
        batch: what a generator or selector is tried on; by default a stream for each name in
            `accepts`, or a caption
    """
    use, own = KINDS[one.kind]
    known = tuple(samples) or examples.samples()
    if one.kind == "kb":
        known = kb.one_a_user(known)
    arrived = tuple(batch)
    if not arrived:
        arrived = (
            generator.batch_for(one)
            if isinstance(one, Generator)
            else examples.semantics((("caption", Text),))
        )

    def given() -> Given:
        """A copy for each law: what one component spoils is not the next law's concern."""
        made = Given(*copy.deepcopy((known, arrived)), lambda again: use(again, made))
        return made

    return [Law.of(check, one, given) for check in (*component.LAWS, *own)]


def run_laws(
    one: Component, *, samples: Sequence[Sample] = (), batch: Sequence[Semantics] = ()
) -> list[Verdict]:
    """Try every law of a component; nothing is raised, what goes wrong is a verdict. The arguments
    are those of `laws`."""
    return [try_law(law) for law in laws(one, samples=samples, batch=batch)]


def try_law(law: Law) -> Verdict:
    """What becomes of a law."""
    try:
        law.check()
    except NotApplicable as reason:
        return Verdict(law, "not applicable", str(reason))
    except (Exception, SystemExit) as error:  # whatever somebody else's component raises
        return Verdict(
            law, "broken", str(error) if isinstance(error, AssertionError) else one_line(error)
        )
    return Verdict(law, "holds")


def conformance(
    *components: Component | type[Component],
    samples: Sequence[Sample] = (),
    batch: Sequence[Semantics] = (),
) -> Callable[..., None]:
    """A pytest function with one case for each law of each component; assign it to a name that
    begins with `test_`.

    Of a class, the components are tried that its `test_settings` describes, or the one with the
    defaults. A law that does not apply is skipped and says why. `samples` and `batch` are those of
    `laws`.
    """
    with extra("semcore[test]", "the cases are run by pytest"):
        import pytest

    cases = []
    made = [
        one for some in components for one in (tried(some) if isinstance(some, type) else [some])
    ]
    for index, one in enumerate(made):
        name = type(one).__name__ + (
            f"{index}" if len({type(other) for other in made}) < len(made) else ""
        )
        for law in laws(one, samples=samples, batch=batch):
            cases.append(pytest.param(law, id=f"{name}-{law.name}" if len(made) > 1 else law.name))

    @pytest.mark.parametrize("law", cases)
    def test_conformance(law: Law) -> None:
        __tracebackhide__ = True
        try:
            law.check()
        except NotApplicable as reason:
            pytest.skip(str(reason))

    return test_conformance
