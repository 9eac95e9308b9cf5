"""The files and folders that settings of a component name."""

from __future__ import annotations

import dataclasses
import glob
import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Any

from semcore.fingerprint import content

PLACES = ("weight", "model", "checkpoint", "path", "file", "folder", "directory", "data")
"""Last words, in the singular, of settings that may name a folder whose files are read."""
MOST_FILES = 10_000
"""Files that a pattern may name; more are not looked at."""


def named_files(component: Any) -> dict[str, str]:
    """The digests of the files and folders that settings of a component name, by setting.

    Any text that is the path of a file counts, in lists and mappings, too; a pattern counts as the
    files that it names, a path without its ending as those that have one, and that of a folder if
    the setting ends in one of `PLACES`. Files of a source do not count: its samples do. Nor do
    places to write to.
    """
    if component.kind in ("source", "executor"):
        return {}
    found: dict[str, str] = {}
    for field in dataclasses.fields(component):
        for text in _texts(getattr(component, field.name)):
            found[field.name] = found.get(field.name, "") + _named(field.name, text)
    return {name: digests for name, digests in found.items() if digests}


def _texts(value: Any) -> Iterator[str]:
    """The texts and paths in a value. Components in it are looked at for themselves."""
    if isinstance(value, (str, os.PathLike)):
        text = os.fspath(value)
        if isinstance(text, str):
            yield text
    elif isinstance(value, Mapping):
        yield from itertools.chain.from_iterable(map(_texts, (*value, *value.values())))
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from itertools.chain.from_iterable(map(_texts, value))


def _named(setting: str, text: str) -> str:
    """The digest of what a setting names, or "" if it names no place that is read."""
    if not text.strip("./~ ") or len(text) > 4096 or "\0" in text or "\n" in text:
        return ""
    place, word = os.path.expanduser(text), setting.rpartition("_")[2].removesuffix("s")
    if os.path.isfile(place) or word in PLACES and os.path.isdir(place):
        return content.path_digest(place)
    if not set(place) & set("*?[/") or os.path.isdir(place):
        return ""
    pattern = place if set(place) & set("*?[") else f"{glob.escape(place)}.*"
    matched = itertools.islice(glob.iglob(pattern), MOST_FILES)
    files = sorted(path for path in matched if os.path.isfile(path))
    return "".join(f"{os.path.basename(path)}:{content.path_digest(path)};" for path in files)
