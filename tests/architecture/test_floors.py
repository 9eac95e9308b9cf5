"""Floors of the packages: modules import only what stands below them, without circles."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from ..support.imports import circle, modules, needs

ROOT = Path(__file__).parents[2]
FLOORS = {
    "semcore": (
        ("version", "limits", "memo", "children", "statistics"),
        ("wording", "supervisor"),
        ("errors", "storage"),
        ("types", "entrypoints"),
        ("fingerprint",),
        ("component", "rng", "steps", "media"),
        ("tensors",),
        ("interfaces",),
        ("link", "metrics", "models"),
        ("planning",),
        ("plugins",),
        ("config",),
        ("training", "trackers"),
        ("runs",),
        ("analysis", "testing"),
        ("render",),
        ("api",),
        ("cli",),
        ("commands",),
        ("__main__",),
    ),
    "semcore_channels": (
        ("constants", "simd", "snr", "sionna_rng", "modulation"),
        ("budget", "coding", "sionna_block"),
        ("flat", "ofdm"),
        ("tr38901", "ntn"),
        ("transports",),
        ("link_budget",),
    ),
    "semcore_image": (
        ("pixels",),
        ("vocabulary",),
        ("scenes",),
        ("streams",),
        ("models",),
        ("codecs",),
        ("sources",),
        ("captioning",),
        ("generation",),
        ("selection",),
        ("metrics",),
        ("mmsemcom",),
        ("jscc",),
        ("training",),
    ),
    "semcore_llm": (
        ("excerpt",),
        ("memory",),
        ("endpoint",),
        ("planners",),
        ("metrics",),
        ("testing",),
    ),
    "semcore_video": (
        ("licences", "paper", "memoize", "weights", "resampling", "mixer"),
        ("media",),
        ("face",),
        ("speech",),
        ("video_codec", "transports", "jscc", "kb", "sources", "metrics"),
        ("training",),
    ),
}
"""Rooms (folders, and modules at the top) from the ground up, by package: a room may import rooms
on lower floors, and modules of its own."""
FLOOR = {
    package: {room: number for number, rooms in enumerate(floors) for room in rooms}
    for package, floors in FLOORS.items()
}
MODULES = {
    package: modules(ROOT / ("" if package == "semcore" else f"plugins/{package}") / package)
    for package in FLOORS
}
BELOW_THE_TOP = [name for found in MODULES.values() for name in found if "." in name]
"""Every module but the packages' own `__init__`, which gathers public names."""


@functools.cache
def needs_of(package: str) -> dict[str, set[str]]:
    """Module -> modules of the package that it imports."""
    found = MODULES[package]
    return {name: needs(path, found.keys()) for name, path in found.items()}


def room(name: str) -> str:
    """The room that a module stands in."""
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("package", FLOORS)
def test_every_room_stands_on_a_floor(package: str) -> None:
    assert {room(name) for name in MODULES[package]} - {""} == FLOOR[package].keys()


@pytest.mark.parametrize("name", BELOW_THE_TOP)
def test_no_import_goes_up(name: str) -> None:
    package = name.split(".")[0]
    floor = FLOOR[package]
    others = [other for other in needs_of(package)[name] if room(other) != room(name)]
    above = [other for other in others if floor.get(room(other), 99) >= floor[room(name)]]
    assert not above, f"{name} stands on floor {floor[room(name)]} and imports {above}"


@pytest.mark.parametrize("package", FLOORS)
def test_no_import_goes_round_in_a_circle(package: str) -> None:
    left = circle(needs_of(package))
    assert not left, f"these import each other: {sorted(left)}"


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "d"}, "e": {"e"}}) == {
        "a", "b", "c", "d",
    }  # fmt: skip


def test_few_modules_stand_outside_of_rooms() -> None:
    found, inside = MODULES["semcore"], needs_of("semcore")
    loose = [
        name
        for name, path in found.items()
        if name.count(".") == 1 and path.name not in ("__init__.py", "__main__.py")
    ]
    assert len(loose) <= 12
    for name in loose:
        users = {room(other) for other, names in inside.items() if name in names}
        assert len(users) > 1 or name in ("semcore.version", "semcore.commands"), (
            f"{name} is used by {users} alone: it belongs there"
        )


@pytest.mark.parametrize("name", MODULES["semcore_image"])
def test_recipes_are_imported_by_recipes_alone(name: str) -> None:
    needed = needs_of("semcore_image")[name]
    assert room(name) == "training" or not [one for one in needed if room(one) == "training"]


def test_the_kernel_stays_small() -> None:
    """What a reader needs to know first: the types, the interfaces and one transmission."""
    rooms = ("errors.py", "rng.py", "interfaces.py", "types", "component", "link")
    places = [ROOT / "semcore" / name for name in rooms]
    files = [file for place in places for file in (place, *sorted(place.rglob("*.py")))]
    lines = [len(file.read_text().splitlines()) for file in files if file.is_file()]
    assert len(lines) > len(rooms)
    assert sum(lines) <= 2450
