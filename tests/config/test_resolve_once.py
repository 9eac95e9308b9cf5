"""A run builds every component once per process, and resolves its cell once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from semcore.component.base import Component
from semcore.config import resolve
from semcore.config.configuration import Cell


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Class -> how many components of it were made."""
    found: Counter[str] = Counter()
    post_init: Callable[[Component], None] = Component.__post_init__

    def counting(self: Component) -> None:
        post_init(self)
        found[type(self).__name__] += 1

    monkeypatch.setattr(Component, "__post_init__", counting)
    return found


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was resolved."""
    found: list[Any] = []
    wrapped = resolve.Resolver._resolve

    def counting(self: resolve.Resolver, changes: Any) -> resolve.Resolved:
        found.append(changes)
        return wrapped(self, changes)

    monkeypatch.setattr(resolve.Resolver, "_resolve", counting)
    return found


OF_THE_FILE = ("Greys", "Brightness", "Qpsk", "Flat", "GreyError")


def test_a_run_of_one_cell_builds_and_resolves_once(
    bench: Any, built: Counter[str], resolved: list[Any]
) -> None:
    assert bench.run().computed == 1
    assert {
        name: built[name] for name in built if name in {*OF_THE_FILE, "Noise"}
    } == dict.fromkeys((*OF_THE_FILE, "Noise"), 1)
    assert len(resolved) == 1


def test_a_sweep_builds_what_is_not_swept_once(
    bench: Any, built: Counter[str], resolved: list[Any]
) -> None:
    assert bench.run("channel.snr_db=0:9:1").computed == 10
    assert {name: built[name] for name in OF_THE_FILE} == dict.fromkeys(OF_THE_FILE, 1)
    assert built["Noise"] == 10 and len(resolved) == 10


def test_a_cell_may_have_settings_that_are_not_on_the_grid(bench: Any) -> None:
    experiment = bench.load("channel.snr_db=0,3")
    cell = Cell(0, {"channel.snr_db": 7, "seed": 4})
    assert (
        experiment.resolve(cell).pipeline.channel.snr_db == 7 and experiment.resolve(cell).seed == 4
    )
    assert experiment.resolve(experiment.cells[0]).pipeline.channel.snr_db == 0
