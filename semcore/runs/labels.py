"""How settings and their values are said: in the names of cells, in tables and on axes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semcore.component.base import unit_of
from semcore.config.paths import flatten
from semcore.runs.conventions import SNR

NOTHING = "–"
"""How the value of a setting is said that a cell does not have."""


def short(value: Any) -> str:
    """A value in a few characters; a component by its name."""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return str(value.get("use", value))
    return str(value)


def format_value(value: Any) -> str:
    """A value in a few characters that show themselves only."""
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
    return (last.removesuffix(f"_{last.rsplit('_', 1)[-1]}") if unit else last).replace("_", " "), unit


def canonical_key(value: Any) -> str:
    """What makes two values of a setting the same: 3 and 3.0 are."""
    return json.dumps(_normal(value), sort_keys=True, default=str)


def is_number(value: Any) -> bool:
    """Whether a value can stand on an axis."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _normal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _normal(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(item) for item in value]
    return float(value) if is_number(value) else value


# ---------------------------------------------------------------------------------------------- sections among others


def distinguish(values: Sequence[Any]) -> Callable[[Any], str]:
    """How to say a value among others: a section by its component, with the fewest settings that tell it from the others."""
    sections = [flatten(value) for value in values if isinstance(value, Mapping)]
    differing = _Differing([{name: canonical_key(one) for name, one in section.items()} for section in sections])

    def say(value: Any) -> str:
        if not isinstance(value, Mapping):
            return format_value(value)
        mine = flatten(value)
        told = [_named(name, mine[name]) for name in differing.of(mine)]
        return " ".join(filter(None, (format_value(mine.get("use")), f"({', '.join(told)})" if told else "")))

    return say


def _named(path: str, value: Any) -> str:
    """A setting with its name and unit: `SNR 3 dB`."""
    name, unit = title(path)
    return f"{name.split(',')[0]} {format_value(value)} {unit if is_number(value) else ''}".strip()


class _Differing:
    """By which of their settings sections are told from each other; what is found for one serves all that are like it."""

    def __init__(self, sections: Sequence[Mapping[str, str]]) -> None:
        """`sections`: setting -> the key of its value."""
        self._alike: dict[Place, list[Mapping[str, str]]] = {}
        self._chosen: dict[tuple[Place, bool], list[str]] = {}
        for one in sections:
            self._alike.setdefault((one.get("use", ABSENT),), []).append(one)

    def of(self, mine: Mapping[str, Any]) -> list[str]:
        """Those settings of a section by which it is told from others of its component, in its order."""
        component = (canonical_key(mine.get("use")),)
        # What components they are made of comes first: settings of different ones do not compare.
        inner = self._settings(component, [], inner=True)
        place = (*component, *(canonical_key(mine.get(name)) for name in inner))
        if place not in self._alike:
            for one in self._alike.get(component, ()):
                self._alike.setdefault((*component, *(one.get(name, ABSENT) for name in inner)), []).append(one)
        chosen = self._settings(place, inner, inner=False)
        return [name for name in mine if name in chosen]

    def _settings(self, place: Place, chosen: Sequence[str], inner: bool) -> list[str]:
        """The chosen settings, and those that make more kinds of the sections at a place, the best first."""
        if (place, inner) not in self._chosen:
            alike, found = self._alike.get(place, ()), list(chosen)
            names = dict.fromkeys(name for one in alike for name in one if name.endswith(".use") == inner and name != "use")
            while names:
                best = max(names, key=lambda name: _classes(alike, [*found, name]))
                if _classes(alike, [*found, best]) == _classes(alike, found):
                    break
                found.append(best)
            self._chosen[place, inner] = found
        return self._chosen[place, inner]


Place = tuple[str, ...]
"""The keys of the values of some settings: what sections have in common."""
ABSENT = "null"
"""The key of a value that is not there."""


def _classes(sections: Sequence[Mapping[str, str]], names: Sequence[str]) -> int:
    """How many kinds of sections these settings make."""
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
        """The names of cells of several grids, by the settings of each."""
        axes: dict[str, list[Any]] = {}
        for settings in cells:
            for path, value in settings.items():
                axes.setdefault(path, []).append(value)
        return cls(axes)

    def value(self, path: str, value: Any) -> str:
        """A swept value in a few characters, told from the others of its axis."""
        if path not in self._say:
            self._say[path] = distinguish(self.axes.get(path, ()))
        return self._say[path](value) if isinstance(value, Mapping) else short(value)

    def of(self, settings: Mapping[str, Any]) -> str:
        """Swept values in short: the last parts of their paths."""
        parts = (f"{path.rsplit('.', 1)[-1]}={self.value(path, value)}" for path, value in settings.items())
        return " ".join(parts) or "(one cell)"
