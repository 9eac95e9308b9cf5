"""The pages of the components: an index by kind, and a page for each package of this repository."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prose import cell, code, docstring, escaped, page, slug, table

from semcore.component.base import Component
from semcore.config.fields import Field, description, fields_of
from semcore.entrypoints.discovery import PREFIX
from semcore.entrypoints.naming import KINDS
from semcore.interfaces import Generator, Metric, Transport
from semcore.plugins.docstrings import summary

ROOT = Path(__file__).parents[2]

INTRODUCTION = """\
# Components

What the packages of this repository bring, by kind, made from the docstrings of the classes by
`make docs`. `semcore list` and `semcore show NAME` say the same of everything that is installed."""


@dataclass(frozen=True)
class Entry:
    """A component: its kind, its name in YAML, and its class."""

    kind: str
    name: str
    cls: type[Component]

    @property
    def heading(self) -> str:
        """Its heading on the page of its package."""
        return f"{self.kind} {code(self.name)}"


@dataclass(frozen=True)
class Package:
    """A package of this repository. `folder`: where its `pyproject.toml` is, below the root."""

    name: str
    about: str
    folder: str
    entries: tuple[Entry, ...]

    @property
    def page(self) -> str:
        """The file of its page."""
        return f"{self.name}.md"


def packages() -> list[Package]:
    """The packages of this repository, read from their manifests."""
    manifests = [ROOT / "pyproject.toml", *sorted((ROOT / "plugins").glob("*/pyproject.toml"))]
    return [_package(manifest) for manifest in manifests]


def _package(manifest: Path) -> Package:
    project = tomllib.loads(manifest.read_text(encoding="utf-8"))["project"]
    groups = project.get("entry-points", {})
    entries = tuple(
        Entry(kind, *pair) for kind in KINDS for pair in _classes(groups.get(PREFIX + kind, {}))
    )
    return Package(
        project["name"],
        project["description"],
        manifest.parent.relative_to(ROOT).as_posix(),
        entries,
    )


def _classes(targets: dict[str, str]) -> Iterator[tuple[str, type[Component]]]:
    for name, target in sorted(targets.items()):
        module, _, attribute = target.partition(":")
        yield name, getattr(importlib.import_module(module), attribute)


def pages() -> dict[str, str]:
    """File -> text: the index, and a page for each package with components."""
    found = [package for package in packages() if package.entries]
    return {"components.md": _index(found), **{package.page: _of(package) for package in found}}


def _index(found: list[Package]) -> str:
    blocks = [
        INTRODUCTION,
        table(
            ["package", "what it is"],
            [[f"[{one.name}]({one.page})", cell(one.about)] for one in found],
        ),
    ]
    for kind in KINDS:
        rows = sorted(
            [f"[`{entry.name}`]({package.page}#{slug(entry.heading)})",
             _genie(entry.cls) + cell(summary(entry.cls.__doc__)), package.name]
            for package in found for entry in package.entries if entry.kind == kind
        )  # fmt: skip
        if rows:
            blocks += [f"## {kind}", table(["name", "what it does", "package"], rows)]
    return page(*blocks)


def _genie(cls: type[Component]) -> str:
    return "**genie** · " if cls.genie else ""


def _of(package: Package) -> str:
    home = f"../../{package.folder}/README.md".replace("/./", "/")
    return page(
        f"# {package.name}",
        f"{escaped(package.about)}. The package is described in [its README]({home}); the "
        "components of all packages stand "
        "in the [index](components.md). This page is made by `make docs`.",
        *(_described(entry) for entry in package.entries),
    )


def _described(entry: Entry) -> str:
    cls = entry.cls
    fields = fields_of(cls)
    rows = [
        [code(one.name), cell(one.type), one.unit, _default(one), cell(one.doc)] for one in fields
    ]
    return page(
        f"## {entry.heading}",
        docstring(description(cls)),
        table(["setting", "type", "unit", "default", "what for"], rows)
        if rows
        else "It has no settings.",
        *_facts(cls),
        f"Described in: {escaped(cls.reference)}." if cls.reference else "",
        f"To cite: {', '.join(map(code, cls.cites))}." if cls.cites else "",
        f"Licences: {escaped('; '.join(cls.licences))}." if cls.licences else "",
        "**This is a genie:** it uses information that a real receiver does not have."
        if cls.genie
        else "",
    ).rstrip()


def _facts(cls: type[Component]) -> list[str]:
    """Facts about a class other than its settings."""
    if issubclass(cls, Metric):
        if not isinstance(cls.unit, str):  # a property: it is that of the metric inside
            return []
        better = {"higher": "Higher is better.", "lower": "Lower is better."}.get(cls.better, "")
        return [" ".join(filter(None, (f"Unit: {cls.unit}." if cls.unit else "", better)))]
    if issubclass(cls, Transport):
        return [f"Carries: {', '.join(map(_link, cls.carries))}."]
    if issubclass(cls, Generator):
        accepts = (
            cls.accepts if isinstance(cls.accepts, Mapping) else {}
        )  # else it depends on the parts
        streams = [
            f"{code(name)} ({', '.join(map(_link, types))})" for name, types in accepts.items()
        ]
        return [f"Makes use of: {', '.join(streams)}." if streams else ""]
    return []


def _link(stream: type) -> str:
    return f"[{code(stream.__name__)}](api.md#{slug(stream.__name__)})"


def _default(field: Field) -> str:
    return "**required**" if field.default is None else code(field.default.replace("|", r"\|"))
