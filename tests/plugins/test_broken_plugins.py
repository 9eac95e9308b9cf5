"""Each way in which a plugin can be broken, all installed at once, and the doctor's findings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from ..support.installed import HEAD


@dataclass(frozen=True)
class Broken:
    """A package that is broken.

    Fields:
        module: its module, called as the package
        told: what the doctor says of it, below its name; `*` is any text within a line
        target: its entry point, in the group of channels if no group is named
        options: of the doctor
    """

    module: str
    told: str
    target: str = "semcore.channel] NAME = NAME:X"
    metadata: str = ""
    options: tuple[str, ...] = ()


DEFINITION = "\nclass X:\n    '''Never seen.'''\n"

BROKEN = {
    "raises": Broken(
        "raise RuntimeError('libfoo.so.3 is missing')",
        "channel 'raises' cannot be imported: RuntimeError: libfoo.so.3 is missing\n"
        " hint: fix or uninstall raises",
    ),
    "syntax-error": Broken(
        "class X(:",
        "channel 'syntax-error' cannot be imported: SyntaxError: * (syntax_error.py, line 1)\n"
        " hint: fix or uninstall syntax-error",
    ),
    "sys-exit": Broken(
        "import sys; sys.exit(3)",
        "channel 'sys-exit' cannot be imported: it calls sys.exit(3)\n"
        " hint: fix or uninstall sys-exit",
    ),
    "os-exit": Broken(
        "import os; print('licence expired', flush=True); os._exit(0)",
        "channel 'os-exit' ends the process with code 0 when it is imported; it says 'licence "
        "expired'\n"
        " hint: fix or uninstall os-exit",
    ),
    "segfault": Broken(
        "import ctypes\nctypes.string_at(0)",
        "channel 'segfault' kills the process by SIGSEGV when it is imported (segfault.py, line "
        "2)\n"
        " hint: fix or uninstall segfault",
    ),
    "endless-loop": Broken(
        "while True: pass",
        "channel 'endless-loop' takes more than 2 s when it is imported*\n"
        " hint: fix or uninstall endless-loop",
        options=("--timeout", "2"),
    ),
    "memory-hog": Broken(
        "blocks = []\nwhile True: blocks.append(b'x' * 10**7)",
        "channel 'memory-hog' needs more than 300 MB of memory when it is imported (memory_hog.py, "
        "line 2)\n"
        " hint: fix or uninstall memory-hog",
        options=("--memory-mb", "300"),
    ),
    "missing-dependency": Broken(
        "import no_such_library.deep",
        "the package needs no-such-library>=2, which is not installed\n"
        " hint: pip install 'no-such-library>=2'\n"
        "channel 'missing-dependency' cannot be imported: it needs the module 'no_such_library', "
        "which is not installed\n"
        " hint: pip install 'no-such-library>=2'",
        metadata="Requires-Dist: no-such-library>=2\nRequires-Dist: never-asked; extra == 'more'\n",
    ),
    "misspelt-hook": Broken(
        HEAD + "@hook\ndef semcore_cel_done(result, seconds): ...",
        "hook plugin 'misspelt-hook' has 'semcore_cel_done', which is not a hook; did you mean "
        "'semcore_cell_done'?\n"
        " hint: fix or uninstall misspelt-hook",
        target="semcore.hooks] NAME = NAME",
    ),
    "name-clash": Broken(
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.Metric):\n"
        "    def measure(self, records): return []",
        "metric 'psnr' is given by semcore 0.1.0, too, so that neither can be used\n"
        " hint: rename it, or uninstall name-clash, or leave it out by SEMCORE_PLUGINS",
        target="semcore.metric] psnr = NAME:X",
    ),
    "wrong-base-class": Broken(
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.Metric):\n"
        "    def measure(self, records): return []",
        "channel 'wrong-base-class' is not a ChannelModel\n"
        " hint: fix or uninstall wrong-base-class",
    ),
    "wrong-version": Broken(
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.ChannelModel):\n"
        "    def transmit(self, symbols, rng): ...",
        "the package needs semcore>=2, and this is semcore 0.1.0\n"
        " hint: upgrade semcore, or install a version of wrong-version that is made for it",
        metadata="Requires-Dist: semcore>=2\n",
    ),
    "stale-metadata": Broken(
        "",
        "channel 'stale-metadata' cannot be imported: there is no module 'stale_metadata', its "
        "files are gone\n"
        " hint: reinstall or uninstall stale-metadata",
    ),
    "missing-method": Broken(
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.ChannelModel):\n    pass",
        "channel 'missing-method' does not define transmit(symbols, rng)\n"
        " hint: fix or uninstall missing-method",
    ),
    "wrong-group": Broken(
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.ChannelModel):\n"
        "    def transmit(self, symbols, rng): ...",
        "channels 'wrong-group' is in the group 'semcore.channels', which semcore does not read\n"
        " hint: did you mean 'semcore.channel'?",
        target="semcore.channels] NAME = NAME:X",
    ),
    "taken-verb": Broken(
        "import click\n@click.command()\ndef X(): ...",
        "command 'run' has the name of a command of semcore, which takes precedence\n"
        " hint: rename it, or uninstall taken-verb",
        target="semcore.command] run = NAME:X",
    ),
}


def install(site: Any, name: str) -> None:
    one, module = BROKEN[name], name.replace("-", "_")
    group, _, point = one.target.partition(" ")
    point = point.replace("NAME =", f"{name} =").replace("NAME", module)
    text = one.module if " X" in one.module or name == "stale-metadata" else one.module + DEFINITION
    site.install(name, f"[{group}\n{point}\n", {module: text} if text else {}, one.metadata)


@pytest.fixture
def crowd(site: Any) -> Any:
    """All of them."""
    for name in BROKEN:
        install(site, name)
    return site


@pytest.mark.parametrize(
    "arguments", [("--help",), ("list",), ("plugins",), ("check",), ("run", "--no-report")]
)
@pytest.mark.default_cases(4)
def test_what_does_not_use_them_goes_on(crowd: Any, bench: Any, arguments: tuple[str, ...]) -> None:
    bench.text = bench.text.replace("[grey-error]", "[grey-error, channel-uses, ssim]")
    done = crowd(*arguments, *([bench.path] if arguments[0] in ("check", "run") else []))
    assert done.returncode == 0 and done.stderr == ""
    seen = [name for name in BROKEN if name in done.stdout]
    if arguments == ("list",):
        hidden = {"wrong-group", "taken-verb"}  # commands are not components
        assert set(seen) == BROKEN.keys() - hidden
        assert re.search(
            r"^  psnr  +\[name-clash 1.5\]\n  psnr  +\w.* \[semcore 0.1.0\]$",
            done.stdout,
            re.MULTILINE,
        )
    if arguments == ("plugins",):
        assert set(seen) == BROKEN.keys() - {"wrong-group"}


@pytest.mark.slow
def test_none_of_them_is_loaded_where_the_environment_names_others(crowd: Any, bench: Any) -> None:
    bench.text = bench.text.replace("[grey-error]", "[grey-error, psnr]")
    clash = crowd("check", bench.path)
    assert (
        clash.returncode == 2
        and "metric 'psnr' is given by name-clash 1.5 and semcore 0.1.0" in clash.stderr
    )
    for chosen in ("", "raises", "Sys_Exit, raises"):
        assert crowd("check", bench.path, SEMCORE_PLUGINS=chosen).returncode == 0
    shown = crowd("plugins", SEMCORE_PLUGINS="Sys_Exit, rises").stdout.splitlines()
    assert [line for line in shown if not line.startswith(" ")][:2] == [
        "semcore 0.1.0",
        "sys-exit 1.5",
    ]
    assert shown[-1] == "SEMCORE_PLUGINS names 'rises', which is not installed"
    told = crowd("check", bench.path, "channel=raises", SEMCORE_PLUGINS="")
    assert "error: there is no channel 'raises'\n" in told.stderr
    assert "hint: raises 1.5 brings it, but SEMCORE_PLUGINS leaves that out\n" in told.stderr
    assert (
        "brings it, but SEMCORE_PLUGINS leaves that out"
        in crowd("show", "raises", SEMCORE_PLUGINS="").stderr
    )
    assert crowd("--help", SEMCORE_PLUGINS="").stdout.count("Commands of plugins") == 0


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.default_cases(5)
def test_the_doctor_names_package_reason_and_mend(site: Any, name: str) -> None:
    install(site, name)
    done = site("plugins", "doctor", name.replace("-", "_").title(), *BROKEN[name].options)
    faults = BROKEN[name].told.count("hint:")
    lines = [f"{name} 1.5: {faults} fault{'s' * (faults > 1)}"]
    lines += [
        f"   {line}" if line.startswith(" ") else f"  {line}"
        for line in BROKEN[name].told.split("\n")
    ]
    lines += ["", "1 of 1 packages: faults. What does not use them runs all the same."]
    expected = ".*".join(re.escape(part) for part in "\n".join(lines).split("*"))
    assert re.match(
        expected + r"\nTo load the others alone: SEMCORE_PLUGINS=[\w,-]*\n\Z", done.stdout
    ), done.stdout
    assert done.returncode == 1 and done.stderr == ""
    assert name not in done.stdout.splitlines()[-1]


def test_the_doctor_goes_on_behind_a_death_and_finds_what_is_fine(site: Any) -> None:
    good = (
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.Selector):\n"
        "    def select(self, candidates, batch, kb): ..."
    )
    points = "[semcore.selector]\na = dies:A\nb = dies:B\nc = fine:X\n[semcore.hooks]\nd = deaf\n"
    site.install("mixed", points, {"dies": "import os; os._exit(9)", "fine": good, "deaf": ""})
    site.install(
        "well",
        "[semcore.selector]\nwell = well:X\n",
        {"well": good + "\nimport sys\nsys.modules['torch'] = sys"},
    )
    done = site("plugins", "doctor", "mixed", "well")
    text = re.sub(r"import \d+\.\d s", "import ? s", done.stdout)
    assert done.returncode == 1
    assert text.startswith(
        "mixed 1.5: 3 faults\n"
        "  selector 'a' ends the process with code 9 when it is imported\n"
        "    hint: fix or uninstall mixed\n"
        "  selector 'b' ends the process with code 9 when it is imported\n"
        "    hint: fix or uninstall mixed\n"
        "  hook plugin 'd' has no hook; hooks are semcore_run_started, semcore_cell_started, "
    )
    assert (
        "\nwell 1.5: fine, 1 component, import ? s\n"
        "  note: well imports torch when it is imported: " in text
    )
    assert "\n1 of 2 packages: faults." in text


def test_a_recipe_may_load_pytorch_when_it_is_imported(site: Any) -> None:
    """Only a training imports it; and it hides nothing of the modules after it."""
    loads = "import sys\nsys.modules['torch'] = sys\n"
    recipe = (
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.Recipe):\n    def train(self, out): ...\n"
    )
    selector = (
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.Selector):\n"
        "    def select(self, candidates, batch, kb): ...\n"
    )
    recipes = "[semcore.recipe]\na = lesson:X\n"
    site.install("school", recipes, {"lesson": recipe + loads})
    assert "note" not in site("plugins", "doctor", "school").stdout
    both = recipes.replace("lesson", "lesson2") + "[semcore.selector]\nb = choice:X\n"
    site.install("both", both, {"lesson2": recipe + loads, "choice": selector + loads})
    assert "note: choice imports torch when it" in site("plugins", "doctor", "both").stdout


def test_the_doctor_knows_no_other_package(site: Any) -> None:
    site.install("well", "[semcore.selector]\nwell = well:X\n")
    told = site("plugins", "doctor", "wel")
    assert told.returncode == 2 and told.stderr.endswith(
        "brings anything to semcore; did you mean 'well'?\n"
    )
    chosen = site("plugins", "doctor", "semcore", SEMCORE_PLUGINS="wel")
    assert chosen.returncode == 0 and chosen.stdout.startswith("semcore 0.1.0: fine, ")


METADATA = {
    "nameless": ("METADATA", b"Metadata-Version: 2.1\n", "METADATA has no Name"),
    "versionless": (
        "METADATA",
        b"Metadata-Version: 2.1\nName: versionless\n",
        "METADATA has no Version",
    ),
    "binary": ("METADATA", b"\xff\xfe\0Name: \xff", "METADATA "),
    "headless": ("METADATA", None, "METADATA "),
    "garbled": (
        "entry_points.txt",
        b"[semcore.channel]\nthis is no entry point\n",
        "entry_points.txt cannot be read: ",
    ),
    "groupless": ("entry_points.txt", b"semcore. = x\n", ""),
    "latin": (
        "entry_points.txt",
        b"[semcore.channel]\n\xe9 = a:B\n",
        "entry_points.txt cannot be read: UnicodeDecodeError",
    ),
    "pointless": (
        "entry_points.txt",
        b"[semcore.channel]\n= :\nx = \ny = ../../etc:passwd\nz = a..b:\n",
        "",
    ),
    "demanding": (
        "METADATA",
        b"Metadata-Version: 2.1\nName: demanding\nVersion: 1\nRequires-Dist: ?!\n",
        "",
    ),
}
"""Metadata that is broken itself: the file, its content, what the doctor says of it."""


def test_broken_metadata_disturbs_nobody(site: Any) -> None:
    for name, (file, content, _) in METADATA.items():
        info = site.install(name, f"[semcore.channel]\n{name} = {name}:X\n")
        (info / file).unlink()
        if content is not None:
            (info / file).write_bytes(content)
    (site.folder / "empty-1.dist-info").mkdir()
    (site.folder / "file-1.dist-info").write_text("not a folder")
    (site.folder / "folder-1.dist-info" / "entry_points.txt").mkdir(parents=True)
    for arguments in (("--help",), ("list",), ("plugins",), ("show", "psnr")):
        done = site(*arguments)
        assert done.returncode == 0 and done.stderr == "", arguments
    told = site("plugins", "doctor", *METADATA.keys() - {"groupless"})
    assert told.returncode == 1 and told.stderr == ""
    for name, (_, _, reason) in METADATA.items():
        if reason:
            assert re.search(
                rf"^{name} [\d.]+: 1 fault\n  the package is not used: {re.escape(reason)}.*\n"
                rf"    hint: reinstall {name}, or delete .*{name}-1.5.dist-info$",
                told.stdout,
                re.MULTILINE,
            ), f"{name}\n{told.stdout}"
    assert re.search(
        r"^demanding 1: 1 fault\n  channel 'demanding' cannot be imported",
        told.stdout,
        re.MULTILINE,
    )
    assert told.stdout.count("which is not written as `module:Class`") == 4


@pytest.mark.slow
def test_two_copies_of_one_package_are_no_clash(site: Any, tmp_path: Any) -> None:
    text = (
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.Selector):\n"
        "    def select(self, candidates, batch, kb): ..."
    )
    site.install("Twice.Made", "[semcore.selector]\ntwice = twice:X\n", {"twice": text})
    copy = type(site)(tmp_path / "copy")
    copy.install("twice_made", "[semcore.selector]\ntwice = gone:X\nmore = gone:X\n", version="1.4")
    path = f"{site.folder}:{copy.folder}"
    assert "(selector of Twice.Made 1.5)" in site("show", "twice", PYTHONPATH=path).stdout
    assert "more" not in site("list", "selector", PYTHONPATH=path).stdout
    seen = site("plugins", "doctor", "twice-made", PYTHONPATH=path)
    assert seen.returncode == 0 and "note: is installed more than once: 1.5 in " in seen.stdout
    site.install("twice_made", "[semcore.selector]\ntwice = twice:X\n", version="1.3")
    seen = site("plugins", "doctor", "twice-made")
    assert (
        seen.returncode == 1
        and "the package has the metadata of 1.3 and 1.5 in one folder\n" in seen.stdout
    )


def test_a_package_for_another_semcore_is_refused_before_it_is_imported(site: Any) -> None:
    text = "raise RuntimeError('it was imported')"
    for wanted, refused in [
        (">=2", True),
        ("<0.1", True),
        ("", False),
        (">=0.1,<9", False),
        (">=2; extra == 'x'", False),
    ]:
        name = f"p{abs(hash(wanted))}"
        site.install(
            name,
            f"[semcore.selector]\n{name} = {name}:X\n",
            {name: text},
            f"Requires-Dist: semcore{wanted}\n",
        )
        told = site("show", name).stderr
        if refused:
            assert (
                f"selector {name!r} of {name} 1.5 needs semcore{wanted}, and this is semcore "
                "0.1.0; upgrade" in told
            )
        else:
            assert "it was imported" in told
