"""Provenance of a result: components, the files they read, and libraries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from semcore.component.base import Component, plain
from semcore.component.digest import digest
from semcore.entrypoints import naming
from semcore.fingerprint import origin
from semcore.fingerprint.named import named_files
from semcore.version import __version__

CORE = "semcore.runs.cell"
"""The module whose imports are what computes a cell, besides its components."""
SHORT = 12
"""Characters of a digest that is shown."""


def provenance(parts: Iterable[Component]) -> dict[str, Any]:
    """The provenance in `result.json`.

    Returns:
        `components`: kind, name, package, version and the digest of the source of each, with the
            digests of the files that its
        settings name (`files`) and what else it depends on (`content`: weights, the commit of a
        model on a hub);
        `libraries`: distribution -> version
    """
    core = origin.of_modules(CORE)
    found = {
        "core": {
            "kind": "core",
            "name": "semcore",
            "package": "semcore",
            "version": __version__,
            "source": core.source[:SHORT],
        }
    }
    libraries = dict(core.libraries)
    for part in parts:
        entry = _entry(part)
        found[json.dumps(entry, sort_keys=True)] = entry
        libraries |= origin.of(type(part)).libraries
    components = sorted(
        found.values(),
        key=lambda entry: (entry["kind"] != "core", json.dumps(entry, sort_keys=True)),
    )
    return {"components": components, "libraries": dict(sorted(libraries.items()))}


def _entry(part: Component) -> dict[str, Any]:
    name = naming.name_of(type(part))
    package, version = naming.provider(part.kind, name)
    entry: dict[str, Any] = {
        "kind": part.kind,
        "name": name,
        "package": package,
        "version": version,
    }
    entry["source"] = origin.of(type(part)).source[:SHORT]
    if files := named_files(part):
        entry["files"] = files
    if (depends := part.identity()) is not None:
        entry["content"] = _written(depends)
    return entry


def _written(value: Any) -> Any:
    """Plain values as they are, anything else by its digest."""
    try:
        return json.loads(json.dumps(plain(value), allow_nan=False))
    except (TypeError, ValueError):
        return digest(value)


def in_words(entry: Mapping[str, Any]) -> str:
    """A component's provenance on one line: `semcore-image 0.1.0, source 1f0c..., commit
    8d2b...`."""
    parts = [
        f"{entry['package']} {entry['version']}".strip() or "no package",
        f"source {entry['source']}",
    ]
    parts += [f"{name} {held[:SHORT]}" for name, held in entry.get("files", {}).items()]
    if (depends := entry.get("content")) is not None:
        parts.append(_spelled(depends))
    return ", ".join(parts)


def _spelled(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_spelled(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(_spelled(item) for item in value if item is not None)
    return str(value)


def stands_on(results: Iterable[Mapping[str, Any]]) -> list[str]:
    """What results stand on, one line each: packages with the digest of what was used of their
    source, models and other files by their content, and libraries."""
    sources: dict[str, set[str]] = {}
    read, libraries = dict[str, None](), dict[str, str]()
    for result in results:
        libraries |= {
            name: version
            for name, version in result.get("libraries", {}).items()
            if ": " not in name
        }
        for entry in result.get("components", ()):
            sources.setdefault(f"{entry['package']} {entry['version']}".strip(), set()).add(
                entry["source"]
            )
            held = {name: digest[:SHORT] for name, digest in entry.get("files", {}).items()}
            if "content" in entry:
                held["content"] = _spelled(entry["content"])
            if held:
                read[
                    f"{entry['kind']} {entry['name']}: "
                    + ", ".join(f"{name} {value}" for name, value in held.items())
                ] = None
    packages = [
        f"{package or 'this process'} (source {digest(sorted(own))[:SHORT]})"
        for package, own in sources.items()
    ]
    lines = [
        ", ".join(packages),
        *read,
        ", ".join(f"{name} {version}" for name, version in libraries.items()),
    ]
    return [line for line in lines if line]


def built_from(results: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Component -> its provenance in some results, each once; libraries are left out."""
    found: dict[str, dict[str, None]] = {}
    for result in results:
        for entry in result.get("components", ()):
            found.setdefault(f"{entry['kind']} {entry['name']}", {})[in_words(entry)] = None
    return {name: list(values) for name, values in found.items()}
