"""Settings and their values as text: in the names of cells, in tables and on axes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcore.component.base import unit_of
from semcore.config.paths import flatten
from semcore.runs.conventions import SNR

NOTHING = "–"
"""The text for a setting that a cell does not have."""


def short(value: Any) -> str:
    """A value in a few characters; a component by its name."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return str(value.get("use", value))
    return str(value)


def format_value(value: Any) -> str:
    """A value in a few printable characters; U+FFFD stands for others."""
    if value is None:
        return NOTHING
    words = ", ".join(map(format_value, value)) if isinstance(value, list) else short(value)
    return "".join(character if character.isprintable() else "\ufffd" for character in words)


def title(path: str) -> tuple[str, str]:
    """A dotted path as (name, unit) for an axis or a column: ("carrier frequency", "Hz")."""
    last = path.rsplit(".", 1)[-1]
    unit = unit_of(last)
    if last in SNR:
        return f"SNR, {SNR[last].split()[0]}", unit
    if last == "use":
        return path.split(".")[-2], ""
    name = (last.rpartition("_")[0] if unit else "") or last
    return name.replace("_", " "), unit


def canonical_key(value: Any) -> str:
    """A key that equal values share: 3 and 3.0, and mappings in any order."""
    return json.dumps(_normal(value), sort_keys=True, default=str)


def is_number(value: Any) -> bool:
    """Whether a value is a number, and so can be on an axis."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _normal(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    return float(value) if is_number(value) else value


# ----------------------------------------------------------------------------------------- sections


def distinguish(values: Sequence[Any]) -> Callable[[Any], str]:
    """A function that names each of some values differently, as briefly as possible.

    A section is named by its component, with the fewest settings that distinguish it from the
    others of that component.
    """
    sections = [flatten(value) for value in values if isinstance(value, Mapping)]
    differing = _Differing(
        [{name: canonical_key(one) for name, one in section.items()} for section in sections]
    )

    def say(value: Any) -> str:
        if not isinstance(value, Mapping):
            return format_value(value)
        mine = flatten(value)
        parts = [format_value(mine.get("use"))]
        if settings := [_named(name, mine[name]) for name in differing.of(mine)]:
            parts.append(f"({', '.join(settings)})")
        return " ".join(filter(None, parts))

    return say


def _named(path: str, value: Any) -> str:
    """A setting with its name and unit: `SNR 3 dB`."""
    name, unit = title(path)
    return f"{name.split(',')[0]} {format_value(value)} {unit if is_number(value) else ''}".strip()


class _Differing:
    """The settings that distinguish sections; found once for all sections of one kind."""

    def __init__(self, sections: Sequence[Mapping[str, str]]) -> None:
        """`sections`: setting -> canonical key of its value."""
        self._alike: dict[Place, list[Mapping[str, str]]] = {}
        self._chosen: dict[tuple[Place, bool], list[str]] = {}
        for one in sections:
            self._alike.setdefault((one.get("use", ABSENT),), []).append(one)

    def of(self, mine: Mapping[str, Any]) -> list[str]:
        """The settings that distinguish a section from others of its component, in its order."""
        component = (canonical_key(mine.get("use")),)
        # Nested components come first: settings of different ones are not comparable.
        inner = self._settings(component, [], inner=True)
        place = (*component, *(canonical_key(mine.get(name)) for name in inner))
        if place not in self._alike:
            for one in self._alike.get(component, ()):
                self._alike.setdefault(
                    (*component, *(one.get(name, ABSENT) for name in inner)), []
                ).append(one)
        chosen = self._settings(place, inner, inner=False)
        return [name for name in mine if name in chosen]

    def _settings(self, place: Place, chosen: Sequence[str], inner: bool) -> list[str]:
        """The chosen settings and, greedily, those that divide the sections at a place further."""
        if (place, inner) not in self._chosen:
            alike, found = self._alike.get(place, ()), list(chosen)
            names = dict.fromkeys(
                name
                for one in alike
                for name in one
                if name.endswith(".use") == inner and name != "use"
            )
            while names:
                best = max(names, key=lambda name: _classes(alike, [*found, name]))
                if _classes(alike, [*found, best]) == _classes(alike, found):
                    break
                found.append(best)
            self._chosen[place, inner] = found
        return self._chosen[place, inner]


Place = tuple[str, ...]
"""Canonical keys of the values of some settings, which sections have in common."""
ABSENT = "null"
"""The canonical key of a missing value."""


def _classes(sections: Sequence[Mapping[str, str]], names: Sequence[str]) -> int:
    """The number of classes into which these settings divide sections."""
    return len({tuple(one.get(name, ABSENT) for name in names) for one in sections})


@dataclass(frozen=True)
class Labels:
    """The names of the cells of a grid.

    Fields:
        axes: swept values by dotted path
    """

    axes: Mapping[str, Sequence[Any]]
    _say: dict[str, Callable[[Any], str]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def among(cls, cells: Iterable[Mapping[str, Any]]) -> Labels:
        """The names of cells of several grids, by their settings."""
        axes: dict[str, list[Any]] = {}
        for settings in cells:
            for path, value in settings.items():
                axes.setdefault(path, []).append(value)
        return cls(axes)

    def value(self, path: str, value: Any) -> str:
        """A swept value in a few characters, distinct from the others of its axis."""
        if path not in self._say:
            self._say[path] = distinguish(self.axes.get(path, ()))
        return self._say[path](value) if isinstance(value, Mapping) else short(value)

    def of(self, settings: Mapping[str, Any]) -> str:
        """Swept values with the last parts of their paths: `snr_db=3 steps=10`."""
        parts = (
            f"{path.rsplit('.', 1)[-1]}={self.value(path, value)}"
            for path, value in settings.items()
        )
        return " ".join(parts) or "(one cell)"
