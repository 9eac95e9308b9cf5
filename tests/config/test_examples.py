"""Examples are in the wheels, and are copied whole; a pipeline is drawn as a file of its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from semcore.config import examples
from semcore.config.configuration import load
from semcore.plugins import packages
from semcore.render.page.graph import graph

from ..support.commands import call

ROOT = Path(__file__).parents[2]
OURS = sorted(path.stem for path in (ROOT / "examples").glob("*.yaml"))


# ----------------------------------------------------------------------------------------------- cp


def test_cp_lists_every_example_with_a_line(capsys: Any) -> None:
    assert call("cp") == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} >= set(OURS)
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize(
    "name", ["conventional_jpeg", "conventional_jpeg.yaml", "conventional-jpeg"]
)
def test_cp_copies_and_never_overwrites(
    tmp_path: Path, monkeypatch: Any, capsys: Any, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("cp", name) == 0 and capsys.readouterr().out == "conventional_jpeg.yaml\n"
    assert (tmp_path / "conventional_jpeg.yaml").read_bytes() == (
        ROOT / "examples" / "conventional_jpeg.yaml"
    ).read_bytes()
    (tmp_path / "conventional_jpeg.yaml").write_text("mine")
    assert call("cp", name) == 2
    assert capsys.readouterr().err == (
        "error: conventional_jpeg.yaml would be overwritten; name another place: semcore cp "
        "conventional_jpeg FOLDER\n"
    )
    assert (tmp_path / "conventional_jpeg.yaml").read_text() == "mine"
    assert call("cp", name, "new/folder") == 0 and call("cp", name, "named.yaml") == 0
    assert (
        load(tmp_path / "named.yaml").cells
        and (tmp_path / "new/folder/conventional_jpeg.yaml").is_file()
    )


def test_cp_suggests_what_may_have_been_meant(capsys: Any) -> None:
    assert call("cp", "llm_imag_uma") == 2
    assert capsys.readouterr().err == (
        "error: no installed package ships an example 'llm_imag_uma'; did you mean "
        "'llm_image_uma'?\n"
    )


def test_a_plugin_ships_examples_and_the_files_that_they_name(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    folder = tmp_path / "theirs" / "examples"
    folder.mkdir(parents=True)
    (folder / "jam.yaml").write_text(
        "# A jammer. It jams.\nsemcore: 1\nplugins: [./jam.py, ../secret.py, ./gone.py]\n"
    )
    (folder / "jam.py").write_text("x = 1\n")
    (folder.parent / "secret.py").write_text("not an example\n")
    (folder.parent / "__init__.py").write_text("")
    source = packages.source_of
    monkeypatch.setattr(
        packages,
        "source_of",
        lambda m: folder.parent / "__init__.py" if m == "semcore_video" else source(m),
    )
    assert call("cp") == 0
    assert "jam " in (out := capsys.readouterr().out) and "A jammer  (semcore-video)" in out
    assert call("cp", "jam", tmp_path / "mine") == 0
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"jam.yaml", "jam.py"}
    (tmp_path / "mine" / "jam.yaml").unlink()
    assert (
        call("cp", "jam", tmp_path / "mine") == 2
    )  # the file beside it would be overwritten, so nothing is written
    assert not (tmp_path / "mine" / "jam.yaml").exists()


def test_the_wheel_holds_examples_references_and_what_pages_are_made_of(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        tmp_path,
        ROOT,
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("semcore-*.whl")
    with zipfile.ZipFile(wheel) as held:
        names = set(held.namelist())
        assert {f"semcore/examples/{name}.yaml" for name in OURS} <= names
        assert {
            "semcore/references.bib",
            "semcore/render/page/template.html",
            "semcore/render/page/diagram.css",
        } <= names
        held.extractall(tmp_path / "installed")
    code = (
        "from semcore.config import examples; print(*(e.name for e in examples.examples() if "
        "e.package == 'semcore'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "installed",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.split() == OURS, done.stderr


def test_examples_say_what_they_are() -> None:
    for example in examples.examples():
        assert example.summary and "\n" not in example.summary


# -------------------------------------------------------------------------------------------- graph

SVG = "{http://www.w3.org/2000/svg}"
PLANNED = """
semcore: 1
source: {use: samples, limit: 2}
channel: {use: awgn, snr_db: 10}
workflow: words
workflows:
  words: {encoder: {use: mini-caption}, generator: {use: mini-diffusion}}
  pixels: {encoder: {use: bitstream, codec: jpeg}, generator: {use: bitstream, codec: jpeg}}
transport: {use: ldpc}
planner:
  use: lookup
  quantity: channel.snr_db
  table: [{below: 5, set: {workflow: words}}]
  otherwise: {workflow: pixels}
scenario: {segments: [{channel.snr_db: 12}, {channel.snr_db: 3}]}
"""


def words(svg: str) -> set[str]:
    root = ElementTree.fromstring(svg.encode())
    assert root.tag == f"{SVG}svg" and {"width", "height", "viewBox"} <= root.attrib.keys()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for text in root.iter(f"{SVG}text"):
        assert 0 <= float(text.attrib["x"]) <= width and 0 <= float(text.attrib["y"]) <= height
    return {piece.strip() for text in root.iter(f"{SVG}text") for piece in text.itertext()}


@pytest.mark.parametrize("name", OURS)
def test_the_examples_are_drawn_as_files_of_their_own(
    name: str, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(ROOT)
    experiment = load(ROOT / "examples" / f"{name}.yaml")
    svg = graph(experiment)
    said = {
        name for text in words(svg) for name in text.split(" | ")
    }  # a component that is swept stands beside the others
    setups = [experiment.resolve(cell) for cell in experiment.cells]
    for section in ("source", "encoder", "channel", "generator"):
        assert {setup.config[section]["use"] for setup in setups} <= said
    assert set(experiment.axes.get("workflow", ())) <= said and any(
        "◆ swept" in text for text in said
    )
    assert (
        "var(--" not in svg
        and "<script" not in svg
        and "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    )
    assert graph(experiment) == svg


def test_what_a_planner_may_choose_is_drawn_too(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(PLANNED)
    svg = graph(load(path))
    assert {
        "words",
        "pixels",
        "mini-caption",
        "lookup",
        "◇ changes from segment to segment",
    } <= words(svg)


def test_the_verb_draws_under_overrides(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(ROOT)
    example = "examples/conventional_jpeg.yaml"
    assert (
        call(
            "graph",
            example,
            "channel.use=awgn",
            "channel.block_snr_db=",
            "--out",
            tmp_path / "g.svg",
        )
        == 2
    )
    capsys.readouterr()
    assert call("graph", example, "encoder.codec.quality=33", "--out", tmp_path / "g.svg") == 0
    assert "33" in words((tmp_path / "g.svg").read_text())
    capsys.readouterr()
    assert call("graph", example) == 0 and words(capsys.readouterr().out.strip())
    assert call("graph", "nofile.yaml") == 2
    assert (
        capsys.readouterr().err == "nofile.yaml: error: cannot be read: No such file or directory\n"
    )


def test_hostile_settings_are_words(bench: Any) -> None:
    bench.text += "sweep: {encoder.prefix: ['</text><script>', '&amp;', '\"']}\n"
    svg = graph(bench.load())
    assert "<script" not in svg and words(svg)
