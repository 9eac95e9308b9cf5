"""Plugins that exit, crash or hang unasked; hooks that fail; names that clash."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from semcore.plugins.hookspecs import hook

from ..support.installed import HEAD

ENDS = {
    "exits": ("import sys; sys.exit(0)", "calls sys.exit(0)"),
    "leaves": ("import os; os._exit(0)", "ends the process with code 0 when it is imported"),
    "crashes": (
        "import ctypes; ctypes.string_at(0)",
        "kills the process by SIGSEGV when it is imported",
    ),
}
PLANNER = (
    HEAD
    + """
@dataclass(frozen=True)
class X(semcore.Planner):
    '''A planner of somebody else.'''

    def plan(self, scenario, memory, simulator):
        {plan}
"""
)


def install_all(site: Any, kinds: tuple[str, ...] = ("channel", "planner")) -> None:
    for name, (text, _) in ENDS.items():
        points = "".join(f"[semcore.{kind}]\n{name} = {name}:X\n" for kind in kinds)
        site.install(name, points, {name: text})


@pytest.mark.slow
def test_a_schema_leaves_out_what_ends_its_process(site: Any, bench: Any) -> None:
    install_all(site)
    assert bench.path.exists()
    for arguments in ((), (bench.path,)):
        done = site("schema", *arguments)
        assert done.returncode == 0
        made = json.loads(done.stdout)
        assert "channel.awgn" in made["$defs"] and "planner.lookup" in made["$defs"]
        assert ("channel.noise" in made["$defs"]) == bool(arguments)
        for name, (_, reason) in ENDS.items():
            assert f"channel.{name}" not in made["$defs"]
            assert re.search(
                rf"^note: left out: channel '{name}' of {name} 1\.5 .*{re.escape(reason)}",
                done.stderr,
                re.M,
            )


@pytest.mark.slow
def test_each_planner_plans_for_itself(site: Any, bench: Any) -> None:
    install_all(site, ("planner",))
    for name, body in (
        ("leaves-later", "import os; os._exit(0)"),
        ("exits-later", "raise SystemExit(0)"),
    ):
        site.install(name, f"[semcore.planner]\n{name} = {name.replace('-', '_')}:X\n",
                     {name.replace("-", "_"): PLANNER.format(plan=body)})  # fmt: skip
    chosen = (*ENDS, "leaves-later", "exits-later", "fixed")
    done = site("plan", bench.path, "channel.snr_db=3", *(f"--planner={name}" for name in chosen))
    assert "Traceback" not in done.stderr
    for name, (_, reason) in ENDS.items():
        assert re.search(
            rf"^{name}\n  cannot plan here: .*{re.escape(reason)}", done.stdout, re.M
        ), done.stdout + done.stderr
    assert re.search(
        r"^leaves-later\n  cannot plan here: it ends the process with code 0", done.stdout, re.M
    )
    assert re.search(r"^exits-later\n  cannot plan here: ", done.stdout, re.M)
    assert re.search(r"^fixed\b", done.stdout, re.M)


@pytest.mark.slow
def test_a_planner_that_hangs_takes_its_time_and_no_more(site: Any, bench: Any) -> None:
    site.install(
        "hangs",
        "[semcore.planner]\nhangs = hangs:X\n",
        {"hangs": PLANNER.format(plan="while True: pass")},
    )
    done = site("plan", bench.path, "--planner=hangs", "--timeout=2")
    assert (
        done.returncode == 0
        and "cannot plan here: it takes more than 2 s (hangs.py, line" in done.stdout
    )


@pytest.mark.parametrize("name", ["leaves", "crashes"])
@pytest.mark.parametrize("verb", ["check", "show", "run"])
@pytest.mark.default_cases(2)
def test_a_plugin_that_a_command_names_and_that_ends_its_process_is_an_error(
    site: Any, bench: Any, name: str, verb: str
) -> None:
    install_all(site, ("channel",))
    arguments = (
        ["show", f"channel:{name}"]
        if verb == "show"
        else [verb, bench.path, f"channel={{use: {name}}}"]
    )
    done = site(*arguments)
    assert (
        done.returncode == 2 and f"channel '{name}' of {name} 1.5 {ENDS[name][1]}" in done.stderr
    ), done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------- names and metadata


@pytest.mark.slow
def test_a_stranger_that_takes_a_shipped_name_is_to_blame(site: Any, bench: Any) -> None:
    text = (
        HEAD + "@dataclass(frozen=True)\nclass X(semcore.ChannelModel):\n"
        "    def transmit(self, symbols, rng): ..."
    )
    site.install("imposter", "[semcore.channel]\nawgn = imposter:X\n", {"imposter": text})
    told = site("check", bench.path, "channel={use: awgn, snr_db: 3}").stderr
    assert (
        "uninstall imposter, or leave it out by SEMCORE_PLUGINS" in told
        and "one of them" not in told
    )
    done = site("plugins", "doctor")
    assert re.search(
        r"^imposter 1\.5: 1 fault\n  channel 'awgn' is given by semcore-channels [\d.]+, too",
        done.stdout,
        re.M,
    )
    assert (
        re.search(r"^semcore-channels [\d.]+: fine", done.stdout, re.M) and "\n1 of " in done.stdout
    )
    assert (
        "semcore-channels" in done.stdout.splitlines()[-1]
        and "imposter" not in done.stdout.splitlines()[-1]
    )


NOT_UTF8 = b"[semcore.channel]\n\xe9 = a:B\n"


@pytest.mark.parametrize(
    ("content", "commands"),
    [
        (NOT_UTF8, {"run", "list"}),
        *(
            pytest.param(
                one,
                {"check", "run", "table", "plot", "graph", "schema", "list"},
                marks=pytest.mark.slow,
            )
            for one in (NOT_UTF8, b"[other]\nnot an entry point\n", b"\xff\xfe\0")
        ),
    ],
)
@pytest.mark.slow
def test_entry_points_that_cannot_be_read_disturb_no_command(
    site: Any, bench: Any, content: bytes, commands: set[str]
) -> None:
    """Nor by libraries that read every entry point: pydantic, torch, numba, matplotlib."""
    info = site.install("latin", "")
    (info / "entry_points.txt").write_bytes(content)
    run = site.folder / "run"
    for arguments in (
        ["check", bench.path],
        ["run", bench.path, "channel.snr_db=0,3", "--out", run, "--jobs", "2"], ["table", run],
        ["plot", run, "--x", "channel.snr_db", "--y", "grey-error"], ["graph", bench.path],
        ["schema"], ["list"],
    ):  # fmt: skip
        if arguments[0] in commands:
            done = site(*arguments)
            assert done.returncode == 0 and done.stderr == "", (arguments, done.stderr)


# -------------------------------------------------------------------------------------------- hooks


class Fails:
    """A hook plugin each of whose hooks fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    @hook
    def semcore_run_started(self, folder: Path) -> None:
        raise self.error

    @hook
    def semcore_cell_done(self, result: Any) -> None:
        raise self.error

    @hook
    def semcore_stage_done(self, done: Any) -> None:
        raise self.error

    @hook
    def semcore_run_done(self, folder: Path) -> None:
        raise self.error


