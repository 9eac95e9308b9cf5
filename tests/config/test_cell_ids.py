"""The id of a cell: whatever its numbers depend on changes it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from semcore.component.digest import Digester
from semcore.entrypoints import naming
from semcore.errors import ConfigError
from semcore.runs.identity import resolve

from ..support.pipelines import BENCH


def test_the_command_line_may_name_the_run(bench: Any) -> None:
    assert bench.load("name=other").name == "other"
    assert ids(bench, "name=other") == ids(bench)
    with pytest.raises(ConfigError, match="cannot name the run's folder"):
        bench.load("name=../up")


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
    found = []
    plain = bench.text
    for name in ("First", "Second"):
        (bench.folder / f"{name}.py").write_text(
            "from dataclasses import dataclass\nimport semcore\n"
            "from semcore.plugins import registry\n\n"
            "@semcore.register('codec', 'mine')\n@dataclass(frozen=True)\n"
            f"class {name}(registry.load('codec', 'word')):\n    'Another.'\n"
        )
        bench.text = plain.replace("bench.py]", f"bench.py, ./{name}.py]")
        experiment = bench.load("encoder.codec=mine")
        found.append(type(experiment.resolve(experiment.cells[0]).pipeline.encoder.codec).__name__)
    assert found == ["First", "Second"]


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
