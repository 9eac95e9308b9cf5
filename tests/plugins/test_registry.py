"""Names and what they stand for, with good plugins and bad ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

import semcore
from semcore.entrypoints import naming
from semcore.errors import PluginError
from semcore.plugins import packages as plugins
from semcore.plugins import registry


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "_local", {})


@dataclass(frozen=True)
class Pick(semcore.Selector):
    """Picks one. And more."""

    def select(self, candidates: Any, batch: Any, kb: Any) -> Any:
        return []


def test_what_is_registered_is_found_and_named() -> None:
    assert registry.register("selector", "pick")(Pick) is Pick
    assert registry.load("selector", "pick") is Pick and "pick" in naming.names("selector")
    assert naming.name_of(Pick) == "pick"
    entry = naming.find("selector", "pick")
    assert entry is not None and entry.package == "test_registry.py" and len(entry.version) == 12
    assert plugins.describe(entry) == "Picks one"
    assert naming.find("generator", "pick") is None


def test_a_class_that_is_not_decorated_or_of_another_kind_is_refused() -> None:
    class Bare(Pick):
        """No decorator of its own."""

    with pytest.raises(
        PluginError,
        match=r"selector 'bare' \(registered here\) is not a frozen dataclass: put @dataclass",
    ):
        registry.register("selector", "bare")(Bare)
    with pytest.raises(PluginError, match="generator 'pick' .* is not a Generator"):
        registry.register("generator", "pick")(Pick)
    with pytest.raises(PluginError, match="is not a Selector"):
        registry.register("selector", "int")(int)  # type: ignore[arg-type]
    with pytest.raises(PluginError, match="there is no kind 'filter'; kinds are encoder, "):
        registry.register("filter", "pick")
    with pytest.raises(
        PluginError, match="there is no selector 'pick'; semcore list selector shows"
    ):
        registry.load("selector", "pick")


GOOD = '''
from dataclasses import dataclass
import semcore

@dataclass(frozen=True)
class Keep(semcore.Selector):
    """Keeps the first: nothing else."""
    def select(self, candidates, batch, kb):
        return [some.samples[0] for some in candidates]

@dataclass(frozen=True)
class Half(semcore.Selector):
    """Defines nothing."""

@dataclass(frozen=True)
class Turned(Keep):
    """Takes its arguments in another order."""
    def select(self, batch, candidates, kb):
        return []

@dataclass(frozen=True)
class Greedy(Keep):
    """Wants one more argument."""
    def select(self, candidates, batch, kb, more):
        return []

@dataclass(frozen=True)
class Generous(Keep):
    """Offers one more argument."""
    def select(self, candidates, batch, kb, more=None):
        return super().select(candidates, batch, kb)

@dataclass(frozen=True)
class Static(Keep):
    """Needs no instance."""
    @staticmethod
    def select(candidates, batch, kb):
        return []

class Loose:
    """Not a component."""
'''


@pytest.fixture
def packages(site: Any) -> Any:
    """A good package, one that gives the same name, and a bad one."""
    names = ("half", "turned", "greedy", "generous", "static")
    more = "".join(f"{name} = good:{name.title()}\n" for name in names)
    site.install("good", f"[semcore.selector]\nkeep = good:Keep\n{more}", {"good": GOOD})
    site.install("other", "[semcore.selector]\nkeep = good:Keep\n")
    site.install(
        "bad",
        """
        [semcore.selector]
        crash = crash:Crash
        loose = good:Loose
        gone = good:Gone
        nowhere = no_such_module:X
        below = good.no_such_module:X
        unreadable = unreadable:X
        garbage = what is this?
        lacking = lacking:X
        [semcore.hooks]
        broken = crash:hooks
        [semcore.command]
        explode = crash:command
        number = good:Keep
        list = good:Keep
        """,
        {
            "crash": 'class Crash:\n    """Crashes on import."""\n'
            'raise RuntimeError("libfoo.so.3\\nis missing")\n',
            "unreadable": "class X(:\n",
            "lacking": "import no_such_library.part\n",
        },
    )
    return site


def test_bad_plugins_hurt_neither_list_nor_plugins(packages: Any) -> None:
    listed = packages("list")
    assert listed.returncode == 0 and listed.stderr == ""
    lines = [line.strip() for line in listed.stdout.splitlines()]
    assert [
        line.split() for line in lines if line.startswith("keep ")
    ] == [  # both are shown; neither is imported
        ["keep", "Keeps", "the", "first", "[good", "1.5]"],
        ["keep", "Keeps", "the", "first", "[other", "1.5]"],
    ]
    for name in ("crash", "loose", "gone", "nowhere", "unreadable", "garbage", "psnr"):
        assert any(line.split() and line.split()[0] == name for line in lines), name
    assert any("Crashes on import" in line for line in lines)
    shown = packages("plugins")
    assert shown.returncode == 0 and "bad 1.5" in shown.stdout and "other 1.5" in shown.stdout


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "crash",
            "of bad 1.5 cannot be imported: RuntimeError: libfoo.so.3 is missing; fix or uninstall "
            "bad",
        ),
        ("loose", "of bad 1.5 is not a Selector; fix or uninstall bad"),
        ("gone", "of bad 1.5 is not there: good has no 'Gone'; fix or uninstall bad"),
        (
            "nowhere",
            "of bad 1.5 cannot be imported: there is no module 'no_such_module', its files are "
            "gone; "
            "reinstall or uninstall bad",
        ),
        (
            "below",
            "of bad 1.5 cannot be imported: there is no module 'good.no_such_module', its files "
            "are gone; reinstall",
        ),
        ("unreadable", "of bad 1.5 cannot be imported: SyntaxError: "),
        (
            "garbage",
            "of bad 1.5 has the entry point 'what is this?', which is not written as "
            "`module:Class`; fix or",
        ),
        (
            "lacking",
            "of bad 1.5 cannot be imported: it needs the module 'no_such_library', which is not "
            "installed; "
            "pip install no_such_library, which bad should have among its dependencies",
        ),
        (
            "keep",
            "is given by good 1.5 and other 1.5; uninstall one of them, or leave it out by "
            "SEMCORE_PLUGINS",
        ),
        (
            "half",
            "of good 1.5 does not define select(candidates, batch, kb); fix or uninstall good",
        ),
        (
            "turned",
            "of good 1.5 takes select(batch, candidates, kb), where the interface has "
            "select(candidates, batch, kb)",
        ),
        (
            "greedy",
            "of good 1.5 takes select(candidates, batch, kb, more), where the interface has "
            "select(candidates, batch, kb)",
        ),
    ],
)
@pytest.mark.default_cases(4)
def test_a_bad_plugin_is_told_with_package_version_reason_and_mend(
    packages: Any, name: str, message: str
) -> None:
    shown = packages("show", name)
    assert shown.returncode == 2 and "Traceback" not in shown.stderr
    assert f"error: selector {name!r} {message}" in shown.stderr


@pytest.mark.parametrize("name", ["generous", "static"])
def test_what_can_be_called_as_the_interface_has_it_is_taken(packages: Any, name: str) -> None:
    assert packages("show", name).returncode == 0


def test_a_bad_plugin_hurts_no_pipeline_but_its_own(packages: Any, bench: Any) -> None:
    told = packages("check", bench.path, "selector=crash")
    assert (
        told.returncode == 2
        and "selector=crash: error: selector 'crash' of bad 1.5 cannot be imported" in told.stderr
    )
    twice = packages("check", bench.path, "selector=keep")
    assert twice.returncode == 2 and "is given by good 1.5 and other 1.5" in twice.stderr


@pytest.mark.slow
def test_verbs_are_isolated(packages: Any) -> None:
    packages.install("more", "[semcore.command]\nexplode = good:Keep\nnew-verb = good:Keep\n")
    helped = packages("--help")
    assert helped.returncode == 0
    told = dict(
        line.split(maxsplit=1)
        for line in helped.stdout.split("Commands of plugins:\n")[1].splitlines()
    )
    ours = {"kb": "semcore-video", "link-budget": "semcore-channels", "memory": "semcore-llm"}
    assert told == ours | {"explode": "bad and more", "new-verb": "more", "number": "bad"}
    assert "command 'explode' is given by bad 1.5 and more 1.5" in packages("explode").stderr
    told = packages("explode", SEMCORE_PLUGINS="bad")
    assert (
        told.returncode == 2
        and "command 'explode' of bad 1.5 cannot be imported: RuntimeError: libfoo" in told.stderr
    )
    told = packages("number")
    assert (
        told.returncode == 2
        and "command 'number' of bad 1.5 is not a click command but a ABCMeta" in told.stderr
    )
    assert packages("list", "selector").returncode == 0  # ours goes before theirs


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "@hook\ndef semcore_cel_done(result, seconds): ...",
            "has 'semcore_cel_done', which is not a hook; did you mean",
        ),
        (
            "@hook\ndef cell_done(result, seconds): ...",
            "has 'cell_done', which is not a hook; did you mean 'semcore_cell_done'",
        ),
        (
            "def semcore_cell_done(result): ...",
            "has 'semcore_cell_done' without @semcore.hook above it",
        ),
        (
            "@hook\ndef semcore_cell_done(result, secs): ...",
            "Argument(s) {'secs'} are declared in the hookimpl but can not be",
        ),
        ("x = 5", "has no hook; hooks are semcore_run_started, "),
        (
            "import semcore as semcore_, sys; sys.exit()",
            "cannot be imported: it calls sys.exit(None); fix or uninstall h",
        ),
    ],
)
@pytest.mark.default_cases(2)
def test_a_hook_plugin_that_would_hear_nothing_is_refused(
    site: Any, bench: Any, text: str, message: str
) -> None:
    site.install(
        "h",
        "[semcore.hooks]\nh = h\n",
        {"h": f"from semcore.plugins.hookspecs import hook\n{text}\n"},
    )
    bench.text += "hooks: [h]\n"
    told = site("run", bench.path)
    assert (
        told.returncode == 2
        and "error: hook plugin 'h' of h 1.5 " in told.stderr
        and message in told.stderr
    )


@pytest.mark.slow
def test_hooks_are_a_module_an_object_or_a_class(site: Any, bench: Any) -> None:
    site.install(
        "h",
        "[semcore.hooks]\nmodule = h\nclass = h:Class\nobject = h:there\n",
        {
            "h": """
            from semcore.plugins.hookspecs import hook

            class Class:
                @hook
                def semcore_run_done(self, folder):
                    print("heard by", type(self).__name__)

            class Other(Class):
                pass

            there = Other()

            @hook
            def semcore_run_done():
                print("heard by a module")
            """
        },
    )
    bench.text += "hooks: [module, class, object]\n"
    done = site("run", bench.path, "--no-report")
    assert done.returncode == 0
    assert {"heard by a module", "heard by Class", "heard by Other"} <= set(
        done.stdout.splitlines()
    )
    bench.text = bench.text.replace("[module", "[modul")
    told = site("check", bench.path)
    assert (
        "there is no hook plugin 'modul'\n" in told.stderr
        and "did you mean 'module'?" in told.stderr
    )
