"""A third party's first hour: the page and the README of `new` are followed word for word."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from semcore.cli import COMMANDS, main
from semcore.cli.new import NAME, STARTS, commands, render
from semcore.config.document import parse
from semcore.entrypoints import naming
from semcore.errors import PluginError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "write-a-plugin.md"


@pytest.mark.docs
def test_the_page_grows_a_channel_into_a_published_package(
    tmp_path: Path, fresh: Any, follow: Any
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (ROOT / "semcore").rglob("*.py")}
    follow(PAGE, tmp_path, fresh)
    assert before == {path: path.stat().st_mtime_ns for path in (ROOT / "semcore").rglob("*.py")}
    # What the page says of its channel: a fifth jammed is borne, three fifths are not.
    results = [
        json.loads(path.read_text())
        for path in (tmp_path / "runs" / "jammed").glob("cells/*/result.json")
    ]
    lost = {one["config"]["channel"]["share"]: one["metrics"]["bler"]["mean"] for one in results}
    assert lost == {0: 0.0, 0.2: 0.0, 0.6: 1.0}
    packages = json.loads(
        next((tmp_path / "runs" / "installed").glob("cells/*/result.json")).read_text()
    )["packages"]
    assert packages["semcore-jammed"] == "0.1.0"
    (wheel,) = (tmp_path / "semcore-my-fading" / "dist").glob("*.whl")
    assert "semcore_my_fading/__init__.py" in zipfile.ZipFile(wheel).namelist()
    # What it says of the ten lines.
    done = subprocess.run(
        [sys.executable, "-m", "semcore", "conform", "jammed.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    broken = [
        " ".join(line.split()) for line in done.stdout.splitlines() if line.startswith("  broken")
    ]
    assert done.returncode == 1 and broken == [
        "broken documents-every-field its class has no docstring"
    ]


def test_the_page_is_as_short_as_it_says(blocks: Any) -> None:
    files = {name: text for _, name, text in blocks(PAGE) if name}
    assert len([line for line in files["jammed.py"].splitlines() if line.strip()]) <= 10
    package = [
        text
        for name, text in files.items()
        if name.startswith("semcore-jammed/") and "test" not in name
    ]
    assert len(package) == 2 and sum(len(text.splitlines()) for text in package) <= 30


def test_the_page_says_what_each_kind_is() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert list(rows) == list(STARTS)


# -------------------------------------------------------------------------------------- semcore new

QUICK = {"transport"}
"""Kinds that are built every time; `make test-slow` builds all. A channel is built by the page."""


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.docs if kind in QUICK else pytest.mark.slow)
        for kind in STARTS
    ],
)
def test_what_is_written_installs_tests_conforms_and_runs(
    kind: str, tmp_path: Path, fresh: Any, follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["new", kind, "my-own", "--out", str(tmp_path)])
    assert not ended.value.code
    folder = tmp_path / "semcore-my-own"
    if kind == "recipe":
        from semcore.testing.examples import folder as pictures

        (folder / "my_pictures").symlink_to(pictures())
    follow(folder / "README.md", folder, fresh)
    assert (folder / "runs" / "my-own").is_dir() or kind in ("recipe", "command")
    if kind == "hooks":
        lines = (folder / "runs" / "my-own" / "my-own.csv").read_text().splitlines()
        assert lines[0] == "channel.snr_db,psnr,cbr,seconds" and len(lines) == 3
    seen = subprocess.run(
        ["semcore", "plugins", "doctor", "semcore-my-own"],
        env=fresh,
        capture_output=True,
        text=True,
    )
    assert seen.returncode == 0 and re.fullmatch(
        r"semcore-my-own 0.1.0: fine, 1 [\w, ]+, import \d+.\d s\n", seen.stdout
    )


@pytest.mark.parametrize("kind", STARTS)
def test_what_is_written_is_well_written(kind: str) -> None:
    files = render(kind, "my-own")
    assert {
        "pyproject.toml",
        "README.md",
        "semcore_my_own/__init__.py",
        "tests/test_my_own.py",
    } <= files.keys()
    for path, text in files.items():
        assert (
            text.endswith("\n")
            and not text.endswith("\n\n")
            and "{{" not in text
            and "\n\n\n\n" not in text
        )
        assert not [line for line in text.splitlines() if line != line.rstrip()]
        if path.endswith(".py"):
            assert max(map(len, text.splitlines())) <= 100
            ast.parse(text)
        if path.endswith(".yaml"):
            assert parse(text, path).values["semcore"] == 1
    for command in commands(kind, "my-own"):
        assert f"$ {command}\n" in files["README.md"]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("chanel", "x", "there is no kind 'chanel'; did you mean 'channel'?"),
        (
            "channel",
            "My_Fading",
            "single hyphens, at most 40 characters, and no 'semcore-' before it; for example "
            "'my-fading'",
        ),
        ("channel", "MyFading", "for example 'my-fading'"),
        ("channel", "semcore-fading", "for example 'fading'"),
        ("channel", "5g", "for example 'g'"),
        ("channel", "a" * 41, f"for example '{'a' * 40}'"),
        ("channel", "../../etc", "for example 'etc'"),
        ("channel", "a--b", "for example 'a-b'"),
        ("channel", "", "for example 'my-channel'"),
        ("channel", "żółw", "cannot be the name"),
        (
            "channel",
            "true",
            "'true' cannot be the name: in YAML it is not a text; for example 'my-true'",
        ),
        (
            "channel",
            "lambda",
            "'lambda' cannot be the name: it is a Python keyword; for example 'my-lambda'",
        ),
        ("metric", "psnr", "semcore has a metric 'psnr'; for example 'my-psnr'"),
        ("command", "run", "semcore has a command 'run'; for example 'my-run'"),
        ("channel", "image", "a package semcore-image is installed; for example 'my-image'"),
    ],
)
def test_a_name_that_will_not_do_is_refused_with_one_that_will(
    kind: str, name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["new", kind, name, "--out", str(tmp_path)])
    told = capsys.readouterr().err
    assert (
        ended.value.code == 2
        and message in told
        and told.startswith("error: ")
        and told.count("\n") == 1
    )
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "semcore-mine").mkdir()
    (tmp_path / "file").touch()
    for out, message in [
        (".", "exists; choose another name, or another folder"),
        ("file", "Not a directory"),
    ]:
        with pytest.raises(SystemExit) as ended:
            main(["new", "channel", "mine", "--out", str(tmp_path / out)])
        assert ended.value.code == 2 and message in capsys.readouterr().err
    assert not list((tmp_path / "semcore-mine").iterdir())


def test_every_kind_and_no_other_can_be_written() -> None:
    assert set(STARTS) == {*naming.KINDS, "hooks", "command"}
    assert all(NAME.fullmatch(kind) for kind in STARTS) and "new" in COMMANDS and PluginError


def test_the_templates_are_in_the_wheel(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    done = subprocess.run(
        [*command, "-w", str(tmp_path), str(ROOT)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("semcore-*.whl")
    shipped = {
        name.rpartition("/")[2]
        for name in zipfile.ZipFile(wheel).namelist()
        if "/templates/" in name
    }
    assert (
        shipped == {path.name for path in (ROOT / "semcore" / "cli" / "templates").iterdir()}
        and len(shipped) > 20
    )
