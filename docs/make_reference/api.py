"""The page of the Python interface: `semcore`, `semcore.testing` and the hooks."""

from __future__ import annotations

import ast
import importlib
import inspect
from typing import Any

import source
from prose import code, docstring, escaped, fence, page, slug, table

import semcore
import semcore.api.views
import semcore.errors
import semcore.planning.simulator
import semcore.plugins.hookspecs
import semcore.runs.cache
import semcore.testing
import semcore.types.ledger
from semcore.plugins.docstrings import summary
from semcore.testing import component as laws_of_all
from semcore.testing.kit import KINDS

GROUPS = {
    "Runs and results": ("semcore.api", ""),
    "Components": ("semcore.component.base", ""),
    "Interfaces": ("semcore.interfaces", "semcore.interfaces"),
    "Transports that know the SNR": ("semcore.link.adaptation", "semcore.link.adaptation"),
    "Executors and jobs": ("", ""),
    "Planning": ("semcore.planning.interface", "semcore.planning.interface"),
    "Plan space": ("semcore.planning.space", "semcore.planning.space"),
    "Axes of a plan space": ("semcore.planning.axes", "semcore.planning.axes"),
    "Kinds of metrics": ("semcore.statistics", "semcore.statistics"),
    "Types": ("semcore.types", "semcore.types"),
    "Randomness": ("semcore.rng", "semcore.rng"),
    "Progress": ("semcore.steps", "semcore.steps"),
    "Devices": ("semcore.tensors.devices", "semcore.tensors.devices"),
    "Digests and caches": ("semcore.fingerprint", "semcore.fingerprint"),
    "Digests of values": ("semcore.component.digest", "semcore.component.digest"),
    "Values in memory": ("semcore.memo", "semcore.memo"),
    "User cache": ("semcore.runs.cache", ""),
    "Secrets": ("semcore.component.secret", "semcore.component.secret"),
    "Messages": ("semcore.wording", "semcore.wording"),
    "Errors": ("semcore.errors", "semcore.errors"),
    "Names": ("semcore.entrypoints.naming", ""),
    "Registry": ("semcore.plugins.registry", ""),
    "Libraries of an extra": ("semcore.entrypoints.extras", ""),
    "Extensions of a package": (
        "semcore.entrypoints.extensions",
        "semcore.entrypoints.extensions",
    ),
    "Hooks of a run": ("semcore.plugins.hookspecs", ""),
}
"""Heading -> (module or package whose names it lists, module whose docstring introduces them)."""
JOBS = ("Executor", "Job", "Lost", "Needs")
"""Names that stand together, whatever module they are in."""
ALIASES = {
    "Stream": "semcore.types.semantics",
    "LEAST_SNR_DB": "semcore.link.adaptation",
    "MOST_SNR_DB": "semcore.link.adaptation",
    "hook": "semcore.plugins.hookspecs",
}
"""Names that stand for a type, and the modules that say so: they have no module of their own."""
MET: dict[str, Any] = {
    "semcore.analysis.rows.Row": semcore.analysis.rows.Row,
    "semcore.api.views.ResultFrames": semcore.api.views.ResultFrames,
    "semcore.api.views.ResultPlot": semcore.api.views.ResultPlot,
    "semcore.api.views.ResultTable": semcore.api.views.ResultTable,
    "semcore.types.ledger.Entry": semcore.types.ledger.Entry,
    "semcore.errors.Problem": semcore.errors.Problem,
    "semcore.steps.StageDone": semcore.steps.StageDone,
}
"""What is met through a public name, and not public by its own."""

INTRODUCTION = """\
# Python interface

Everything that `semcore`, `semcore.testing` and `semcore.plugins.hookspecs` promise, made from
their docstrings by `make docs`. What is not on this page may change.
[Architecture](../architecture.md) says how the parts work together,
[Write a plugin](../write-a-plugin.md) how to write one of your own; the shipped ones stand in
[Components](components.md)."""


