"""Pipeline files and overrides: all problems at once, each at its place; what settings mean."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import MinLen

from semcore.component.base import check_value
from semcore.config.build import Builder
from semcore.config.configuration import load
from semcore.errors import ConfigError


def faults(path: Path, overrides: list[str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, overrides)
    return caught.value


def test_problems_of_different_sections_are_told_together(bench: Any) -> None:
    bench.text = bench.text.replace("snr_db: 10", "snr_bd: 10").replace("use: flat", "use: flt")
    bench.text += "sweep:\n  source.limit: [1, -1]\n"
    problems = faults(bench.path, ["seed=x"]).problems
    assert [problem.where.removeprefix(f"{bench.path}:") for problem in problems] == [
        "7:23",
        "8:18",
        "11:21",
        "seed=x",
    ]


def axes(bench: Any, *overrides: str) -> dict[str, list[Any]]:
    return {path: list(values) for path, values in bench.load(*overrides).axes.items()}


def config(bench: Any, *overrides: str) -> dict[str, Any]:
    """The resolved configuration of the only cell."""
    experiment = bench.load(*overrides)
    (cell,) = experiment.cells
    return dict(experiment.resolve(cell).config)


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("channel.snr_db=0:20:5", [0, 5, 10, 15, 20]),
        ("channel.snr_db=0:1:0.1", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
        ("channel.snr_db=10:-5:-5", [10, 5, 0, -5]),
        ("channel.snr_db=0:4:3", [0, 3]),
        ("channel.snr_db=3:3:1", [3]),
        ("channel.snr_db=3,6", [3, 6]),
        ("channel.snr_db=3, 6.5", [3, 6.5]),
        ("channel.snr_db=[3, 6]", [3, 6]),
        ("transport.modulation=4qam,qpsk", ["4qam", "qpsk"]),
        ("seed=1,2,3", [1, 2, 3]),
        ("channel.speed_kmh=[[3, 3], [60, 120]]", [[3, 3], [60, 120]]),
        ("encoder.codec.quality=1:3:1", [1, 2, 3]),
    ],
)
def test_an_override_sweeps(bench: Any, override: str, values: list[Any]) -> None:
    path = override.split("=")[0]
    assert axes(bench, override) == {path: values}
    assert len(bench.load(override).cells) == len(values)


@pytest.mark.parametrize(
    ("override", "section", "value"),
    [
        ("channel.snr_db=3", "channel", {"snr_db": 3.0}),
        ("channel.snr_db=1e1", "channel", {"snr_db": 10.0}),
        ("channel.speed_kmh=[60, 120]", "channel", {"speed_kmh": [60.0, 120.0]}),
        ("encoder.prefix=''", "encoder", {"prefix": ""}),
        ("encoder.prefix='a,b'", "encoder", {"prefix": "a,b"}),
        ("encoder.prefix=12:30", "encoder", {"prefix": "12:30"}),
        ("encoder.codec.quality=2", "encoder", {"codec": {"use": "word", "quality": 2}}),
        (
            "encoder.codec={use: word, quality: 1}",
            "encoder",
            {"codec": {"use": "word", "quality": 1}},
        ),
        ("encoder.codec={quality: 1}", "encoder", {"codec": {"use": "word", "quality": 1}}),
        ("metrics.0.scale=2", "metrics", [{"use": "grey-error", "scale": 2.0}]),
        (
            "metrics=[grey-error, odd]",
            "metrics",
            [{"use": "grey-error", "scale": 1.0}, {"use": "odd"}],
        ),
        ("selector=last", "selector", {"use": "last"}),
        ("selector.use=last", "selector", {"use": "last"}),
        ("channel={use: noise, snr_db: 4}", "channel", {"snr_db": 4.0}),
        ("channel.crash_db=~", "channel", {"crash_db": None}),
        ("seed=7", "seed", 7),
        (
            "transport.repeat=3",
            "transport",
            {"*": {"use": "qpsk", "repeat": 3, "modulation": "qpsk"}},
        ),
    ],
)
def test_an_override_sets_one_value(bench: Any, override: str, section: str, value: Any) -> None:
    found = config(bench, override)[section]
    assert ({key: found[key] for key in value} if isinstance(value, dict) else found) == value


def test_an_override_of_a_swept_path_fixes_it_or_sweeps_it_otherwise(bench: Any) -> None:
    bench.text += "sweep:\n  channel.snr_db: [0, 10]\n  generator.steps: [1, 2]\n"
    assert axes(bench) == {"channel.snr_db": [0, 10], "generator.steps": [1, 2]}
    assert axes(bench, "channel.snr_db=3") == {"generator.steps": [1, 2]}
    assert bench.load("channel.snr_db=3").cells[0].settings == {"generator.steps": 1}
    assert axes(bench, "generator.steps=4,5")["generator.steps"] == [4, 5]
    assert axes(bench, "generator.steps=4,5", "generator.steps=6") == {"channel.snr_db": [0, 10]}


def test_the_last_override_of_a_path_holds(bench: Any) -> None:
    assert config(bench, "channel.snr_db=3", "channel.snr_db=4")["channel"]["snr_db"] == 4.0


def test_another_component_takes_its_own_settings_along(bench: Any) -> None:
    """`generator.use=moving` keeps the settings of `flat`; one that it lacks is reported."""
    bench.text = bench.text.replace("{use: flat}", "{use: flat, steps: 3}")
    with pytest.raises(ConfigError, match="generator 'moving' has no setting 'steps'"):
        bench.load("generator.use=moving")
    assert config(bench, "generator=flat")["generator"]["steps"] == 1


WORKFLOWS = """
workflow: fine
workflows:
  fine: {generator: {use: flat, steps: 5}}
  coarse: {generator: {use: flat, steps: 1}, encoder: {use: brightness, prefix: x}}
