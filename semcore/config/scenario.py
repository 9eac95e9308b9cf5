"""The sections `scenario` and `space`: the input of a planner, and what it may plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semcore.config.build import Builder
from semcore.config.document import Path_
from semcore.config.paths import LARGEST
from semcore.errors import listed, shown
from semcore.planning.axes import Axis, Bounds, Choices
from semcore.planning.space import Space
from semcore.types import LIMITS, Scenario, Term
from semcore.wording.suggest import guess, nearest

WORDS = ("task", "preferences")
MISSION = (*WORDS, "utility", "limits")
"""Keys of a mission."""
KNOWN = (*MISSION, "mission", "missions", "segments")
FORBIDDEN = (
    "source", "metrics", "planner", "space", "scenario", "seed", "threads", "batch_size", "device",
)  # fmt: skip
"""What no plan can change: what is sent, how it is measured, and who plans."""
LIMIT = "limits."
"""Paths of a segment with this prefix are limits, not settings of the pipeline."""


def scenarios(value: Any, builder: Builder) -> tuple[Scenario, ...]:
    """`{task: ..., preferences: ..., utility: ..., limits: ..., segments: [{PATH: value}, ...]}`.

    The segments follow each other. `mission` chooses one of `missions`, a mapping of names to such
    sections without segments; the keys next to it are the defaults of every mission.
    """
    if not isinstance(value or {}, Mapping):
        wanted = f"scenario is a mapping with {listed([*KNOWN])}"
        builder.report(("scenario",), f"{wanted}, not {shown(value)}")
        return (Scenario(),)
    value = value or {}
    _only(value, KNOWN, "a scenario", ("scenario",), builder)
    mission = _mission(value, ("scenario",), builder)
    missions, chosen = _missions(value.get("missions") or {}, builder), value.get("mission")
    if chosen in missions:
        mission = {**mission, **missions[chosen]}
    elif chosen is not None or missions:
        place: Path_ = ("scenario", "mission") if chosen is not None else ("scenario", "missions")
        message = "no mission is chosen"
        if chosen is not None:
            message = f"there is no mission {shown(chosen)}"
        builder.report(place, message, nearest(chosen or "", missions), at_key=chosen is None)
    worlds, limits = _segments(value.get("segments") or [{}], builder)
    most = mission.pop("limits", {})
    return tuple(
        Scenario(index, environment=world, limits={**most, **own}, **mission)
        for index, (world, own) in enumerate(zip(worlds, limits, strict=True))
    )


def space(value: Any, builder: Builder) -> Space | None:
    """Dotted path -> a list of values, or `{from: number, to: number}`."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        wanted = "dotted path -> list of values, or {from: ..., to: ...}"
        builder.report(("space",), f"space is a mapping: {wanted}, not {shown(value)}")
        return None
    axes: dict[str, Any] = {}
    for path, values in value.items():
        place: Path_ = ("space", path)
        if (section := str(path).split(".")[0]) in FORBIDDEN:
            builder.report(place, f"no plan can change {section!r}", at_key=True)
        elif isinstance(values, list) and values:
            axes[str(path)] = Choices(values)
        elif isinstance(values, Mapping):
            if axis := _axis(values, place, builder):
                axes[str(path)] = axis
        else:
            wanted = "a list of values, or {from: number, to: greater number}"
            found = "an empty list" if values == [] else shown(values)
            builder.report(place, f"{path} needs {wanted}, not {found}")
    return Space(axes)


def _axis(value: Mapping[str, Any], place: Path_, builder: Builder) -> Axis | None:
    """The axis of the kind with these keys; `Bounds` if there is none."""
    kind = Axis.kinds.get(tuple(sorted(map(str, value))), Bounds)
    if kind is Bounds:
        return _bounds(value, place, builder)
    try:
        return kind.read(value)
    except ValueError as error:
        builder.report(place, f"{place[-1]}: {error}")
        return None


def _bounds(value: Mapping[str, Any], place: Path_, builder: Builder) -> Bounds | None:
    if not _numbers(value, ("from", "to"), (), place, builder):
        return None
    if value["from"] < value["to"]:
        return Bounds(value["from"], value["to"])
    low, high = shown(value["from"]), shown(value["to"])
    builder.report((*place, "to"), f"to must be greater than from ({low}), not {high}")
    return None


def _missions(value: Any, builder: Builder) -> dict[Any, dict[str, Any]]:
    if not isinstance(value, Mapping):
        wanted = f"missions is a mapping: name -> {listed([*MISSION])}"
        builder.report(("scenario", "missions"), f"{wanted}, not {shown(value)}")
        return {}
    found = {}
    for name, mission in value.items():
        place: Path_ = ("scenario", "missions", name)
        if isinstance(mission, Mapping):
            _only(mission, MISSION, "a mission", place, builder)
            found[name] = _mission(mission, place, builder)
        else:
            wanted = f"a mission is a mapping with {listed([*MISSION])}"
            builder.report(place, f"{wanted}, not {shown(mission)}")
    return found


