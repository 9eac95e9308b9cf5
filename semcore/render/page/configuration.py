"""What the configurations of cells have in common, and what the pipeline file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.runs.labels import short


@dataclass(frozen=True)
class Varied:
    """A setting that differs between configurations; `values`: each value once, in order."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ", ".join(map(short, self.values))


def common(values: Sequence[Any]) -> Any:
    """What configurations have in common, with a `Varied` wherever they differ."""
    first = values[0]
    if all(value == first for value in values):
        return first
    if all(isinstance(value, Mapping) and value.get("use") == first.get("use") for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: common([value.get(key) for value in values]) for key in keys}
    distinct = {repr(value): value for value in values}
    return Varied(tuple(distinct.values()))


def by_workflow(results: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Results by the workflow that their settings choose; under "" where none does."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        groups.setdefault(str(result["settings"].get("workflow", "")), []).append(result)
    return groups


def written_paths(value: Any) -> set[str]:
    """Dotted paths of the settings that the pipeline file names, in workflows as at the root."""
    if not isinstance(value, Mapping):
        return set()
    paths = _paths({key: item for key, item in value.items() if key != "workflows"})
    for sections in (value.get("workflows") or {}).values():
        paths |= _paths(sections)
    return paths


def _paths(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, Mapping):
        return set()
    found = set()
    for key, item in value.items():
        found |= {f"{prefix}{key}"} | _paths(item, f"{prefix}{key}.")
    return found
