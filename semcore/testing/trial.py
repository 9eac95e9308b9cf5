"""Components of a package tried as `semcore conform` does it: in a child process, which they may
end at any time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semcore.config.document import Document
from semcore.config.local_files import register_files
from semcore.entrypoints import naming
from semcore.entrypoints.discovery import one_line
from semcore.errors import ConfigError, PluginError
from semcore.plugins import registry
from semcore.testing.build import build, names_required
from semcore.testing.kit import laws, try_law

MADE = "can-be-made"
"""The law that comes first: its settings make a component."""


def names_in(file: str) -> Iterator[dict[str, Any]]:
    """`{"names": (kind, name) of each component that a file registers}`, or `{"problem": why it
    cannot}`."""
    try:
        yield {"names": _register(file)}
    except ConfigError as error:
        yield {"problem": "; ".join(problem.message for problem in error.problems)}


def _register(file: str) -> list[tuple[str, str]]:
    before = naming.registered()
    path = Path(file).resolve()
    document = Document(path.name, {"plugins": [path.name]}, [], folder=path.parent)
    if problems := register_files(document.values, document):
        raise ConfigError(problems)
    return [(entry.kind, entry.name) for entry in naming.registered() if entry not in before]


def attempt(task: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Try a component, law by law.

    Yields:
        `{"title": the settings}` ahead of each set of them, `{"law": name}` when a law begins, and
        `{"law": name, "result": ..., "message": ...}` when it is over
    """
    kind, name = task["kind"], task["name"]
    yield {"title": ""}
    try:
        if task["file"]:
            _register(task["file"])
        cls = registry.load(kind, name)
    except (PluginError, ConfigError) as error:
        yield _made("broken", str(error))
        return
    known = cls.test_settings or ({},)
    for index, settings in enumerate(
        [{**known[0], **task["settings"]}] if task["settings"] else known
    ):
        if index:
            yield {"title": ", ".join(f"{key}: {value}" for key, value in settings.items())}
        if lacking := [field for field in names_required(cls) if field not in settings]:
            hint = f"--set {lacking[0]}=..., or name `test_settings` in its class"
            yield _made("not tried", f"it needs {' and '.join(lacking)}: {hint}")
            continue
        try:
            tried = laws(build(kind, {"use": name, **settings}))
        except Exception as error:  # a third-party class can raise anything
            yield _made("broken", str(error) if isinstance(error, ConfigError) else one_line(error))
            continue
        yield _made("holds")
        for law in tried:
            yield {"law": law.name}
            verdict = try_law(law)
            yield {"law": law.name, "result": verdict.result, "message": verdict.message}


def _made(result: str, message: str = "") -> dict[str, str]:
    return {"law": MADE, "result": result, "message": message}
