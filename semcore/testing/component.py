"""The laws of every component, whatever it does."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
import random
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

from semcore.component.base import Component, field_types, unit_of
from semcore.component.digest import digest
from semcore.component.secret import unset
from semcore.config.build import Builder
from semcore.entrypoints import naming
from semcore.errors import ComponentError, Problem
from semcore.plugins.contract import INTERFACES
from semcore.plugins.docstrings import documentation, field_docs, summary
from semcore.testing.compare import difference
from semcore.testing.law import Given, LawBroken, NotApplicable, require
from semcore.wording.units import UNITS

TELLING_UNITS = {unit.symbol for unit in UNITS.values() if len(unit.symbol) > 1} - {"bit", "byte"}
"""Units that no sentence holds by chance, as a single letter could."""


def is_a_frozen_dataclass(component: Component, given: Given) -> None:
    """It is a frozen dataclass: nothing can be set once it is made."""
    params = vars(type(component)).get("__dataclass_params__")
    require(
        getattr(params, "frozen", False),
        f"put @dataclass(frozen=True) above {type(component).__name__}",
    )


def has_explicit_signatures(component: Component, given: Given) -> None:
    """No public method takes *args or **kwargs, and those of the interface keep its names of
    arguments."""
    for cls, name, method in _methods(type(component)):
        parameters = inspect.signature(method).parameters.values()
        loose = [
            str(one) for one in parameters if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        ]
        require(not loose, f"{cls.__name__}.{name} takes {', '.join(loose)}: name its arguments")
        original = getattr(INTERFACES[component.kind], name, None)
        if inspect.isfunction(original):
            wanted, found = (
                list(inspect.signature(original).parameters),
                [one.name for one in parameters],
            )
            require(
                found[: len(wanted)] == wanted,
                f"{cls.__name__}.{name} takes {found}, the interface {wanted}",
            )


def documents_every_field(component: Component, given: Given) -> None:
    """Its docstring begins with a sentence; `Fields:`, here or in a base, describes every field and
    none that is not there."""
    text = vars(type(component)).get("__doc__") or ""
    require(
        summary(text) and not text.startswith(f"{type(component).__name__}("),
        "its class has no docstring",
    )
    names, docs = (
        [field.name for field in dataclasses.fields(component)],
        documentation(type(component)),
    )
    require(
        not (missing := [name for name in names if name not in docs]),
        f"`Fields:` says nothing of {missing}",
    )
    wrong = [name for name in field_docs(text) if name not in names]
    require(not wrong, f"`Fields:` describes {wrong}: no such fields")


def units_stand_in_names(component: Component, given: Given) -> None:
    """Where the documentation of a field names a unit (dB, Hz, km/h, ...), the field's name ends in
    it."""
    for name, doc in documentation(type(component)).items():
        named = {
            unit
            for unit in TELLING_UNITS
            if re.search(rf"(?<![\w/]){re.escape(unit)}(?![\w/])", doc)
        }
        own = unit_of(name)
        ends = " or ".join(f"_{end}" for end, unit in UNITS.items() if unit.symbol in named)
        require(
            not named or own in named,
            f"{name} is documented in {', '.join(named)}: let its name end in {ends}",
        )


def takes_secrets_by_name(component: Component, given: Given) -> None:
    """A field called key, token, password or secret holds a `Secret`: the name of an environment
    variable, not the value."""
    for name, annotation in field_types(type(component)).items():
        named = re.search(r"(^|_)(key|token|password|secret)$", name)
        require(
            not named or not _holds_text(annotation),
            f"{name} would be written down as it is: annotate it as Secret",
        )


def refuses_bad_values(component: Component, given: Given) -> None:
    """A value of the wrong type is refused by a ComponentError that names the field."""
    for name, annotation in field_types(type(component)).items():
        if annotation is Any:
            continue
        try:
            dataclasses.replace(component, **{name: _Nonsense()})
        except ComponentError as error:
            require(
                name in str(error), f"a bad value of {name} is refused without naming it: {error}"
            )
        else:
            raise LawBroken(
                f"{name} takes a value of any type: do not override __post_init__, use check()"
            )


def survives_pickling(component: Component, given: Given) -> None:
    """Pickled after use and read again it equals itself, and no weights went along."""
    given.use(component)
    stored = pickle.dumps(component)
    require(pickle.loads(stored) == component, "it does not equal itself after pickling")
    fresh = pickle.dumps(dataclasses.replace(component))
    require(
        len(stored) == len(fresh),
        "use makes its pickle larger: keep what is expensive in a cached_property",
    )


def is_built_again_from_its_settings(component: Component, given: Given) -> None:
    """`settings()`, written as YAML would be, builds an equal component."""
    if missing := unset(component):
        raise NotApplicable(f"it needs the environment variable {', '.join(missing.values())}")
    settings = {"use": naming.name_of(type(component)), **component.settings()}
    for kind, name in _used(settings, component.kind):
        if not any(naming.find(one, name) for one in ([kind] if kind else naming.KINDS)):
            raise NotApplicable(
                f"{name} is not registered; install its package, or use @semcore.register"
            )
    builder = Builder(_tell)
    again = builder.component(component.kind, json.loads(json.dumps(settings)), ())
    require(not builder.problems, "; ".join(problem.message for problem in builder.problems))
    require(again == component, f"its settings build {again!r}, not {component!r}")


def has_a_stable_digest(component: Component, given: Given) -> None:
    """An equal component has an equal digest, before and after use: what the cache finds it by."""
    before = digest(component)
    given.use(component)
    require(digest(component) == before, "use changes its digest")
    require(digest(pickle.loads(pickle.dumps(component))) == before, "pickling changes its digest")


def touches_no_global_random_state(component: Component, given: Given) -> None:
    """The global generators of Python, NumPy, PyTorch and Sionna stand where they stood: randomness
    is an argument."""
    kept = _random_state()
    try:
        # where no component can have left them by seeding
        random.seed(5), np.random.seed(6), torch.manual_seed(7)
        before = _random_state()
        given.use(component)
        after = _random_state()
        moved = [name for name in before if difference(before[name], after[name])]
        require(
            not moved,
            f"it draws from, or seeds, the global generator of {', '.join(moved)}: use rng.at(key)",
        )
    finally:
        random.setstate(kept["Python"])
        np.random.set_state(kept["NumPy"])
        torch.set_rng_state(kept["PyTorch"])


def gives_the_same_for_the_same(component: Component, given: Given) -> None:
    """Equal input and random numbers give an equal result: the first time, the second, and from a
    fresh copy."""
    first, second = given.use(component), given.use(component)
    require(not (where := difference(first, second)), f"the second time, {where}")
    where = difference(first, given.use(pickle.loads(pickle.dumps(component))))
    require(not where, f"from a fresh copy, {where}")


def leaves_its_input_alone(component: Component, given: Given) -> None:
    """What it is given is as it was afterwards."""
    before = copy.deepcopy((given.samples, given.batch))
    given.use(component)
    where = difference(before, (given.samples, given.batch))
    require(not where, f"it changes what it is given: {where}")


LAWS = (
    is_a_frozen_dataclass, has_explicit_signatures, documents_every_field, units_stand_in_names,
    takes_secrets_by_name, refuses_bad_values, survives_pickling, is_built_again_from_its_settings,
    has_a_stable_digest, touches_no_global_random_state, gives_the_same_for_the_same,
    leaves_its_input_alone,
)  # fmt: skip


# ------------------------------------------------------------------------------------------ helpers


class _Nonsense:
    """A value of a type that no field has."""


def _methods(cls: type) -> Iterator[tuple[type, str, Any]]:
    """(class, name, function) of the constructor and every public method below `Component`."""
    for owner in cls.__mro__[: cls.__mro__.index(Component)]:
        for name, value in vars(owner).items():
            function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
            if inspect.isfunction(function) and (not name.startswith("_") or name == "__init__"):
                yield owner, name, inspect.unwrap(function)


def _used(value: Any, kind: str = "") -> Iterator[tuple[str, str]]:
    """(kind if known, name) of every component in settings."""
    if isinstance(value, Mapping):
        if isinstance(value.get("use"), str):
            yield kind, value["use"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _used(item)


def _holds_text(annotation: Any) -> bool:
    return annotation is str or any(map(_holds_text, getattr(annotation, "__args__", ())))


def _tell(path: Any, message: str, hint: str = "", *, at_key: bool = False) -> Problem:
    return Problem(message, ".".join(map(str, path)), hint=hint)


def _random_state() -> dict[str, Any]:
    state: dict[str, Any] = {
        "Python": random.getstate(),
        "NumPy": np.random.get_state(),
        "PyTorch": torch.get_rng_state(),
    }
    if sionna := sys.modules.get("sionna.phy"):
        state["Sionna"] = sionna.config.torch_rng("cpu").get_state()
        state["Sionna's NumPy"] = sionna.config.np_rng.bit_generator.state
    return state
