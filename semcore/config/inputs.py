"""Checks of what a pipeline file refers to: samples of sources, files of models."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semcore.component.base import Component
from semcore.config.build import Builder, blamed
from semcore.config.configuration import Configuration
from semcore.config.document import Path_
from semcore.config.hook_plugins import missing
from semcore.config.resolve import Part, Resolved
from semcore.entrypoints.extras import not_installed
from semcore.entrypoints.naming import name_of
from semcore.errors import Problem, SemcoreError, SourceError
from semcore.interfaces import Generator, Source
from semcore.types import Sample

DOWNLOADED = "`hf download"
"""In the reason why a component lacks something that a hub has."""
Load = Callable[[Source], Sequence[Sample]]
"""Gives the samples of a source, or raises SemcoreError."""


def unusable(configuration: Configuration, load: Load) -> list[Problem]:
    """Problems outside a configuration's file, each at the setting that causes it."""
    builder = Builder(configuration.document.problem)
    missing(configuration.values.get("hooks"), builder)
    found: dict[Problem, None] = dict.fromkeys(builder.problems)
    read, seen = dict[Part, dict[Path_, list[Problem]]](), set[tuple[Part, Part]]()
    for resolved in configuration.resolved():
        if resolved.problems:
            continue
        for section, part in resolved.parts.items():
            if part not in read:
                placed = _components(part.made, (section,))
                read[part] = {
                    path: list(_outside(part, path, component, load)) for path, component in placed
                }
                found.update(
                    dict.fromkeys(
                        problem for problems in read[part].values() for problem in problems
                    )
                )
        ends = resolved.parts["source"], resolved.parts["generator"]
        if ends not in seen and not read[ends[0]][("source",)]:
            found.update(dict.fromkeys(_misfits(resolved, load)))
        seen.add(ends)
    return list(found)


def components_of(configuration: Configuration) -> list[Component]:
    """Every component of a configuration, also those within others, each once."""
    found: dict[int, Component] = {}
    for resolved in configuration.resolved():
        for section, part in resolved.parts.items():
            found.update((id(one), one) for _, one in _components(part.made, (section,)))
    return list(found.values())


def _components(value: Any, path: Path_) -> Iterator[tuple[Path_, Component]]:
    """The components in what a section stands for, with their places: a selector may have a source
    of its own."""
    if isinstance(value, Component):
        yield path, value
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _components(item, (*path, key))


def _outside(part: Part, path: Path_, component: Component, load: Load) -> Iterator[Problem]:
    """What is missing or wrong of what a component works with."""
    if reason := not_installed(component.libraries()) or component.missing():
        setting = blamed(component, reason) or ("use",)
        fetch = f"semcore fetch {part.places.document.name} downloads it"
        yield part.places.tell(
            (*path, *setting),
            f"{component.kind} {name_of(type(component))!r}: {reason}",
            fetch if DOWNLOADED in reason else "",
        )
    elif isinstance(component, Source) and not component.draws:
        yield from _unreadable(part, path, component, load)


def _unreadable(part: Part, path: Path_, source: Source, load: Load) -> Iterator[Problem]:
    """Why a source gives no samples."""
    use = name_of(type(source))

    def tell(reason: str, setting: Path_, hint: str = "") -> Problem:
        value = getattr(source, str(setting[0]), None)
        if (
            not hint
            and isinstance(value, str)
            and any(sign in value for sign in "*?[")
            and not Path(value).exists()
        ):
            hint = "a pattern is not expanded: name the folder"
        return part.places.tell((*path, *setting), f"source {use!r}: {reason}", hint)

    try:
        load(source)
    except SourceError as error:
        setting = (error.setting,) if hasattr(source, error.setting) else ("use",)
        yield from (tell(reason, setting, error.hint) for reason in error.reasons)
    except SemcoreError as error:
        text = str(error).removeprefix(f"source {use}: ").removeprefix(f"{type(source).__name__}.")
        yield tell(text, blamed(source, text) or ("use",))
    except (Exception, SystemExit) as error:  # a third-party source can raise anything
        yield tell(f"it cannot be read: {type(error).__name__}: {error}", ("use",))


def _misfits(resolved: Resolved, load: Load) -> Iterator[Problem]:
    """Why a generator cannot show what the source has. Samples are read only for one that may say
    so."""
    part, source = resolved.parts["generator"], resolved.parts["source"].made
    generator, use = part.made, name_of(type(part.made))
    if type(generator).size_incompatibility is Generator.size_incompatibility:
        return
    if source.draws:
        sizes = [source.size] if getattr(source, "size", None) else []
    else:
        sizes = list(
            dict.fromkeys(one.image.shape[:2] for one in load(source) if one.image is not None)
        )
    for reason in filter(None, (generator.size_incompatibility(size) for size in sizes)):
        yield part.places.tell(
            ("generator", *blamed(generator, reason)), f"generator {use!r}: {reason}"
        )
