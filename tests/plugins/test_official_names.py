"""A name that a package of semcore brings leads to that package, installed or not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from semcore.entrypoints import discovery, official

ROOT = Path(__file__).parents[2]


def test_the_table_is_what_the_manifests_say() -> None:
    table = json.loads(official.TABLE.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        groups = project["entry-points"]
        wanted = {group.removeprefix("semcore."): sorted(names) for group, names in groups.items()}
        assert table.pop(project["name"]) == wanted, "`make docs` writes the table"
    assert not table


@pytest.fixture
def core_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "distributions", dict)


@pytest.mark.usefixtures("core_alone")
@pytest.mark.parametrize(
    "kind, name, hint",
    [
        ("channel", "uma", "pip install semcore-channels"),
        ("metric", "bleu", "pip install semcore-llm"),
        ("command", "kb", "pip install semcore-video"),
        ("encoder", "speech", "pip install semcore-video"),
        ("channel", "umma", ""),
        ("source", "uma", ""),
    ],
)
def test_a_name_leads_to_its_package(kind: str, name: str, hint: str) -> None:
    assert discovery.left_out(kind, name) == hint


def test_an_installed_package_is_not_to_be_installed() -> None:
    assert not discovery.left_out("channel", "uma")


def test_check_and_show_name_the_package(tmp_path: Path) -> None:
    """In an environment with the core alone: no metadata of other packages is on the path."""
    (tmp_path / "a.yaml").write_text(
        "semcore: 1\nsource: {use: samples}\nencoder: {use: mini-caption}\ntransport: {use: ldpc}\n"
        "channel: {use: uma}\ngenerator: {use: mini-diffusion}\nmetrics: [psnr]\n"
    )
    code = f"""
import sys
from semcore.entrypoints import discovery
real = discovery.everything()
discovery.everything = lambda: tuple(one for one in real if one.name == "semcore")
from semcore.cli import main
main({"{arguments!r}"})
"""
    for arguments, wanted in (
        (["check", str(tmp_path / "a.yaml")], "there is no channel 'uma'"),
        (["show", "uma"], "nothing installed is called 'uma'; pip install semcore-channels"),
        (["link-budget"], "No such command 'link-budget'; pip install semcore-channels"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code.replace("{arguments!r}", repr(arguments))],
            capture_output=True, text=True, timeout=300,
            env={name: value for name, value in os.environ.items() if name != discovery.VARIABLE},
        )  # fmt: skip
        assert done.returncode == 2 and wanted in done.stderr, done.stderr
        assert "pip install semcore-channels" in done.stderr