def text() -> str:
    """The page."""
    grouped = {
        title: [name for name in sorted(semcore.__all__) if _group(name) == title]
        for title in GROUPS
    }
    blocks = [INTRODUCTION, _contents(grouped)]
    for title, names in grouped.items():
        introduced = GROUPS[title][1]
        blocks += [
            f"## {title}",
            docstring(inspect.getdoc(importlib.import_module(introduced)) if introduced else ""),
        ]
        blocks += [_described(name, getattr(semcore, name)) for name in names]
    return page(*blocks, _testing(), _hooks(), _met())


def _group(name: str) -> str:
    if name in JOBS:
        return "Executors and jobs"
    module = ALIASES.get(name) or getattr(semcore, name).__module__
    for title, (prefix, _) in GROUPS.items():
        if prefix and f"{module}.".startswith(f"{prefix}."):
            return title
    raise SystemExit(f"semcore.{name} is of {module}, which has no heading in GROUPS of {__file__}")


def _contents(grouped: dict[str, list[str]]) -> str:
    rows = [
        [f"[{title}](#{slug(title)})", " · ".join(map(_link, names))]
        for title, names in grouped.items()
    ]
    rows.append(["[Conformance kit](#conformance-kit)", " · ".join(map(_link, _of_the_kit()))])
    rows.append(["[Hooks](#hooks)", " · ".join(_link(item.name) for item in _hook_methods())])
    return table(["of", "names"], rows)


def _of_the_kit() -> list[str]:
    """The names of the conformance kit alone: `semcore.testing` has more, for tests of plugins."""
    return ["Law", "LawBroken", "NotApplicable", "Verdict", "conformance", "laws", "run_laws"]


def _link(name: str) -> str:
    return f"[`{name}`](#{slug(name)})"


def _described(name: str, thing: Any) -> str:
    """A class, a function or an alias under its heading."""
    if name in ALIASES:
        alias = source.alias(ALIASES[name], name)
        return page(f"### `{name}`", fence(alias.declared, "python"), docstring(alias.doc)).rstrip()
    node = source.of(thing)
    if isinstance(node, ast.FunctionDef):
        return source.method(node, "", 3)
    made = source.construction(node)
    attributes = source.attributes(node)
    return page(
        f"### `{name}`",
        fence(made, "python") if made else "",
        _bases(thing),
        docstring(thing.__doc__),
        "Class attributes:" if attributes else "",
        "\n".join(
            f"- {code(one.declared)}" + (f": {escaped(one.doc)}" if one.doc else "")
            for one in attributes
        ),
        *(source.method(item, name) for item in source.methods(node)),
    ).rstrip()


def _bases(cls: type) -> str:
    """What else a class is, if that says anything."""
    shown = [base for base in cls.__bases__ if base is not object and base.__module__ != "abc"]
    names = [
        _link(base.__name__) if base.__name__ in semcore.__all__ else code(base.__name__)
        for base in shown
    ]
    return f"Bases: {', '.join(names)}" if names else ""


def _testing() -> str:
    names = _of_the_kit()
    laws = [
        ("every component", laws_of_all.LAWS),
        *((kind, KINDS[kind][1]) for kind in sorted(KINDS)),
    ]
    rows = [
        [
            kind,
            code(law.__name__.replace("_", "-")),
            escaped((inspect.getdoc(law) or "").split("\n\n")[0]),
        ]
        for kind, every in laws
        for law in every
    ]
    return page(
        "## Conformance kit",
        docstring(semcore.testing.__doc__),
        *(_described(name, getattr(semcore.testing, name)) for name in names),
        "### The laws",
        table(["of", "law", "what it says"], rows),
    ).rstrip()


def _hook_methods() -> list[ast.FunctionDef]:
    node = source.of(semcore.plugins.hookspecs.Hooks)
    assert isinstance(node, ast.ClassDef)
    return source.methods(node)


def _hooks() -> str:
    return page(
        "## Hooks",
        docstring(semcore.plugins.hookspecs.__doc__),
        f"{escaped(summary(semcore.plugins.hookspecs.Hooks.__doc__))}. A hook takes those of its "
        "arguments that it names.",
        *(source.method(item, "", 3) for item in _hook_methods()),
    ).rstrip()


def _met() -> str:
    return page(
        "## Met on the way",
        "What the names above hold or hand over; import them from where they are.",
        *(_described(name, thing) for name, thing in sorted(MET.items())),
    ).rstrip()
