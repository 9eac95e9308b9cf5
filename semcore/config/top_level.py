"""The frame of a pipeline file: everything around the components, checked before any of them is
built."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from semcore.config.build import Builder
from semcore.config.document import Document
from semcore.config.hook_plugins import read_hooks
from semcore.config.layers import SECTIONS, TOP
from semcore.config.local_files import register_files
from semcore.config.paths import points
from semcore.errors import ConfigError, Problem, shown
from semcore.wording.suggest import guess, nearest

VERSION = 1


def read_frame(document: Document) -> tuple[dict[str, Any], dict[str, list[Any]], list[Problem]]:
    """The sections of a file, its sweep as dotted path -> values, and what is wrong with the frame.

    A misspelt section is reported, and then read as the intended one, so that nothing is missing.

    Raises:
        ConfigError: it is not a pipeline file
    """
    if not isinstance(document.values, dict):
        problem = document.problem(
            (), "a pipeline file is a mapping of sections", "start with 'semcore: 1'"
        )
        raise ConfigError([*document.problems, problem])
    values = dict(document.values)
    builder = Builder(document.problem)
    builder.problems += document.problems
    for key in document.values:
        if key not in TOP:
            builder.report(
                (key,),
                f"there is no section {key!r}",
                functools.partial(nearest, key, TOP),
                at_key=True,
            )
            _correct(document, values, (), key, TOP)
    if "semcore" not in values:
        builder.report(
            (), "the file does not say which format it is in", f"add 'semcore: {VERSION}'"
        )
    elif values["semcore"] != VERSION or isinstance(values["semcore"], (bool, float)):
        builder.report(
            ("semcore",),
            f"format {shown(values['semcore'])} is not known",
            f"this version reads {VERSION}",
        )
    _check_names(values, builder)
    builder.problems += register_files(values, document)
    read_hooks(values.get("hooks"), builder)  # after the files, which may register some
    if not isinstance(values.get("workflows") or {}, dict):
        message = (
            "workflows are a mapping: name -> the sections that it replaces, not "
            f"{shown(values['workflows'])}"
        )
        builder.report(("workflows",), message)
        raise ConfigError(builder.problems)  # what the sections are cannot be known
    if values.get("workflows"):
        values["workflows"] = _workflows(values["workflows"], document, builder)
    axes = _axes(values.get("sweep"), builder)
    return (
        {key: value for key, value in values.items() if key != "sweep" and key in TOP},
        axes,
        builder.problems,
    )


def _correct(
    document: Document,
    values: dict[str, Any],
    path: tuple[str, ...],
    key: str,
    known: tuple[str, ...],
) -> None:
    """Let a misspelt key stand for the one that was probably meant, unless that is there, too."""
    meant = guess(key, [one for one in known if one not in values]) if len(values) < 1000 else None
    if meant:
        values[meant] = values.pop(key)
        document.rename((*path, key), meant)


def _check_names(values: Mapping[str, Any], builder: Builder) -> None:
    message, hint = wrong_name(values.get("name", "run"))
    if message:
        builder.report(("name",), message, hint)
    text = values.get("description")
    if not isinstance(text or "", str):
        builder.report(
            ("description",), f"the description must be text, not {shown(text)}", _quoted(text)
        )


def wrong_name(name: Any) -> tuple[str, str]:
    """What is wrong with the name of a run, and a hint; both "" if nothing is."""
    if not isinstance(name, str):
        return f"the name must be text, not {shown(name)}", _quoted(name)
    if not re.fullmatch(r"\w[\w .+-]*", name) or len(name) > 200:
        return (
            f"{shown(name)} cannot name the run's folder",
            "letters, digits, '-', '_', '+' and '.' can, at most 200",
        )
    return "", ""


def _quoted(value: Any) -> str:
    return f"in quotes it is text: '{shown(value)}'" if isinstance(value, (int, float)) else ""


def _workflows(value: dict[str, Any], document: Document, builder: Builder) -> dict[str, Any]:
    """Workflows with the names of their sections corrected; None for one that is wrong as a
    whole."""
    workflows: dict[str, Any] = {}
    for name, sections in value.items():
        if not isinstance(sections, dict):
            builder.report(
                ("workflows", name),
                f"workflow {name!r} must be a mapping of sections, not {shown(sections)}",
            )
            workflows[name] = None
            continue
        workflows[name] = dict(sections)
        for section in sections:
            if section not in SECTIONS:
                message = f"a workflow cannot replace {section!r}"
                builder.report(
                    ("workflows", name, section),
                    message,
                    functools.partial(nearest, section, SECTIONS),
                    at_key=True,
                )
                _correct(document, workflows[name], ("workflows", name), section, SECTIONS)
    return workflows


def _axes(sweep: Any, builder: Builder) -> dict[str, list[Any]]:
    """Dotted path -> distinct values, in their order."""
    if not isinstance(sweep or {}, dict):
        message = "a sweep is a mapping: dotted path -> list of values, or start:stop:step"
        builder.report(("sweep",), f"{message}, not {shown(sweep)}")
        return {}
    axes: dict[str, list[Any]] = {}
    for path, axis in (sweep or {}).items():
        if isinstance(axis, str):
            try:
                axis = points(axis) or axis
            except ValueError as error:
                builder.report(("sweep", path), str(error))
                continue
        if isinstance(axis, list) and axis:
            axes[path] = list({repr(value): value for value in axis}.values())
        else:
            message = (
                f"{path} needs a list of values, or start:stop:step, not "
                f"{shown(axis) if axis != [] else 'an empty list'}"
            )
            builder.report(("sweep", path), message)
    return axes
