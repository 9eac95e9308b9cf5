"""The files and folders that settings of a component name."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from semcore.fingerprint import content

PLACES = ("weight", "model", "checkpoint", "path", "file", "folder", "directory", "data")
"""Last words, in the singular, of settings that may name a folder whose files are read."""


def named_files(component: Any) -> dict[str, str]:
    """The digests of the files and folders that settings of a component name, by setting.

    Any text that is the path of a file counts; that of a folder does if the setting ends in one of
    `PLACES`. Files of a source do not count: its samples do. Nor do places to write to.
    """
    if component.kind in ("source", "executor"):
        return {}
    found: dict[str, str] = {}
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, (str, os.PathLike)):
                found[field.name] = found.get(field.name, "") + _named(field.name, os.fspath(item))
    return {name: digests for name, digests in found.items() if digests}


def _named(setting: str, text: Any) -> str:
    """The digest of what a setting names, or "" if it names no place that is read."""
    if not isinstance(text, str) or not text.strip("./~ ") or len(text) > 4096:
        return ""
    place, word = os.path.expanduser(text), setting.rpartition("_")[2].removesuffix("s")
    if "\0" in text or "\n" in text:
        return ""
    read = os.path.isfile(place) or word in PLACES and os.path.isdir(place)
    return content.path_digest(place) if read else ""
