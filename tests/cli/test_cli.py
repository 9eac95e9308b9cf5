"""The command line as a user meets it: what it prints, what it returns, and never a traceback."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from semcore.cli import COMMANDS, main
from semcore.entrypoints import naming
from semcore.plugins import packages


class Shell:
    """Calls the command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        return int(caught.value.code or 0), out, err


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(capsys)


INSTALLED = [entry for kind in naming.KINDS for entry in naming.installed(kind)]


def test_help_names_every_verb_with_a_line(shell: Shell) -> None:
    code, out, _ = shell("--help")
    assert code == 0
    for command, (_, line) in COMMANDS.items():
        assert re.search(rf"^  {command}\s+{re.escape(line)}$", out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_verb_has_help(shell: Shell, command: str) -> None:
    code, out, _ = shell(command, "--help")
    assert code == 0 and out.startswith("Usage:")


def test_version(shell: Shell) -> None:
    assert re.fullmatch(r".*\d+\.\d+\.\d+\n", shell("--version")[1])


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: f"{entry.kind}:{entry.name}")
def test_list_has_a_sentence_for_every_component(entry: naming.PluginEntry) -> None:
    said = packages.describe(entry)
    assert said and "\n" not in said and len(said) < 120


def test_list_shows_kinds_and_one_kind(shell: Shell) -> None:
    code, out, _ = shell("list")
    assert code == 0 and {"encoder", "channel", "metric"} <= set(out.splitlines())
    code, out, _ = shell("list", "metric")
    assert code == 0 and out.startswith("metric\n") and "  psnr" in out and "channel\n" not in out
    code, _, err = shell("list", "chanel")
    assert code == 2 and err == "error: there is no kind 'chanel'; did you mean 'channel'?\n"


def test_output_is_plain_when_it_is_no_terminal() -> None:
    from semcore.cli import cli

    for arguments in (["list"], ["plugins"], ["show", "psnr"]):
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 0 and "\x1b" not in result.output


@pytest.mark.parametrize("entry", INSTALLED, ids=lambda entry: f"{entry.kind}:{entry.name}")
def test_show_works_for_every_component(shell: Shell, entry: naming.PluginEntry) -> None:
    code, out, err = shell("show", f"{entry.kind}:{entry.name}")
    assert code == 0, err
    assert out.startswith(f"{entry.name}  ({entry.kind} of {entry.package} {entry.version})")
    assert not re.search(r"<class '|typing\.|Annotated|ClassVar|NoneType|MISSING", out)
    assert entry.name in shell("show", entry.name)[1]


def test_show_suggests_what_may_have_been_meant(shell: Shell) -> None:
    assert shell("show", "psrn")[::2] == (
        2,
        "error: nothing installed is called 'psrn'; did you mean 'psnr'?\n",
    )
    assert shell("show", "channel:psnr")[0] == 2
    assert shell("show", "chanel:psnr")[0] == 2


def test_plugins_names_packages_and_what_they_bring(shell: Shell) -> None:
    code, out, _ = shell("plugins")
    assert code == 0 and re.search(r"^semcore \d", out, re.MULTILINE) and "psnr" in out


def test_models_lists_what_is_shipped(shell: Shell) -> None:
    assert shell("models")[0] == 0


# ---------------------------------------------------------------------------------------- pipelines


def test_check_says_what_a_run_would_do(shell: Shell, bench: Any) -> None:
    assert shell("check", bench.path)[:2] == (0, f"{bench.path}: fine, 1 cell\n")
    code, out, _ = shell("check", bench.path, "channel.snr_db=0,3")
    assert (code, out) == (0, f"{bench.path}: fine, 2 cells\n  channel.snr_db: 0, 3\n")


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_is_no_pipeline_is_told_in_a_line(shell: Shell, command: str, tmp_path: Path) -> None:
    assert shell(command, "nofile.yaml")[::2] == (
        2,
        "nofile.yaml: error: cannot be read: No such file or directory\n",
    )
    assert shell(command, ".")[::2] == (2, ".: error: is a directory, not a pipeline file\n")
    (tmp_path / "a.yaml").write_text("semcore: [1\n")
    code, _, err = shell(command, "a.yaml")
    assert code == 2 and err.startswith("a.yaml:1:10: error: not valid YAML")


def test_problems_go_to_the_error_stream_with_code_2(shell: Shell, bench: Any) -> None:
    code, out, err = shell("run", bench.path, "channel.snr_bd=3")
    assert (code, out) == (2, "")
    assert (
        err == "channel.snr_bd=3: error: channel 'noise' has no setting 'snr_bd'\n"
        "    hint: did you mean 'snr_db'?\n"
    )
    assert not (bench.folder / "runs").exists()


