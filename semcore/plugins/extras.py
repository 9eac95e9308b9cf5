"""Extras of an installed package that are there in part."""

from __future__ import annotations

import re

from semcore.entrypoints.discovery import Distribution, normalised, version_of

TOOLS = frozenset({"dev", "test"})
"""Extras for work on a package, which nothing of it needs."""


def incomplete(one: Distribution) -> list[str]:
    """Notes on extras of which some libraries are installed and others are not: each with what is
    missing, and whether there is a version for this Python."""
    from packaging.requirements import InvalidRequirement, Requirement

    there: set[str] = set()
    missing: dict[str, list[str]] = {}
    for text in one.requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:  # reported with the other metadata
            continue
        names = set(re.findall(r"extra == ['\"]([\w.-]+)['\"]", str(wanted.marker or "")))
        for extra in names - TOOLS:
            if normalised(wanted.name) == normalised(one.name):
                continue  # further extras of its own
            assert wanted.marker is not None
            if not wanted.marker.evaluate({"extra": extra}):
                missing.setdefault(extra, []).append(f"{wanted.name} (not for this Python)")
            elif version_of(wanted.name):
                there.add(extra)
            else:
                missing.setdefault(extra, []).append(wanted.name)
    return [
        f"the extra {extra} lacks {', '.join(sorted(lacking))}: pip install '{one.name}[{extra}]'"
        for extra, lacking in sorted(missing.items())
        if extra in there
    ]
