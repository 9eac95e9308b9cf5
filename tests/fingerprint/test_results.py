"""A result is known by the content it was made from: nothing stale, nothing computed in vain."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore.component.digest import digest
from semcore.config import build
from semcore.fingerprint import content
from semcore.runs.results import read_run

GREY = """from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
import numpy as np
import semcore
from helper_beside import LEVEL

@semcore.register("generator", "painter")
@dataclass(frozen=True)
class Painter(semcore.Generator):
    weights: str = "model"

    accepts = {"caption": (semcore.Text,)}

    def generate(self, batch, kb, rng):
        level = int((Path(self.weights) / "level.txt").read_text()) * LEVEL
        image = np.full((8, 8, 3), level, np.uint8)
        samples = [semcore.Sample(one.key, one.user, image=image) for one in batch]
        return [semcore.Candidates((sample,)) for sample in samples]
"""


@pytest.fixture
def painted(bench: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A pipeline whose generator reads its weights from a folder and imports a file beside it."""
    (bench.folder / "painter.py").write_text(GREY)
    (bench.folder / "helper_beside.py").write_text("LEVEL = 1\n")
    (bench.folder / "model").mkdir()
    (bench.folder / "model" / "level.txt").write_text("10")
    monkeypatch.syspath_prepend(str(bench.folder))
    monkeypatch.chdir(bench.folder)
    bench.text = bench.text.replace("bench.py]", "bench.py, ./painter.py]")
    yield bench
    sys.modules.pop("helper_beside", None)


def grey(bench: Any) -> tuple[int, Any]:
    finished = bench.run("generator=painter", "channel.snr_db=40", "source.limit=1")
    assert not finished.failures
    return finished.computed, finished.results[0]["metrics"]["grey-error"]["mean"]


@pytest.mark.parametrize(
    ("file", "text", "computed"),
    [
        ("model/level.txt", "90", 1),
        ("helper_beside.py", "LEVEL = 9\n", 1),
        ("painter.py", GREY.replace(") * LEVEL", ") * LEVEL * 9"), 1),
        ("painter.py", GREY + "# a remark\n", 0),
        ("helper_beside.py", "LEVEL = 1  # one\n", 0),
        ("model/README.md", "a card", 0),
    ],
)
def test_the_same_command_never_gives_old_numbers_and_never_computes_in_vain(
    painted: Any, file: str, text: str, computed: int
) -> None:
    first = grey(painted)
    assert first[0] == 1 and grey(painted) == (0, first[1])
    (painted.folder / file).write_text(text)
    again = grey(painted)
    assert again[0] == computed and (again[1] != first[1]) == bool(computed)
    assert grey(painted) == (0, again[1])


def test_weights_that_change_while_a_cell_is_computed_make_no_result(painted: Any) -> None:
    text = GREY.replace(
        "        level =",
        "        (Path(self.weights) / 'level.txt').write_text('70')\n        level =",
    )
    (painted.folder / "painter.py").write_text(text)
    finished = painted.run("generator=painter", "channel.snr_db=40")
    assert (
        finished.computed == 0
        and "weights or the source has changed since the run began" in finished.failures[0]
    )


def test_a_result_says_what_it_stands_on(painted: Any) -> None:
    finished = painted.run("generator=painter", "channel.snr_db=40")
    result = json.loads(json.dumps(finished.results[0]))
    known = {(one["kind"], one["name"]): one for one in result["components"]}
    assert known["core", "semcore"]["version"] and len(known["core", "semcore"]["source"]) == 12
    painter = known["generator", "painter"]
    assert painter["package"] == "painter.py" and painter["files"] == {
        "weights": content.path_digest("model")
    }
    assert {"torch", "numpy"} <= result["libraries"].keys()
    from semcore.render.page import write_report

    page = write_report(finished.folder).read_text()
    assert painter["source"] in page and painter["files"]["weights"][:12] in page
    assert read_run(finished.folder).results[0]["components"] == result["components"]


def test_diff_names_the_source_that_changed(painted: Any) -> None:
    from semcore.analysis.compare import diff

    painted.run("generator=painter", "channel.snr_db=40", out="one")
    (painted.folder / "helper_beside.py").write_text("LEVEL = 2\n")
    painted.run("generator=painter", "channel.snr_db=40", out="two")
    found = diff(painted.folder / "one", painted.folder / "two").settings
    assert "made by generator painter" in found and not [
        name for name in found if name.startswith("library")
    ]


def test_a_component_counts_with_the_files_that_its_settings_name(tmp_path: Path) -> None:
    from semcore_video.metrics.syncnet import LSED

    (tmp_path / "net.safetensors").write_bytes(b"1")
    found = digest(LSED(str(tmp_path / "net.safetensors")))
    (tmp_path / "net.safetensors").write_bytes(b"2")
    assert digest(LSED(str(tmp_path / "net.safetensors"))) != found
    assert build.component("metric", {"use": "lse-d", "weights": "/nowhere"}, "x")


def test_a_library_that_was_upgraded_is_another_one(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    assert (
        bench.run("channel.snr_db=40").computed == 1
        and bench.run("channel.snr_db=40").computed == 0
    )
    version = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "99.0" if name == "numpy" else version(name)
    )
    finished = bench.run("channel.snr_db=40")
    assert finished.computed == 1 and finished.results[0]["libraries"]["numpy"] == "99.0"