class Listens:
    def __init__(self) -> None:
        self.cells, self.failed = 0, list[str]()

    @hook
    def semcore_cell_done(self, result: Any) -> None:
        self.cells += 1

    @hook
    def semcore_hook_failed(self, hook: str, reason: str) -> None:
        self.failed.append(f"{hook}: {reason}")


@pytest.mark.parametrize(
    "error", [ValueError("boom"), SystemExit(0), SystemExit("bye"), AssertionError()], ids=repr
)
def test_a_hook_that_fails_ends_nothing(bench: Any, error: BaseException) -> None:
    before, after = Listens(), Listens()
    finished = bench.run("channel.snr_db=0,3", hooks=[before, Fails(error), after])
    assert finished.computed == 2 and all(finished.results) and not finished.failures
    assert before.cells == after.cells == 2
    assert [one.split(":")[0] for one in before.failed] == [
        "semcore_run_started", "semcore_stage_done", "semcore_cell_done", "semcore_run_done",
    ]  # fmt: skip
    assert (
        len(finished.complaints) == 4 and "in semcore_cell_done (2 times)" in finished.complaints[2]
    )
    assert "test_hurting_plugins.py, line" in finished.complaints[0]


def test_ctrl_c_in_a_hook_is_ctrl_c(bench: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.run(hooks=[Fails(KeyboardInterrupt())])


def test_a_hook_that_fails_is_reported_by_the_command(site: Any, bench: Any) -> None:
    text = (
        HEAD + "@hook\ndef semcore_cell_done(result, seconds):\n    import sys\n    sys.exit(0)\n"
    )
    site.install("tracker", "[semcore.hooks]\ntracker = tracker\n", {"tracker": text})
    bench.text += "hooks: [tracker]\n"
    done = site("run", bench.path, "channel.snr_db=0,3", "--no-report", "--out", "out")
    assert (
        done.returncode == 1 and len(list((site.folder / "out").glob("cells/*/result.json"))) == 2
    )
    told = (
        "hook plugin 'tracker' failed in semcore_cell_done (2 times): it calls sys.exit(0) "
        "(tracker.py, line"
    )
    assert told in done.stderr and done.stdout.count("FAILED") == 1
