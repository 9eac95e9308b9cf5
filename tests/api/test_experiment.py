"""`semcore.Experiment`: components from Python, and the pipeline file that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import semcore
from semcore import ComponentError, ConfigError
from semcore.component.digest import Digester
from semcore.config.build import component
from semcore.config.configuration import Configuration, checked, load
from semcore.config.document import parse
from semcore.runs import runner

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.yaml"))
IN_BRIEF = ("conventional_jpeg.yaml", "cifar10_codecs.yaml", "llm_image_uma.yaml")
"""Examples of the default suite; `make test-slow` has all."""


def ids(configuration: Configuration) -> list[str]:
    digester = Digester()
    cells = configuration.cells[:2]
    return [runner.resolve(configuration, cell, digester).id for cell in cells]


def made(bench: Any, **changes: Any) -> semcore.Experiment:
    """The pipeline of `bench`, from objects."""
    bench.load()
    parts = {
        "source": component("source", {"use": "greys", "limit": 3}),
        "encoder": component("encoder", "brightness"),
        "transport": component("transport", "qpsk"),
        "channel": component("channel", {"use": "noise", "snr_db": 10}),
        "generator": component("generator", "flat"),
        "metrics": [component("metric", "grey-error")],
        "name": "bench",
    }
    return semcore.Experiment(**{**parts, **changes})


def test_it_gives_the_cells_of_its_file(bench: Any, tmp_path: Path) -> None:
    bench.run("channel.snr_db=0,10", out="command")
    results = made(bench).run({"channel.snr_db": [0, 10]}, out=tmp_path / "python")
    assert bench.results("python") == bench.results("command")
    assert len(results) == 2


def test_its_file_gives_the_same_cells(bench: Any, tmp_path: Path) -> None:
    experiment = made(bench, sweep={"channel.snr_db": [0, 5]}, seed=3)
    (tmp_path / "saved.yaml").write_text(experiment.to_yaml())
    assert ids(load(tmp_path / "saved.yaml")) == ids(
        checked(parse(bench.text), ["channel.snr_db=0,5", "seed=3"])
    )
    again = semcore.Experiment.from_yaml(tmp_path / "saved.yaml")
    assert again.to_yaml() == experiment.to_yaml()
    assert semcore.Experiment.from_yaml(experiment.to_yaml()).to_yaml() == experiment.to_yaml()


def test_a_single_value_of_a_run_is_set_and_values_are_swept(bench: Any, tmp_path: Path) -> None:
    bench.load()
    loud = component("channel", {"use": "noise", "snr_db": 20})
    experiment = made(bench, sweep={"seed": [1, 2]})
    results = experiment.run({"channel": loud, "source.brightest": 200}, out=tmp_path / "set")
    assert [row.get("channel.snr_db") for row in results] == [20, 20]
    assert [row.get("source.brightest") for row in results] == [200, 200]
    results = experiment.run({"channel": [loud, {"use": "noise"}], "seed": 5}, out=tmp_path / "two")
    assert [(row.get("channel.snr_db"), row.get("seed")) for row in results] == [(20, 5), (10, 5)]
    columns = experiment.run({"channel": ["noise", loud]}, out=tmp_path / "names").to_pandas()
    assert [*columns["channel"][:2]] == ["noise", '{"use": "noise", "snr_db": 20.0}']
    with pytest.raises(ConfigError, match="channel.snr_bd"):
        experiment.run({"channel.snr_bd": 3}, out=tmp_path / "wrong")


def test_its_file_is_short(bench: Any) -> None:
    lines = made(bench).to_yaml().splitlines()
    assert [line for line in lines if "bench.py" not in line and "plugins" not in line] == [
        "semcore: 1",
        "name: bench",
        "source:",
        "  use: greys",
        "encoder:",
        "  use: brightness",
        "transport:",
        "  use: qpsk",
        "channel:",
        "  use: noise",
        "generator:",
        "  use: flat",
        "metrics:",
        "- use: grey-error",
    ]


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=() if one in IN_BRIEF else pytest.mark.slow) for one in EXAMPLES],
)
def test_every_example_is_the_same_as_an_experiment(name: str, tmp_path: Path) -> None:
    path = ROOT / "examples" / name
    before = load(path)
    try:
        runner.inputs(before)
    except ConfigError as error:  # pictures of the reader's own
        pytest.skip(str(error))
    text = semcore.Experiment.from_yaml(path).to_yaml()
    after = checked(parse(text, folder=path.parent))
    assert after.axes == before.axes
    assert ids(after) == ids(before)


def test_names_and_mappings_are_components_too(bench: Any, tmp_path: Path) -> None:
    named = made(bench, channel={"use": "noise"}, transport={"caption": "qpsk"}, metrics=["ber"])
    results = named.run(out=tmp_path / "out", limit=1)
    assert results[0].get("transport.caption.use") == "qpsk"


def test_a_class_of_ones_own_needs_no_registration(bench: Any, tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class MySixGLink(semcore.ChannelModel):
        """Adds nothing."""

        def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> semcore.Received:
            return symbols.received(symbols.values, 1e-3)

    results = made(bench, channel=MySixGLink()).run(out=tmp_path / "out")
    assert results[0].get("channel.use") == "my-six-g-link"
    assert results[0].metrics["grey-error"] == 0
    with pytest.raises(ComponentError, match="other processes cannot make MySixGLink"):
        made(bench, channel=MySixGLink()).run(out=tmp_path / "two", jobs=2)


def test_an_installed_name_is_not_taken(bench: Any, tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class PSNR(semcore.Metric):
        """Always the same."""

        def measure(self, records: Sequence[semcore.Record]) -> list[float | None]:
            return [100.0 for _ in records]

    with pytest.raises(ComponentError, match="would be called 'psnr', which semcore has"):
        made(bench, metrics=[PSNR()]).run(out=tmp_path / "out")


def test_problems_are_all_told_at_once(bench: Any) -> None:
    wrong = made(bench, channel={"use": "noise", "snrdb": 1}, metrics=["grey-eror"])
    with pytest.raises(ConfigError) as caught:
        wrong.check()
    assert len(caught.value.problems) == 2
    assert "<bench>:" in caught.value.problems[0].where


def test_a_component_of_a_wrong_kind_is_refused(bench: Any) -> None:
    with pytest.raises(ConfigError, match="there is no encoder 'noise'"):
        made(bench, encoder=component("channel", "noise")).check()
