"""Which rows belong together: what varies among them, groups of equal settings, and their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semcore.analysis.rows import RUN, SEED, Row, distinct, swept
from semcore.config.paths import flatten
from semcore.runs.labels import NOTHING, canonical_key, distinguish, title


def varying(rows: Sequence[Row], x: str = "") -> list[str]:
    """The swept paths except x and the seed; also the run, if runs differ in other settings."""
    paths = [path for path in swept(rows) if path not in (SEED, x)]
    if len(distinct(RUN, rows)) > 1:
        places = [
            {path: value for path, value in row.place.items() if path not in (SEED, RUN, x)}
            for row in rows
        ]
        whole = set(map(canonical_key, places))
        if len(whole) > len({_values_at(row, paths) for row in rows}):
            paths.append(RUN)
    return paths


def groups(
    rows: Sequence[Row], paths: Sequence[str], x: str = ""
) -> list[tuple[dict[str, str], list[Row]]]:
    """Group rows by their values at some paths, in the order of the rows.

    Args:
        rows: any rows
        paths: settings or sections
        x: a path on an axis, which does not distinguish the section that holds it

    Returns:
        per group its values as text, by path, and its rows
    """
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(_values_at(row, paths, x), []).append(row)
    texts = {
        path: distinguish([_without(value, path, x) for value in distinct(path, rows)])
        for path in paths
    }
    return [
        ({path: texts[path](_without(some[0].get(path), path, x)) for path in paths}, some)
        for some in grouped.values()
    ]


def group_label(group: Mapping[str, str], more: str = "") -> str:
    """The name of a group: texts as they are, numbers with setting and unit."""
    parts = []
    for path, value in group.items():
        if value == NOTHING:
            continue
        name, unit = title(path)
        if value[:1] in "-0123456789" or value in ("True", "False"):
            value = f"{name.split(',')[0]} {value} {unit}".strip()
        parts.append(value)
    return " · ".join(filter(None, (*parts, more)))


def _values_at(row: Row, paths: Sequence[str], x: str = "") -> str:
    return canonical_key([_without(row.get(path), path, x) for path in paths])


def _without(value: Any, path: str, x: str) -> Any:
    """A value; of a section its settings by dotted path, without x."""
    if isinstance(value, Mapping):
        return {name: one for name, one in flatten(value).items() if f"{path}.{name}" != x}
    return value
