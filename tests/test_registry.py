"""Names and what they stand for, with good plugins and bad ones."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import semcore
from semcore import plugins, registry
from semcore.errors import PluginError


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_local", {})


@dataclass(frozen=True)
class Pick(semcore.Selector):
    """Picks one. And more."""

    def select(self, candidates: Any, batch: Any, kb: Any) -> Any:
        return []


def test_what_is_registered_is_found_and_named() -> None:
    assert registry.register("selector", "pick")(Pick) is Pick
    assert registry.load("selector", "pick") is Pick and "pick" in registry.names("selector")
    assert registry.name_of(Pick) == "pick"
    entry = registry.find("selector", "pick")
    assert entry is not None and entry.package == "test_registry.py" and len(entry.version) == 12
    assert plugins.describe(entry) == "Picks one"
    assert registry.find("generator", "pick") is None


def test_a_class_that_is_not_decorated_or_of_another_kind_is_refused() -> None:
    class Bare(Pick):
        """No decorator of its own."""

    with pytest.raises(PluginError, match=r"selector 'bare' \(registered here\) is not a frozen dataclass: put @dataclass"):
        registry.register("selector", "bare")(Bare)
    with pytest.raises(PluginError, match="generator 'pick' .* is not a Generator"):
        registry.register("generator", "pick")(Pick)
    with pytest.raises(PluginError, match="is not a Selector"):
        registry.register("selector", "int")(int)  # type: ignore[arg-type]
    with pytest.raises(PluginError, match="there is no kind 'filter'; kinds are encoder, "):
        registry.register("filter", "pick")
    with pytest.raises(PluginError, match="there is no selector 'pick'; semcore list selector shows"):
        registry.load("selector", "pick")


Site = Callable[..., subprocess.CompletedProcess[str]]

GOOD = '''
"""A plugin."""
from dataclasses import dataclass
import semcore

@dataclass(frozen=True)
class Keep(semcore.Selector):
    """Keeps the first: nothing else."""
    def select(self, candidates, batch, kb):
        return [some.samples[0] for some in candidates]

class Loose:
    """Not a component."""
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Installs packages that are nothing but a folder on the path, and runs the command line beside them."""

    def install(package: str, entry_points: str, **modules: str) -> None:
        info = tmp_path / f"{package}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(textwrap.dedent(entry_points))
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)

    install("good", "[semcore.selector]\nkeep = good:Keep\n", good=GOOD)
    install(
        "bad",
        """
        [semcore.selector]
        crash = crash:Crash
        loose = good:Loose
        gone = good:Gone
        nowhere = no_such_module:X
        unreadable = unreadable:X
        [semcore.hooks]
        broken = crash:hooks
        misspelt = misspelt
        [semcore.command]
        explode = crash:command
        """,
        crash='class Crash:\n    """Crashes on import."""\nraise RuntimeError("libfoo.so.3 is missing")\n',
        unreadable="class X(:\n",
        misspelt="from semcore.hookspecs import hook\n\n@hook\ndef semcore_cel_done(result, seconds):\n    pass\n",
    )
    install("other", "[semcore.selector]\nkeep = good:Keep\n[semcore.channel]\nsilent = silent:Silent\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "semcore", *arguments], capture_output=True, text=True, timeout=120, cwd=tmp_path
        )

    return command


def test_bad_plugins_hurt_neither_list_nor_plugins(site: Site) -> None:
    listed = site("list")
    assert listed.returncode == 0 and listed.stderr == ""
    lines = [line.strip() for line in listed.stdout.splitlines()]
    assert sum(line.startswith("keep ") for line in lines) == 2  # both are shown; neither is imported
    for name in ("crash", "loose", "gone", "nowhere", "unreadable", "silent", "awgn"):
        assert any(line.split() and line.split()[0] == name for line in lines), name
    assert any("Crashes on import" in line for line in lines)
    shown = site("plugins")
    assert shown.returncode == 0 and "bad 1.5" in shown.stdout and "other 1.5" in shown.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "crash",
            "selector 'crash' of bad 1.5 cannot be imported: RuntimeError: libfoo.so.3 is missing; mend or uninstall bad",
        ),
        ("loose", "selector 'loose' (of bad 1.5) is not a Selector"),
        ("gone", "selector 'gone' of bad 1.5 cannot be imported: AttributeError"),
        ("nowhere", "selector 'nowhere' of bad 1.5 cannot be imported: ModuleNotFoundError"),
        ("unreadable", "selector 'unreadable' of bad 1.5 cannot be imported: SyntaxError"),
        ("keep", "selector 'keep' is given by good 1.5 and other 1.5; uninstall one of them"),
    ],
)
def test_a_bad_plugin_is_told_with_package_version_reason_and_mend(site: Site, name: str, message: str) -> None:
    shown = site("show", name)
    assert shown.returncode == 2 and "Traceback" not in shown.stderr
    assert f"error: {message}" in shown.stderr


def test_a_bad_plugin_hurts_no_pipeline_but_its_own(site: Site, bench: Any) -> None:
    assert site("check", str(bench.path)).returncode == 0
    told = site("check", str(bench.path), "selector=crash")
    assert told.returncode == 2 and "selector=crash: error: selector 'crash' of bad 1.5 cannot be imported" in told.stderr
    twice = site("check", str(bench.path), "selector=keep")
    assert twice.returncode == 2 and "is given by good 1.5 and other 1.5" in twice.stderr


def test_hooks_and_verbs_are_isolated(site: Site, bench: Any) -> None:
    assert "explode" in site("--help").stdout
    told = site("explode")
    assert told.returncode == 2 and "the verb 'explode' (crash:command) cannot be imported: libfoo.so.3" in told.stderr
    bench.text += "hooks: [broken]\n"
    told = site("run", str(bench.path))
    assert told.returncode == 2 and "hook plugin 'broken' (crash:hooks) cannot be used: libfoo.so.3" in told.stderr
    bench.text = bench.text.replace("[broken]", "[misspelt]")
    told = site("run", str(bench.path))
    assert told.returncode == 2 and "semcore_cel_done" in told.stderr
    bench.text = bench.text.replace("[misspelt]", "[misspel]")
    told = site("check", str(bench.path))
    assert "there is no hook plugin 'misspel'\n" in told.stderr and "did you mean 'misspelt'?" in told.stderr