"""


def test_a_workflow_replaces_sections_and_overrides_lie_above_it(bench: Any) -> None:
    bench.text += WORKFLOWS
    assert config(bench)["generator"]["steps"] == 5
    assert config(bench, "workflow=coarse")["generator"]["steps"] == 1
    assert config(bench, "workflow=coarse")["encoder"]["prefix"] == "x"
    assert config(bench, "workflow=coarse", "generator.steps=7")["generator"]["steps"] == 7
    assert config(bench, "generator.steps=7", "workflow=coarse")["generator"]["steps"] == 7
    assert config(bench, "workflows.coarse.generator.steps=9")["generator"]["steps"] == 5
    assert (
        config(bench, "workflows.coarse.generator.steps=9", "workflow=coarse")["generator"]["steps"]
        == 9
    )
    assert axes(bench, "workflow=fine,coarse") == {"workflow": ["fine", "coarse"]}
    experiment = bench.load("workflow=fine,coarse", "generator.strength=2")
    assert [
        experiment.resolve(cell).config["generator"]["strength"] for cell in experiment.cells
    ] == [2, 2]


def test_a_section_may_stand_in_workflows_alone(bench: Any) -> None:
    bench.text = bench.text.replace("generator: {use: flat}\n", "") + WORKFLOWS
    assert config(bench, "generator.strength=3")["generator"]["strength"] == 3.0
    assert axes(bench, "generator.strength=1,2") == {"generator.strength": [1, 2]}


def test_the_first_axis_changes_slowest(bench: Any) -> None:
    bench.text += "sweep:\n  channel.snr_db: [0, 10]\n  generator.steps: 1:3:1\n"
    assert [tuple(cell.settings.values()) for cell in bench.load().cells] == [
        (0, 1), (0, 2), (0, 3), (10, 1), (10, 2), (10, 3)
    ]  # fmt: skip


def test_metrics_are_psnr_and_ssim_unless_named(bench: Any) -> None:
    bench.text = re.sub("metrics:.*\n", "", bench.text)
    assert [metric["use"] for metric in config(bench)["metrics"]] == ["psnr", "ssim"]


def test_a_list_that_is_too_short_is_told_unless_its_values_were_refused() -> None:
    lengths = Annotated[tuple[int, ...], MinLen(2)]

    def wrong(value: object) -> list[tuple[object, str]]:
        return [(one.path, one.message) for one in check_value(lengths, value)[1]]

    assert wrong([1]) == [((), "must be a list of 2 or more, not a list of 1")]
    assert wrong([]) == [((), "must be a list of 2 or more, not a list of 0")]
    assert wrong([1, "x"]) == [((1,), "must be a whole number, not 'x'")]


def test_equal_settings_are_one_object(bench: Any) -> None:
    """So weights are loaded once a process, however many cells name them."""
    experiment = bench.load("channel.snr_db=0,10")
    first, second = (experiment.resolve(cell).pipeline for cell in experiment.cells)
    assert first.encoder is second.encoder and first.generator is second.generator
    assert first.channel is not second.channel


IMPORTS = (
    "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    "import semcore\nfrom semcore.plugins import registry\n\n"
)


def test_what_cells_have_in_common_is_checked_once(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100,000 cells of 1,000 channels and 100 generators: a slow check would take minutes."""
    built: Counter[str] = Counter()
    component = Builder.component

    def count(self: Builder, kind: str, value: Any, path: Any) -> Any:
        built[kind] += 1
        return component(self, kind, value, path)

    monkeypatch.setattr(Builder, "component", count)
    assert len(bench.load("channel.snr_db=0:99.9:0.1", "generator.steps=1:100:1").cells) == 100_000
    assert built["channel"] == 1000 and built["generator"] == 100 and built["encoder"] == 1


