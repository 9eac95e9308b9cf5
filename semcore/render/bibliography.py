"""What a run must cite: the BibTeX of every component that it used, from the `references.bib` of their packages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.analysis.rows import Row
from semcore.component import naming
from semcore.errors import PluginError
from semcore.plugins import packages

FILE = "references.bib"
OURS = "semcore"
SECTION_KINDS = {"metrics": "metric"}
"""Sections whose name is not that of their kind."""


@dataclass(frozen=True)
class Bibliography:
    """BibTeX entries by key, sorted, and what could not be resolved, in sentences."""

    entries: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a BibTeX file."""
        return "\n\n".join(self.entries.values()) + "\n"


def bibliography(rows: Sequence[Row]) -> Bibliography:
    """What the components of some rows cite, and semcore in the versions that computed them."""
    entries: dict[str, str] = {}
    missing: dict[str, None] = {}
    for kind, name in sorted(set().union(*(used(row) for row in rows))):
        try:
            keys, own = _cites(kind, name)
        except PluginError as error:
            missing[f"{kind} {name!r} is not cited: {error}"] = None
            continue
        for key in keys:
            found = own.get(key) or entries_of(OURS).get(key)
            if found is None:
                missing[f"{kind} {name!r} cites {key!r}, which its package's {FILE} does not have"] = None
            elif entries.setdefault(key, found) != found:
                missing[f"{kind} {name!r} has another entry {key!r} than the one printed"] = None
    versions = " and ".join(dict.fromkeys(str(row.run.info["semcore"]) for row in rows))
    ours = entries_of(OURS)[OURS]
    entries[OURS] = f"{ours[: ours.rindex('}')]}  version = {{{versions}}},\n}}"
    return Bibliography(dict(sorted(entries.items())), tuple(missing))


def used(row: Row) -> set[tuple[str, str]]:
    """(kind, name) of every component of a cell, nested ones and those that its environment and plans chose included."""
    found: set[tuple[str, str]] = set()
    for section, value in row.result["config"].items():
        found |= set(_components(value, SECTION_KINDS.get(section, section)))
    for segment in row.result["segments"]:
        for path, value in {**segment["environment"], **segment["in_force"]}.items():
            if path.endswith(".use"):
                found |= set(_components({"use": value}, path.split(".")[0], nested=path.count(".") > 1))
            else:
                found |= set(_components(value, SECTION_KINDS.get(path, path)))
    return found


def _components(value: Any, kind: str, nested: bool = False) -> Iterator[tuple[str, str]]:
    """The components in a part of a configuration; `kind` is that of the outermost, or of the one around it."""
    if isinstance(value, Mapping):
        if isinstance(value.get("use"), str):
            kind = _nested_kind(kind, value["use"]) if nested or kind not in naming.KINDS else kind
            yield kind, value["use"]
            nested = True
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _components(item, kind, nested)


def _nested_kind(around: str, name: str) -> str:
    """The kind of a component inside another one: a codec rather than what is around it, rather than any other."""
    known = [kind for kind in naming.KINDS if name in naming.names(kind)]
    return next((kind for kind in ("codec", around, *known) if kind in known), "component")


def _cites(kind: str, name: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The keys that a component cites, and the entries of its package.

    Raises:
        PluginError: it is not installed, or its package is faulty
    """
    if kind not in naming.KINDS or naming.find(kind, name) is None:
        raise PluginError("no installed package brings it")
    entry = naming.find(kind, name)
    assert entry is not None
    return packages.cites(entry), entries_of(entry.root)


def entries_of(package: str) -> dict[str, str]:
    """The entries of the `references.bib` in a package's folder, by key; none if it has no such file.

    Raises:
        PluginError: the file is not BibTeX
    """
    source = packages.source_of(package)
    path = source.with_name(FILE) if source else Path(FILE)
    if source is None or not path.is_file():
        return {}
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PluginError(f"{path} cannot be read: {error}") from error


def parse(text: str) -> dict[str, str]:
    """BibTeX entries by key, each as it is written. What stands between entries is a comment.

    Raises:
        ValueError: an entry has no key or no end, or a key stands twice
    """
    found: dict[str, str] = {}
    at = 0
    while start := re.search(r"^@\w+", text[at:], re.MULTILINE):
        begin = at + start.start()
        line = text.count("\n", 0, begin) + 1
        head = re.match(r"@\w+\s*\{\s*([^\s,{}]+)\s*,", text[begin:])
        if head is None:
            raise ValueError(f"the entry in line {line} has no key")
        if head[1] in found:
            raise ValueError(f"the key {head[1]!r} stands again in line {line}")
        depth, at = 0, text.index("{", begin)
        for at in range(at, len(text)):  # noqa: B020
            depth += (text[at] == "{") - (text[at] == "}")
            if not depth:
                break
        if depth:
            raise ValueError(f"the entry {head[1]!r} in line {line} has no end: count its braces")
        at += 1
        found[head[1]] = text[begin:at]
    return found
