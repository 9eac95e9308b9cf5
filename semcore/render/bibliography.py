"""What a run must cite: BibTeX of every component that it used.

Entries come from the `references.bib` in the folders of packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.analysis.rows import Row
from semcore.entrypoints import naming
from semcore.errors import PluginError
from semcore.plugins import packages

FILE = "references.bib"
OURS = "semcore"
SECTION_KINDS = {"metrics": "metric"}
"""Kinds of the sections that are not named after their kind."""


@dataclass(frozen=True)
class Bibliography:
    """What to cite.

    Fields:
        entries: BibTeX by key, sorted
        missing: a sentence per component or key that could not be resolved
    """

    entries: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def text(self) -> str:
        """The content of a BibTeX file."""
        return "\n\n".join(self.entries.values()) + "\n"


def bibliography(rows: Sequence[Row]) -> Bibliography:
    """What the components of rows cite, and semcore in the versions that computed them."""
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
                where = f"which its package's {FILE} does not have"
                missing[f"{kind} {name!r} cites {key!r}, {where}"] = None
            elif entries.setdefault(key, found) != found:
                missing[f"{kind} {name!r} has another entry {key!r} than the one printed"] = None
    versions = " and ".join(dict.fromkeys(str(row.run.info["semcore"]) for row in rows))
    ours = entries_of(OURS)[OURS]
    entries[OURS] = f"{ours[: ours.rindex('}')]}  version = {{{versions}}},\n}}"
    return Bibliography(dict(sorted(entries.items())), tuple(missing))


def used(row: Row) -> set[tuple[str, str]]:
    """(kind, name) of every component of a cell.

    Nested components are included, and those that the environment or a plan chose in a segment.
    """
    found: set[tuple[str, str]] = set()
    for section, value in row.result["config"].items():
        found |= set(_components(value, SECTION_KINDS.get(section, section)))
    for segment in row.result["segments"]:
        for path, value in {**segment["environment"], **segment["in_force"]}.items():
            if path.endswith(".use"):
                found |= set(
                    _components({"use": value}, path.split(".")[0], nested=path.count(".") > 1)
                )
            else:
                found |= set(_components(value, SECTION_KINDS.get(path, path)))
    return found


def _components(value: Any, kind: str, nested: bool = False) -> Iterator[tuple[str, str]]:
    """The components in a part of a configuration; `kind`: of the outermost or enclosing one."""
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
    """The kind of a nested component: a codec if one has the name, else the enclosing kind."""
    known = [kind for kind in naming.KINDS if name in naming.names(kind)]
    return next((kind for kind in ("codec", around, *known) if kind in known), "component")


def _cites(kind: str, name: str) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The keys that a component cites, and the entries of its package.

    Raises:
        PluginError: the component is not installed, or its package is faulty
    """
    if kind not in naming.KINDS or naming.find(kind, name) is None:
        raise PluginError("no installed package brings it")
    entry = naming.find(kind, name)
    assert entry is not None
    return packages.cites(entry), entries_of(entry.root)


def entries_of(package: str) -> dict[str, str]:
    """The entries of a package's `references.bib` by key; empty without such a file.

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
    """BibTeX entries by key, as they are written. Text between entries is a comment.

    Raises:
        ValueError: an entry without a key or an end, or a repeated key
    """
    found: dict[str, str] = {}
    end = 0
    while start := re.search(r"^@\w+", text[end:], re.MULTILINE):
        begin = end + start.start()
        line = text.count("\n", 0, begin) + 1
        head = re.match(r"@\w+\s*\{\s*([^\s,{}]+)\s*,", text[begin:])
        if head is None:
            raise ValueError(f"the entry in line {line} has no key")
        if head[1] in found:
            raise ValueError(f"the key {head[1]!r} stands again in line {line}")
        end = _closing(text, text.index("{", begin)) + 1
        if not end:
            raise ValueError(f"the entry {head[1]!r} in line {line} has no end: count its braces")
        found[head[1]] = text[begin:end]
    return found


def _closing(text: str, opening: int) -> int:
    """The index of the brace that closes the one at `opening`; -1 without one."""
    depth = 0
    for at in range(opening, len(text)):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
        if not depth:
            return at
    return -1