def test_run_prints_a_line_a_cell_and_a_table_and_says_when_nothing_is_left(
    shell: Shell, bench: Any
) -> None:
    command = ("run", bench.path, "channel.snr_db=0,40", "--no-report")
    code, out, _ = shell(*command)
    assert code == 0 and "\x1b" not in out
    assert out.startswith("runs/bench: 2 cells\n[1/2] snr_db=0  grey-error ")
    assert "grey-error [grey]" in out and "95 % interval" in out
    code, out, _ = shell(*command)
    assert code == 0 and out.startswith("runs/bench: 2 cells, 2 known\n")
    last = out[
        out.index("Nothing to do: all 2 cells were found done in runs/bench/cells") :
    ].splitlines()
    assert re.search(r"bench.py \w{12} \(source \w{12}\)", last[1]) and re.search(
        r"semcore \S+ \(source \w{12}\)", last[1]
    )
    assert (
        "torch " in last[2]
        and last[-1].startswith("To compute again, add --again;")
        and "--out" in last[-1]
    )
    before = bench.results("runs/bench")
    code, out, _ = shell(*command, "--again")
    assert (
        code == 0
        and out.startswith("runs/bench: 2 cells\n")
        and "Nothing" not in out
        and bench.results("runs/bench") == before
    )


def test_run_options_change_what_they_say(shell: Shell, bench: Any) -> None:
    from semcore.runs.results import read_run

    code, _, _ = shell(
        "run", bench.path, "--limit", "2", "--seed", "9", "--out", "elsewhere", "--no-report"
    )
    (result,) = read_run(bench.folder / "elsewhere").results
    assert (
        code == 0
        and result["n"] == 2
        and result["config"]["seed"] == 9
        and not (bench.folder / "runs").exists()
    )
    for wrong in (("--limit", "0"), ("--jobs", "0"), ("--seed", "-1"), ("--seed", "x")):
        code, _, err = shell("run", bench.path, *wrong)
        assert code == 2 and f"'{wrong[0]}'" in err


def test_a_dry_run_computes_nothing_and_knows_what_is_done(shell: Shell, bench: Any) -> None:
    assert (
        shell("run", bench.path, "channel.snr_db=0,3", "--dry-run")[1]
        == "pending  snr_db=0\npending  snr_db=3\n"
    )
    assert not (bench.folder / "runs").exists()
    shell("run", bench.path, "channel.snr_db=0", "--no-report")
    assert (
        shell("run", bench.path, "channel.snr_db=0,3", "--dry-run")[1]
        == "done     snr_db=0\npending  snr_db=3\n"
    )


def test_a_failed_cell_makes_code_1(shell: Shell, bench: Any) -> None:
    code, out, err = shell(
        "run", bench.path, "channel.crash_db=3", "channel.snr_db=0,3", "--no-report"
    )
    assert code == 1 and "snr_db=3  FAILED: FloatingPointError: the amplifier burnt" in out
    assert err.startswith(
        "error: a cell failed: snr_db=3: FloatingPointError: the amplifier burnt\n"
    )
    assert "failure.json" in err


def test_a_folder_that_cannot_be_written_is_one_line(shell: Shell, bench: Any) -> None:
    (bench.folder / "file").write_text("")
    code, _, err = shell("run", bench.path, "--out", "file/x", "--no-report")
    assert (
        code == 2 and err.count("\n") == 1 and err.startswith("error: file/x cannot be written: ")
    )


def test_report_of_what_is_no_run(shell: Shell, tmp_path: Path) -> None:
    code, _, err = shell("report", tmp_path)
    assert code == 2 and "is not a run" in err
    assert shell("report", tmp_path / "nothing")[0] == 2


def test_play_writes_a_page_of_one_cell(shell: Shell, bench: Any, tmp_path: Path) -> None:
    assert shell("run", bench.path, "--out", "run", "--no-report")[0] == 0
    code, told, _ = shell("play", "run")
    assert code == 0 and told.splitlines()[0].split()[0] == "0"
    name = told.splitlines()[0].split()[1]
    code, out, _ = shell("play", "run", "0", "--write")
    assert code == 0 and out == "run/cell-0.html\n"
    page = (tmp_path / "run" / "cell-0.html").read_text()
    assert (
        "Gallery" in page
        and page == (tmp_path / shell("play", "run", name, "--write")[1].strip()).read_text()
    )
    code, _, err = shell("play", "run", "99", "--write")
    assert (
        code == 2 and err == "error: no cell is called '99' in run; `semcore play run` lists them\n"
    )


def test_train_runs_a_recipe_and_tells_what_is_wrong(
    shell: Shell, bench: Any, tmp_path: Path
) -> None:
    bench.load()  # registers the recipe `nothing`
    code, out, _ = shell("train", "nothing", "epochs=3", "--out", "weights")
    assert code == 0 and (tmp_path / "weights" / "README.md").read_text().endswith(
        "after 3 epochs\n"
    )
    code, _, err = shell("train", "nothing", "epochz=3")
    assert (
        code == 2
        and "recipe 'nothing' has no setting 'epochz'" in err
        and "did you mean 'epochs'?" in err
    )
    code, _, err = shell("train", "nothing", "epochs=0")
    assert code == 2 and "epochs must be at least 1, not 0" in err
    code, _, err = shell("train", "nothin")
    assert code == 2 and "there is no recipe 'nothin'" in err and "did you mean 'nothing'?" in err
    assert shell("train", "nothing", "epochs")[0] == 2


@pytest.mark.parametrize(
    "arguments", [("frobnicate",), ("check",), ("run", "--frobnicate"), ("show",)]
)
def test_a_wrong_call_is_told_with_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    code, _, err = shell(*arguments)
    assert code == 2 and err.startswith("Usage: ")