def test_no_cell_of_a_large_sweep_is_left_out(bench: Any) -> None:
    """A fault that only two axes together have, in one cell of 10,000."""
    plugin = bench.folder / "mine.py"
    plugin.write_text(
        f"{IMPORTS}@semcore.register('channel', 'picky')\n@dataclass(frozen=True)\n"
        "class Picky(registry.load('channel', 'noise')):\n    'Refuses one pair.'\n\n"
        "    def check(self):\n        if self.snr_db == 57 and self.slow_s == 3:\n"
        "            raise semcore.ComponentError('snr_db and slow_s do not go together')\n\n"
        "    def incompatibility(self, transport):\n"
        "        return 'is odd' * (self.snr_db == 58 and transport.repeat == 7)\n"
    )
    bench.text = bench.text.replace("bench.py]", "bench.py, ./mine.py]").replace(
        "use: noise", "use: picky"
    )
    error = faults(
        bench.path, ["channel.snr_db=0:99:1", "channel.slow_s=0:9:1", "transport.repeat=1:10:1"]
    )
    assert [problem.message for problem in error.problems] == [
        "channel 'picky' cannot serve transport 'qpsk' (stream 'caption'): it is odd",
        "channel 'picky': snr_db and slow_s do not go together",
    ]


def test_a_planner_that_plans_anything_needs_a_space(bench: Any) -> None:
    plugin = bench.folder / "mine.py"
    plugin.write_text(
        f"{IMPORTS}@semcore.register('planner', 'free')\n@dataclass(frozen=True)\n"
        "class Free(semcore.Planner):\n    'Plans what it likes.'\n\n"
        "    def plan(self, scenario, memory, simulator):\n        return semcore.Plan()\n"
    )
    bench.text = bench.text.replace("bench.py]", "bench.py, ./mine.py]") + (
        "planner: free\nworkflow: a\nworkflows:\n  a: {generator: flat}\n"
        "  b: {generator: {use: flat, stepz: 1}}\n"
    )
    told = str(faults(bench.path, []))
    assert "10:10: error: planner 'free' needs a space, and the file declares none" in told
    assert "hint: add 'space: {workflow: [a, b]}'" in told
    bench.text += "space: {workflow: [a, b]}\n"
    assert "14:30: error: generator 'flat' has no setting 'stepz'" in str(faults(bench.path, []))
    bench.text = bench.text.replace("planner: free\n", "")
    assert (
        bench.load()
    )  # nothing may choose it: it is not checked, as it may need what is not installed


def test_whatever_a_component_raises_when_it_is_asked_is_told(bench: Any) -> None:
    plugin = bench.folder / "mine.py"
    plugin.write_text(
        f"{IMPORTS}@semcore.register('channel', 'broken')\n@dataclass(frozen=True)\n"
        "class Broken(registry.load('channel', 'noise')):\n    'Raises.'\n\n"
        "    def incompatibility(self, transport):\n        return transport.nothing\n\n"
        "@semcore.register('planner', 'broken')\n@dataclass(frozen=True)\n"
        "class Plans(registry.load('planner', 'alternate')):\n    'Raises.'\n\n"
        "    def plans(self):\n        raise ValueError('no plan')\n"
    )
    bench.text = (
        bench.text.replace("bench.py]", "bench.py, ./mine.py]").replace("use: noise", "use: broken")
        + "planner: broken\n"
    )
    told = str(faults(bench.path, []))
    assert (
        "a component cannot say which streams it is for: AttributeError: 'Qpsk' object has no "
        "attribute 'nothing'" in told
    )
    assert "10:10: error: planner 'broken' cannot list its plans: ValueError: no plan" in told
