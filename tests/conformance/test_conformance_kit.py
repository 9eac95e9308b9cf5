"""The kit itself: a component that breaks a law fails that law, and a good one fails none."""

from __future__ import annotations

import subprocess
import sys

import pytest

import semcore.testing
from semcore import Component, Sample, Semantics, Text
from semcore.testing import LawBroken, laws, run_laws

from .broken_channels import BROKEN_CHANNELS
from .broken_ends import BROKEN_ENDS, OneShort
from .broken_others import BROKEN_OTHERS
from .good import GOOD, Captioner, Channel, Painter, Plain


@pytest.mark.parametrize("component", GOOD, ids=lambda one: one.kind)
def test_a_good_component_breaks_no_law(component: Component) -> None:
    verdicts = run_laws(component)
    assert not [f"{one.law.name}: {one.message}" for one in verdicts if one.result == "broken"]
    assert all(one.message for one in verdicts if one.result == "not applicable"), (
        "a law was skipped without a reason"
    )
    assert sum(one.result == "holds" for one in verdicts) >= 12


@pytest.mark.parametrize(
    ("component", "law"),
    [*BROKEN_CHANNELS, *BROKEN_ENDS, *BROKEN_OTHERS],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_a_broken_component_breaks_its_law(component: Component, law: str) -> None:
    verdicts = {one.law.name: one for one in run_laws(component)}
    assert verdicts[law].result == "broken", f"the law {law} did not notice"
    assert verdicts[law].message, "a broken law must say how"


def test_importing_the_kit_needs_no_pytest() -> None:
    check = (
        "import sys, semcore.testing; assert 'pytest' not in sys.modules; assert 'sionna' not "
        "in sys.modules"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=900)


def test_laws_have_names_and_say_what_they_demand() -> None:
    for component in GOOD:
        found = laws(component)
        assert len({law.name for law in found}) == len(found)
        assert all(law.doc.endswith(".") for law in found)


def test_conformance_makes_a_case_for_each_law_of_each_component() -> None:
    one, two = (
        semcore.testing.conformance(Channel()),
        semcore.testing.conformance(Channel(), Plain()),
    )
    cases = [[case.id for case in test.pytestmark[0].args[1]] for test in (one, two)]  # type: ignore[attr-defined]
    assert cases[0] == [law.name for law in laws(Channel())]
    assert len(cases[1]) == len(set(cases[1])) == len(laws(Channel())) + len(laws(Plain()))


def test_samples_and_batch_of_the_caller_are_what_a_component_is_tried_on() -> None:
    mute = (Sample("a", "x", text="only words"), Sample("b", "y", text="more words"))
    assert not [
        one.law.name for one in run_laws(Captioner(), samples=mute) if one.result == "broken"
    ]
    batch = (Semantics("k", {"caption": Text("x")}, "u"),)
    assert not [one.law.name for one in run_laws(Painter(), batch=batch) if one.result == "broken"]


def test_a_broken_law_is_an_assertion_error() -> None:
    with pytest.raises(LawBroken):
        next(law for law in laws(OneShort()) if law.name == "gives-as-many-as-asked-for").check()
