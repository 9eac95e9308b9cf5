"""Pipeline files and overrides: all problems at once, each at its place; what settings mean."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import pytest
from annotated_types import MinLen
from hypothesis import given, settings
from hypothesis import strategies as st

from semcore.component.base import check_value
from semcore.component.digest import Digester
from semcore.config.build import Builder
from semcore.config.configuration import describe, load
from semcore.config.document import parse
from semcore.config.paths import flatten, points, read_override, set_path
from semcore.entrypoints import naming
from semcore.errors import ConfigError
from semcore.runs.identity import resolve

from ..support.pipelines import BENCH, PIPELINE


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


# ------------------------------------------------------------------------------- what settings mean


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


def test_the_command_line_may_name_the_run(bench: Any) -> None:
    assert bench.load("name=other").name == "other"
    assert ids(bench, "name=other") == ids(bench)
    assert "cannot name the run's folder" in str(faults(bench.path, ["name=../up"]))


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
    assert check_value(lengths, [1])[1] == [((), "must be a list of 2 or more, not a list of 1")]
    assert check_value(lengths, [])[1] == [((), "must be a list of 2 or more, not a list of 0")]
    assert check_value(lengths, [1, "x"])[1] == [((1,), "must be a whole number, not 'x'")]


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
    assert (
        "10:10: error: planner 'free' plans any point of a space, and the file declares none"
        in told
    )
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
    assert "10:10: error: planner 'broken' cannot say what it may plan: ValueError: no plan" in told


# -------------------------------------------------------------------------------- identity of cells


def ids(bench: Any, *overrides: str) -> list[str]:
    experiment = bench.load(*overrides)
    return [resolve(experiment, cell, Digester()).id for cell in experiment.cells]


def test_how_a_file_is_written_does_not_change_what_its_cells_are(bench: Any) -> None:
    before = ids(bench)
    head, *lines = bench.text.splitlines()
    bench.text = "\n# a comment\n".join([head, *reversed(lines)]).replace(
        "snr_db: 10", "snr_db: 1.0e1"
    )
    bench.text = bench.text.replace("name: bench", "name: other").replace("limit: 3", "limit: 0x3")
    assert ids(bench) == before
    assert ids(bench, "channel.snr_db=10") == before
    assert ids(bench, "generator.steps=1", "encoder.prefix=''", "encoder.codec=word") == before
    assert ids(bench, "channel.snr_db=5,10")[1:] == before


@pytest.mark.parametrize(
    "override",
    ["channel.snr_db=11", "seed=1", "source.brightest=200", "source.limit=2",
     "encoder.codec.quality=2", "encoder.prefix=a", "transport.repeat=2", "generator.strength=1.5",
     "selector=last", "metrics.0.scale=2", "metrics=[grey-error, odd]", "channel.speed_kmh=[3, 4]",
     "scenario.task=see"],
)  # fmt: skip
def test_whatever_its_numbers_depend_on_changes_a_cell(bench: Any, override: str) -> None:
    assert ids(bench, override) != ids(bench)


def test_another_version_of_a_plugin_is_another_cell(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ids(bench)
    monkeypatch.setattr(naming, "provider", lambda kind, name: ("bench", "2.0"))
    assert ids(bench) != before


def test_an_edited_plugin_file_is_another_cell(bench: Any) -> None:
    copy = bench.folder / "mine.py"
    copy.write_bytes(BENCH.read_bytes())
    bench.text = bench.text.replace(str(BENCH), "./mine.py")
    before = ids(bench)
    assert ids(bench) == before
    copy.write_text(copy.read_text().replace("10, self.brightest", "20, self.brightest"))
    assert ids(bench) != before


def test_two_files_may_use_the_same_names_in_one_process(bench: Any) -> None:
    copy = bench.folder / "mine.py"
    copy.write_text(BENCH.read_text().replace("10, self.brightest", "30, self.brightest"))
    here, there = bench.text, bench.text.replace(str(BENCH), "./mine.py")
    found = []
    for bench.text in (here, there, here):
        experiment = bench.load()
        found.append(experiment.resolve(experiment.cells[0]).source.samples()[0].image.max())
    assert found == [10, 30, 10]


def test_a_nested_name_stands_for_what_the_file_at_hand_says(bench: Any) -> None:
    """The component around it is the same class with the same settings in both files."""
    (bench.folder / "mine.py").write_text(
        "from dataclasses import dataclass\nimport semcore\nfrom semcore.plugins import registry\n"
        "\n"
        "@semcore.register('codec', 'word')\n@dataclass(frozen=True)\n"
        "class Mine(registry.load('codec', 'word')):\n    'Another.'\n"
    )
    experiment = bench.load("encoder.codec=word")
    before = experiment.resolve(experiment.cells[0]).pipeline.encoder.codec
    bench.text = bench.text.replace("bench.py]", "bench.py, ./mine.py]")
    experiment = bench.load("encoder.codec=word")
    assert (
        type(experiment.resolve(experiment.cells[0]).pipeline.encoder.codec).__name__
        == "Mine"
        != type(before).__name__
    )


def test_another_picture_is_another_cell(bench: Any) -> None:
    """The settings are the same; what the source gives is not."""
    plugin = bench.folder / "mine.py"
    grey = bench.folder / "grey"
    plugin.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "from pathlib import Path\n"
        "import numpy as np\nimport semcore\n\n@semcore.register('source', 'one')\n"
        "@dataclass(frozen=True)\n"
        "class One(semcore.Source):\n    def samples(self):\n"
        f"        grey = int(Path({str(grey)!r}).read_text())\n"
        "        return [semcore.Sample('a', image=np.full((8, 8, 3), grey, np.uint8))]\n"
    )
    bench.text = bench.text.replace("greys, limit: 3", "one").replace(
        "bench.py]", "bench.py, ./mine.py]"
    )
    found = []
    for value in (3, 3, 4):
        from semcore.runs import sources

        sources._loaded.clear()
        grey.write_text(str(value))
        found.append(ids(bench))
    assert found[0] == found[1] != found[2]


# -------------------------------------------------------------------------- paths and hostile input


def test_set_path_changes_a_copy() -> None:
    values = {"a": {"b": [1, {"c": 2}]}, "d": "name"}
    changed = set_path(values, "a.b.1.c", 3)
    assert changed == {"a": {"b": [1, {"c": 3}]}, "d": "name"}
    assert values == {"a": {"b": [1, {"c": 2}]}, "d": "name"}
    assert set_path(values, "d.x", 1)["d"] == {"use": "name", "x": 1}
    assert set_path(values, "e.f.g", 1)["e"] == {"f": {"g": 1}}
    for path, place in {
        "a.b.2": "a.b.2",
        "a.b.1.c.d": "a.b.1.c",
        "a.b.x.y": "a.b.x",
        "a.b.x": "a.b.x",
    }.items():
        with pytest.raises(KeyError) as caught:
            set_path(values, path, 1)
        assert caught.value.args[0] == place


PLAIN = st.recursive(
    st.integers() | st.text("abc", max_size=3),
    lambda inner: st.dictionaries(st.text("abc", min_size=1), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.text("abc", min_size=1), PLAIN))
def test_what_flatten_names_set_path_sets(values: dict[str, Any]) -> None:
    built: dict[str, Any] = {}
    for path, value in flatten(values).items():
        built = set_path(built, path, value) if path else built
    assert built == values


@given(st.floats(-1e6, 1e6), st.integers(1, 500), st.floats(1e-3, 1e3), st.booleans())
def test_a_range_reaches_its_end(start: float, count: int, step: float, down: bool) -> None:
    step = -step if down else step
    found = points(f"{start!r}:{start + (count - 1) * step!r}:{step!r}")
    assert found is not None and abs(len(found) - count) <= (abs(start) > 1e3)
    assert found[0] == pytest.approx(start)


@given(st.text(max_size=40))
def test_any_override_is_read_or_refused(text: str) -> None:
    for candidate in (text, f"channel.snr_db={text}"):
        try:
            read_override(candidate)
        except ConfigError as error:
            assert all(problem.where == candidate for problem in error.problems)


EXAMPLE = (
    (Path(__file__).parent / "errors" / "several_in_reading_order.yaml")
    .read_text()
    .replace("../../support/bench.py", str(BENCH))
)
WORDS = re.findall(r"[\w.-]+|[{}\[\]:,\n]| +", EXAMPLE)


@settings(max_examples=200)
@given(st.integers(0, 2**32))
def test_a_mutated_pipeline_is_fine_or_refused(seed: int) -> None:
    """Words swapped, dropped, doubled or replaced: never anything but ConfigError."""
    dice = random.Random(seed)
    words = list(WORDS)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(words))
        other = dice.choice(
            [
                *WORDS,
                "",
                "~",
                "[]",
                "{}",
                "[1, a]",
                "{use: 3}",
                "{use: {use: flat}}",
                "1e400",
                "true",
                "0:1",
            ]
        )
        words[at] = dice.choice([other, words[at] + other, other + words[at]])
    try:
        document = parse("".join(words))
        experiment = describe(document)
        experiment.problems()
    except ConfigError as error:
        assert str(error)


@settings(max_examples=100)
@given(st.sampled_from(["source", "encoder", "transport", "channel", "generator", "selector", "kb",
                        "planner", "scenario", "metrics", "workflow", "workflows", "sweep", "hooks",
                        "name", "seed"]),
       st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)
                    | st.sampled_from(["flat", "noise", "use", "channel.snr_db"]),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["use", "a", "segments", "channel.snr_db"]),
                                      inner),
                    max_leaves=6))  # fmt: skip
def test_any_value_of_any_section_is_fine_or_refused(section: str, value: Any) -> None:
    document = parse(PIPELINE)
    document.values[section] = value
    try:
        describe(document).problems()
    except ConfigError as error:
        assert str(error)
