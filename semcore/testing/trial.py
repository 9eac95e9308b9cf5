"""Components of a package tried as `semcore conform` does it: in a child process, which they may end at any time."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semcore import registry
from semcore.component import Component
from semcore.config.beside import register_files
from semcore.config.build import Builder
from semcore.config.yaml import Document
from semcore.discovery import one_line
from semcore.errors import ConfigError, PluginError, Problem
from semcore.testing.examples import write_pictures
from semcore.testing.kit import laws, try_law

MADE = "can-be-made"
"""The law that comes first: its settings make a component."""
FOLDER = "{folder}"
"""Stands in `tried_with` for a folder of pictures and captions, see `write_pictures`."""


def register(file: str) -> Iterator[list[tuple[str, str]]]:
    """(kind, name) of each component that a file registers."""
    before = registry.registered()
    path = Path(file).resolve()
    document = Document(path.name, {"plugins": [path.name]}, [], folder=path.parent)
    if problems := register_files(document.values, document):
        raise ConfigError(problems)
    yield [(entry.kind, entry.name) for entry in registry.registered() if entry not in before]


def attempt(task: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Try a component, law by law.

    Yields:
        `{"title": the settings}` ahead of each set of them, `{"law": name}` when a law begins, and
        `{"law": name, "result": ..., "message": ...}` when it is over
    """
    kind, name = task["kind"], task["name"]
    yield {"title": ""}
    try:
        for _ in register(task["file"]) if task["file"] else ():
            pass
        cls = registry.load(kind, name)
    except (PluginError, ConfigError) as error:
        yield _made("broken", str(error))
        return
    with tempfile.TemporaryDirectory(prefix="semcore-") as folder:
        write_pictures(Path(folder))
        known = cls.tried_with or ({},)
        for index, settings in enumerate([{**known[0], **task["settings"]}] if task["settings"] else known):
            if index:
                yield {"title": ", ".join(f"{key}: {value}" for key, value in settings.items())}
            yield from _with(cls, kind, {"use": name, **_placed(dict(settings), folder)})


def _with(cls: type[Component], kind: str, settings: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Try a component under some settings."""
    lacking = [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if field.name not in settings
    ]
    if lacking:
        yield _made(
            "not tried", f"it needs {' and '.join(lacking)}: --set {lacking[0]}=..., or name `tried_with` in its class"
        )
        return
    try:
        component = build(kind, settings)
        tried = laws(component)
    except Exception as error:  # whatever somebody else's class raises when it is made or asked what it accepts
        yield _made("broken", str(error) if isinstance(error, ConfigError) else one_line(error))
        return
    yield _made("holds")
    for law in tried:
        yield {"law": law.name}
        verdict = try_law(law)
        yield {"law": law.name, "result": verdict.result, "message": verdict.message}


def _made(result: str, message: str = "") -> dict[str, str]:
    return {"law": MADE, "result": result, "message": message}


def build(kind: str, settings: Mapping[str, Any]) -> Component:
    """The component that a pipeline would build from these settings.

    Raises:
        ConfigError: they are wrong
    """
    builder = Builder(lambda path, message, hint="", *, at_key=False: Problem(message, hint=hint))
    made = builder.component(kind, settings, ())
    if builder.problems:
        raise ConfigError(builder.problems)
    return made


def _placed(value: Any, folder: str) -> Any:
    """Settings with the folder in its place."""
    if isinstance(value, str):
        return value.replace(FOLDER, folder)
    if isinstance(value, Mapping):
        return {key: _placed(item, folder) for key, item in value.items()}
    return [_placed(item, folder) for item in value] if isinstance(value, (list, tuple)) else value
