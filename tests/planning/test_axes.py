"""The axes of a plan space, and a new kind of axis in one file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from semcore import Axis, Bounds, Choices, LogBounds, Space
from semcore.component.digest import digest
from semcore.config.json_schema import pipeline_schema
from semcore.errors import ConfigError

PAGE = Path(__file__).parents[2] / "docs" / "write-a-plugin.md"

AXES: list[Any] = [
    Choices(("v2a", "a2v")),
    Choices((150, 300, 600)),
    Bounds(-3, 12),
    Bounds(20.0, 30.0),
    LogBounds(1e-3, 10.0),
]


@pytest.mark.parametrize("axis", AXES)
def test_the_index_of_a_value_leads_back_to_it(axis: Any) -> None:
    for index in {0, 1, len(axis) // 2, len(axis) - 1}:
        assert axis[axis.index(axis[index])] == axis[index]
    assert axis[0] in axis.grid(2) and axis[len(axis) - 1] in axis.grid(2)
    assert axis.index("elsewhere") is None and axis.index(None) is None


def test_equal_values_are_one_choice_and_each_choice_has_its_own_number() -> None:
    assert Choices([0, 0.0, True, 1, [2], [2.0], False]) == (0, True, 1, [2], False)
    space = Space({"a": [0, 0.0, 1]})
    assert space.size == 3
    assert [space.number(space.point(number)) for number in range(3)] == [0, 1, 2]


@given(st.floats(1e-6, 1e6))
def test_the_nearest_of_a_logarithmic_range_is_the_nearest_by_ratio(value: float) -> None:
    axis = LogBounds(1e-3, 10.0)
    found = axis[axis.index(value) or 0]
    inside = min(max(value, axis.low), axis.high)
    assert abs(math.log(found / inside)) <= math.log(1e4) / (len(axis) - 1) / 2 * (1 + 1e-6)


def test_listed_values_and_bounds_have_the_digests_of_a_plain_tuple_and_of_their_numbers() -> None:
    assert digest(Choices((1, "a"))) == digest((1, "a"))
    assert digest(Space({"x": Choices((1, 2))})) == digest(Space({"x": (1, 2)}))


PLANNED = """
space: {{channel.snr_db: {axis}}}
planner: {{use: free}}
"""
FREE = """
from dataclasses import dataclass
import semcore

@semcore.register("planner", "free")
@dataclass(frozen=True)
class Free(semcore.Planner):
    \"\"\"Plans the middle of every axis.\"\"\"

    def plan(self, scenario, memory, simulator):
        axes = simulator.space.axes
        return semcore.Plan({path: axis[len(axis) // 2] for path, axis in axes.items()})

    def plans(self):
        return None
"""
SQUARES = """
from dataclasses import dataclass
import semcore

@dataclass(frozen=True)
class Squares(semcore.Axis):
    \"\"\"The squares of the whole numbers from 0 to `squares_to`.\"\"\"

    keys = ("squares_to",)
    last: int

    @classmethod
    def read(cls, value):
        if not isinstance(value["squares_to"], int) or value["squares_to"] < 1:
            raise ValueError("squares_to must be a whole number from 1")
        return cls(value["squares_to"])

    def __len__(self):
        return self.last + 1

    def __getitem__(self, index):
        return index * index

    def index(self, value):
        return min(range(len(self)), key=lambda one: abs(one * one - value))

    def plain(self):
        return {"squares_to": self.last}

    def schema(self):
        return {"enum": [self[index] for index in range(len(self))]}
"""


@pytest.fixture
def planned(bench: Any) -> Any:
    """A bench whose planner plans the middle of an axis, and whose file adds a kind of axis."""
    (bench.folder / "mine.py").write_text(FREE + SQUARES)
    before = bench.text

    def load(axis: str) -> Any:
        bench.text = before.replace("plugins: [", "plugins: [./mine.py, ") + PLANNED.format(
            axis=axis
        )
        bench.text = bench.text.replace("transport: {use: qpsk}", "transport: {use: qpsk}")
        return bench

    return load


def test_a_new_kind_of_axis_is_one_file(planned: Any) -> None:
    finished = planned("{squares_to: 4}").run()
    assert not finished.failures
    assert [segment["planned"] for segment in finished.results[0]["segments"]] == [
        {"channel.snr_db": 4}
    ] * 3
    assert finished.results[0]["config"]["space"] == {"channel.snr_db": {"squares_to": 4}}
    with pytest.raises(ConfigError, match="squares_to must be a whole number from 1"):
        planned("{squares_to: many}").load()


def test_the_axis_of_the_page_is_one_file_or_stands_with_a_planner(
    bench: Any, site: Any, blocks: Any
) -> None:
    """It is checked, planned, in the result, and in the schema by which editors complete."""
    (powers,) = [text for _, name, text in blocks(PAGE) if name == "powers.py"]
    (bench.folder / "powers.py").write_text(FREE + powers)
    before, planned = bench.text, PLANNED.format(axis="{powers_of_two: 5}")
    bench.text = before.replace("plugins: [", "plugins: [./powers.py, ") + planned
    finished = bench.run()
    assert [segment["planned"] for segment in finished.results[0]["segments"]] == [
        {"channel.snr_db": 4}
    ] * 3
    assert finished.results[0]["config"]["space"] == {"channel.snr_db": {"powers_of_two": 5}}
    schema = Draft202012Validator(pipeline_schema(pipeline=bench.path))
    assert schema.is_valid(yaml.safe_load(bench.text))
    wrong = bench.text.replace("powers_of_two", "powers_of_three")
    assert not schema.is_valid(yaml.safe_load(wrong))

    text = (FREE + powers).replace('@semcore.register("planner", "free")\n', "")
    site.install("powers", "[semcore.planner]\nfree = powers:Free\n", {"powers": text})
    bench.text = before + planned
    done = site("check", bench.path)
    assert done.returncode == 0, done.stderr


def test_a_logarithmic_range_is_planned_and_refused(planned: Any) -> None:
    finished = planned("{from: 0.1, to: 10, scale: log}").run(out="logarithmic")
    assert not finished.failures
    assert finished.results[0]["segments"][0]["planned"]["channel.snr_db"] == pytest.approx(
        1.0, rel=1e-3
    )
    for axis, problem in (
        ("{from: 0, to: 10, scale: log}", "from and to must be numbers above 0"),
        ("{from: 10, to: 1, scale: log}", "to must be greater than from"),
        ("{from: 1, to: 10, scale: linear}", "scale must be log"),
    ):
        with pytest.raises(ConfigError, match=problem):
            planned(axis).load()


def test_every_kind_is_an_axis() -> None:
    assert all(issubclass(kind, Axis) for kind in Axis.kinds.values())