def _mission(value: Mapping[str, Any], place: Path_, builder: Builder) -> dict[str, Any]:
    """The keys of a mission that are given."""
    found: dict[str, Any] = {}
    for key in WORDS:
        words = value.get(key)
        if not isinstance(words or "", str):
            message = f"the {key} of a scenario must be text, not {shown(words)}"
            builder.report((*place, key), message)
        elif words:
            found[key] = words
    if value.get("utility"):
        found["utility"] = _utility(value["utility"], (*place, "utility"), builder)
    if value.get("limits"):
        found["limits"] = _limits(value["limits"], (*place, "limits"), builder)
    return found


def _utility(value: Any, place: Path_, builder: Builder) -> tuple[Term, ...]:
    wanted = "{good: number, bad: another, weight: number above 0}"
    if not isinstance(value, Mapping):
        builder.report(place, f"utility is a mapping: metric -> {wanted}, not {shown(value)}")
        return ()
    terms = []
    for metric, term in value.items():
        at: Path_ = (*place, metric)
        if not isinstance(term, Mapping):
            builder.report(at, f"the utility of {metric} must be {wanted}, not {shown(term)}")
        elif not _numbers(term, ("good", "bad"), ("weight",), at, builder):
            continue
        elif term["good"] == term["bad"]:
            message = f"the utility of {metric} needs different values for good and bad"
            builder.report(at, message)
        elif term.get("weight", 1) <= 0:
            message = f"the weight must be above 0, not {shown(term['weight'])}"
            builder.report((*at, "weight"), message)
        else:
            terms.append(Term(str(metric), **{key: float(number) for key, number in term.items()}))
    return tuple(terms)


def _segments(value: Any, builder: Builder) -> tuple[list[dict[str, Any]], list[dict[str, float]]]:
    """The environment and the limits of each segment."""
    place: Path_ = ("scenario", "segments")
    if not isinstance(value, list):
        builder.report(place, "segments is a list of mappings: dotted path -> value")
        return [{}], [{}]
    worlds: list[dict[str, Any]] = []
    limits: list[dict[str, float]] = []
    for index, one in enumerate(value):
        if not isinstance(one, Mapping):
            message = f"a segment is a mapping: dotted path -> value, not {shown(one)}"
            builder.report((*place, index), message)
            one = {}
        own = {path: most for path, most in one.items() if str(path).startswith(LIMIT)}
        worlds.append({path: setting for path, setting in one.items() if path not in own})
        limits.append(_limits(own, (*place, index), builder, LIMIT))
    return worlds, limits


def _limits(value: Any, place: Path_, builder: Builder, before: str = "") -> dict[str, float]:
    if not isinstance(value, Mapping):
        builder.report(place, f"limits is a mapping of {', '.join(LIMITS)}, not {shown(value)}")
        return {}
    found = {}
    for path, most in value.items():
        name = str(path).removeprefix(before)
        if name not in LIMITS:
            message = f"there is no limit {name!r}"
            builder.report((*place, path), message, nearest(name, LIMITS), at_key=True)
        elif not _number(most) or most < 0 and name != "tx_power_dbm":
            least = "" if name == "tx_power_dbm" else " from 0"
            builder.report((*place, path), f"{name} must be a number{least}, not {shown(most)}")
        else:
            found[name] = float(most)
    return found


def _only(
    value: Mapping[str, Any], known: Sequence[str], whose: str, place: Path_, builder: Builder
) -> None:
    for key in value:
        if key not in known:
            message = f"{whose} has no {key!r}"
            builder.report((*place, key), message, nearest(key, known), at_key=True)


def _numbers(
    value: Mapping[str, Any],
    needed: Sequence[str],
    others: Sequence[str],
    place: Path_,
    builder: Builder,
) -> bool:
    """Whether a mapping holds the numbers `needed`, and at most `others`; reports each problem."""
    before, known = len(builder.problems), [*needed, *others]
    meant = set()
    for key, number in value.items():
        if key not in known:
            message = f"{place[-1]} has no {key!r}"
            builder.report((*place, key), message, nearest(key, known), at_key=True)
            meant.add(guess(key, [one for one in needed if one not in value]))
        elif not _number(number):
            builder.report((*place, key), f"{key} must be a number, not {shown(number)}")
    if missing := [key for key in needed if key not in value and key not in meant]:
        message = f"{place[-1]} needs {listed([repr(key) for key in missing])}"
        builder.report(place, message, f"add '{missing[0]}: NUMBER'")
    return len(builder.problems) == before


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < LARGEST
