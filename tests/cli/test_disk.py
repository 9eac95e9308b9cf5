"""A disk that is full, or a folder that may only be read: one line, whichever command it is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcore import storage
from semcore.cli import main
from semcore.entrypoints import naming
from semcore.interfaces import Recipe
from semcore.plugins import registry

from ..support.pipelines import PIPELINE


@dataclass(frozen=True)
class Plain(Recipe):
    """Writes its weights as text."""

    def train(self, out: Path) -> None:
        (out / "model.txt").write_bytes(bytes(10**6))


@dataclass(frozen=True)
class Tensors(Recipe):
    """Writes its weights as safetensors does."""

    def train(self, out: Path) -> None:
        from safetensors.numpy import save_file

        save_file({"w": np.zeros(10**5)}, out / "model.safetensors")


@pytest.fixture
def commands(bench: Any, disk: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Every command that writes something, onto a small disk that holds a run."""
    monkeypatch.setattr(naming, "_local", dict(naming._local))
    registry.register("recipe", "plain")(Plain)
    registry.register("recipe", "tensors")(Tensors)
    bench.run("channel.snr_db=0,3", "planner.use=alternate", out="disk/run")
    (disk / "pipeline.yaml").write_text(PIPELINE)
    run, file = str(disk / "run"), str(bench.path)
    return [
        ["run", file, "--out", str(disk / "other")],
        ["report", run],
        ["play", run, "0", "--write"],
        ["plot", run, "--x", "channel.snr_db", "--y", "grey-error"],
        ["timeline", run, "--y", "grey-error"],
        ["frames", run],
        ["table", run, "--out", str(disk / "t.md")],
        ["cite", run, "--out", str(disk / "c.bib")],
        ["export", run, "--to", "csv", "--out", str(disk / "e.csv")],
        ["export", run, "--to", "parquet"],
        ["merge", run, "-o", str(disk / "merged")],
        ["graph", file, "--out", str(disk / "g.svg")],
        ["schema", "--out", str(disk / "s.json")],
        ["cp", "av_a2v", str(disk)],
        ["new", "channel", "full", "--out", str(disk)],
        ["train", "plain", "--out", str(disk / "w")],
        ["train", "tensors", "--out", str(disk / "v")],
    ]


def check(
    commands: list[list[str]], folder: Path, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in commands:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(command)
        told = capsys.readouterr().err
        assert end.value.code == 2, (command, told)
        assert told.startswith("error: ") and told.count("\n") == 1 and "Traceback" not in told, (
            command,
            told,
        )
        assert reason in told and str(folder) in told, (command, told)


def test_a_full_disk_is_one_line_in_every_command(
    commands: list[list[str]], disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    with (
        open(disk / "ballast", "wb", buffering=0) as file,
        pytest.raises(OSError, match="No space left"),
    ):
        while True:
            file.write(bytes(4096))
    check(commands, disk, "No space left on device", capsys)


@pytest.mark.slow
def test_a_read_only_folder_is_one_line_in_every_command(
    commands: list[list[str]], disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    check(commands, disk, "Read-only file system", capsys)


@pytest.mark.parametrize(
    "command", [["schema"], ["list"], ["graph", "pipeline.yaml"], ["cp"]], ids=" ".join
)
@pytest.mark.default_cases(2)
def test_an_output_that_takes_no_more_is_one_line(bench: Any, command: list[str]) -> None:
    assert bench.path.exists()
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "semcore", *command], stdout=full,
                              stderr=subprocess.PIPE, text=True, cwd=bench.folder,
                              env={**os.environ})  # fmt: skip
    assert (
        done.returncode == 2
        and done.stderr == "error: the output cannot be written: No space left on device\n"
    )


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(bench: Any) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m semcore schema | head -c 10"],
        capture_output=True,
        text=True,
    )
    assert done.stderr == "" and len(done.stdout) == 10


def test_an_output_that_is_a_link_or_a_pipe_stays_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in its place would be the end of /dev/null, which root may replace."""
    target, link, pipe = tmp_path / "folder" / "target.bib", tmp_path / "link", tmp_path / "pipe"
    target.parent.mkdir()
    link.symlink_to(target)
    storage.write_output(link, b"first")
    storage.write_output(link, b"second")
    assert link.is_symlink() and target.read_bytes() == b"second"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        storage.write_output(pipe, b"third")
        assert os.read(reader, 100) == b"third" and stat.S_ISFIFO(os.stat(pipe).st_mode)
    finally:
        os.close(reader)


@pytest.mark.parametrize("command", ["graph", "schema", "cite", "table"])
def test_a_device_is_written_to_and_never_replaced(
    bench: Any, command: str, tmp_path: Path
) -> None:
    device = tmp_path / "full"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 7))
        device.open("wb").close()
    except OSError:
        pytest.skip("making a device takes root")
    bench.run()
    what = (
        [bench.path]
        if command == "graph"
        else []
        if command == "schema"
        else [bench.folder / "out"]
    )
    with pytest.raises(SystemExit) as caught:
        main([command, *map(str, what), "--out", str(device)])
    assert caught.value.code == 2 and stat.S_ISCHR(os.lstat(device).st_mode)
