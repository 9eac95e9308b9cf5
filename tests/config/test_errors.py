"""Faulty pipelines: each is refused before any work, with all its problems at their places.

The texts are beside the files in `errors/`; those of files that are made here (bombs, 50 MB, pipes)
are in `errors/made/`. `python tests/config/test_errors.py` prints what refusing each takes;
`--rewrite` writes the texts again, for review.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from semcore.config import hook_plugins
from semcore.config.configuration import load
from semcore.entrypoints import naming
from semcore.errors import ConfigError

HERE = Path(__file__).parent
FAULTY = sorted((HERE / "errors").glob("*.yaml"))
MEGABYTES = 300
SECONDS = 600
"""Far more than the promised two seconds, for a busy machine; what hangs is still caught."""

NAMES = {
    "source": "greys cifar10 image-folder samples sequences",
    "encoder": "brightness bitstream llava-caption mini-caption",
    "transport": "qpsk analogue analog ldpc",
    "channel": "noise bursts awgn rayleigh uma",
    "generator": "flat moving bitstream mini-diffusion stable-diffusion",
    "selector": "last clip-score first",
    "kb": "always psnr static",
    "planner": "alternate fixed lookup",
    "codec": "word hevc jpeg png raw webp",
    "metric": "grey-error odd ber bler bleu cbr channel-uses clip-image clip-score "
    "compression-ratio data-rate psnr ssim",
}
"""What hints may name: not whatever else happens to be installed."""


def tower() -> str:
    """Aliases of aliases: 2^40 values in a few lines."""
    return "a0: &a0 [ha, ha]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)
    )


def into(data: str | bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data.encode() if isinstance(data, str) else data)

    return make


HEAD = "semcore: 1\n"
MADE: dict[str, Callable[[Path], None]] = {
    "alias_bomb": into(HEAD + tower()),
    "alias_tower": into(
        "".join(
            f"a{i}: &a{i} {'[' * 20}*a{i - 1}{']' * 20}\n" if i else "a0: &a0 1\n"
            for i in range(30)
        )
    ),
    "nested_10000_deep": into(HEAD + "source: " + "{a: " * 10_000),
    "nested_10000_deep_in_blocks": into(HEAD + "source:\n" + "- " * 10_000 + "x\n"),
    "50_megabytes": into("a: 1\n" * 10_000_000),
    "one_line_of_a_megabyte": into(HEAD + "name: [" + "a, " * 320_000 + "]\n"),
    "100000_keys": into("".join(f"k{i}: 1\n" for i in range(100_000))),
    "40000_sections": into(HEAD + "".join(f"encoder{i}: 1\n" for i in range(40_000))),
    "40000_settings": into(
        HEAD + "source: {use: samples, " + ", ".join(f"limi{i}: 1" for i in range(40_000)) + "}\n"
    ),
    "key_of_a_thousand_letters": into(
        HEAD + f"source: {{use: samples, {'k' * 900}: 1}}\n{'n' * 1000}: 1\n"
    ),
    "nul_bytes": into(b"semcore: 1\nname: a" + b"\0" * 1000),
    "utf_16": into("semcore: 1\n".encode("utf-16")),
    "binary": into(bytes(range(256)) * 100),
    "a_directory": lambda path: path.mkdir(),
    "a_pipe": os.mkfifo,
    "a_device": lambda path: path.symlink_to("/dev/zero"),
    "not_there": lambda path: None,
    "without_permission": lambda path: path.touch(mode=0),
}


def overrides_of(path: Path) -> list[str]:
    """What the first line of a faulty file says the command line changes."""
    if path not in FAULTY:
        return []
    first = path.read_bytes().split(b"\n")[0].decode("utf-8", "replace")
    return (
        first.removeprefix("# overrides: ").split(" ") if first.startswith("# overrides: ") else []
    )


def faults(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, overrides_of(HERE / "errors" / path))
    return caught.value


@pytest.fixture(params=MADE)
def made(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A faulty file that is not kept; the working directory is its folder."""
    monkeypatch.chdir(tmp_path)
    path = Path(f"{request.param}.yaml")
    MADE[request.param](path)
    if request.param == "without_permission" and os.access(path, os.R_OK):
        pytest.skip("whoever runs this may read everything")
    yield path


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names that hints know are those of `NAMES`."""
    names = naming.names
    monkeypatch.setattr(
        naming,
        "names",
        lambda kind: [one for one in names(kind) if one in NAMES.get(kind, "").split()],
    )
    monkeypatch.setattr(hook_plugins, "hook_names", lambda: [])


def told(path: Path) -> str:
    return str(faults(path)).replace(str(HERE), "tests") + "\n"


def test_there_are_enough() -> None:
    assert len(FAULTY) + len(MADE) >= 60
    assert {path.stem for path in FAULTY} == {path.stem for path in (HERE / "errors").glob("*.txt")}
    assert {*MADE} == {path.stem for path in (HERE / "errors" / "made").glob("*.txt")}


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
@pytest.mark.usefixtures("words")
def test_a_faulty_file_is_told_as_written_beside_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    assert told(Path(path.name)) == path.with_suffix(".txt").read_text()


def test_the_example_in_the_documentation_is_what_is_told() -> None:
    assert (HERE / "errors" / "mine.txt").read_text() in (
        HERE.parents[1] / "docs" / "pipelines.md"
    ).read_text()


@pytest.mark.usefixtures("words")
@pytest.mark.default_cases(6)
def test_a_file_that_was_made_to_hurt_is_told_as_written(made: Path) -> None:
    assert told(made) == (HERE / "errors" / "made" / f"{made.stem}.txt").read_text()


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.stem)
def test_every_place_is_real_and_in_reading_order(
    path: Path, check_places: Callable[..., None]
) -> None:
    lines = path.read_bytes().decode("utf-8-sig", "replace").splitlines()
    check_places(faults(path), path, lines, overrides_of(path))


def test_where_nothing_is_installed_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "p.yaml").write_text(HEAD + "transport: {use: ldpc}\n")
    monkeypatch.setattr(naming, "names", lambda kind: [])
    monkeypatch.setattr(naming, "find", lambda kind, name: None)
    assert (
        f"{tmp_path}/p.yaml:2:18: error: there is no transport 'ldpc'\n"
        "      transport: {use: ldpc}\n"
        "                       ^\n"
        "    hint: no installed package brings any transport: install one; semcore plugins shows "
        "what is installed"
    ) in str(faults(tmp_path / "p.yaml"))


# ------------------------------------------------------------------------------ what refusing takes

LAUNCHER = """
import json, os, subprocess, sys, time
report, seconds, *command = sys.argv[1:]
started = time.monotonic()
process = subprocess.Popen(command)
pid = 0
while not pid:
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if time.monotonic() - started > float(seconds):
        process.kill()
    time.sleep(0.005)
with open(report, "w") as file:
    code = os.waitstatus_to_exitcode(status)
    json.dump([code, usage.ru_maxrss / 1024, time.monotonic() - started], file)
"""
"""Linux counts the memory of the parent before exec, so a small process starts the command."""


def check(path: Path, folder: Path) -> tuple[int, float, float, str, str]:
    """Exit code, megabytes, seconds, stdout and stderr of `semcore check` in an empty folder."""
    report = folder.with_suffix(".json")
    command = [sys.executable, "-m", "semcore", "check", str(path), *overrides_of(path)]
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(report), str(SECONDS)]
    done = subprocess.run(
        [*launcher, *command], cwd=folder, capture_output=True, text=True, timeout=2 * SECONDS
    )
    code, megabytes, seconds = json.loads(report.read_text())
    return code, megabytes, seconds, done.stdout, done.stderr


def refused_at_once(path: Path, folder: Path) -> None:
    folder.mkdir()
    code, megabytes, _, output, errors = check(path, folder)
    assert code == 2, errors
    assert errors.startswith(f"{path}:") or errors.split(": error:")[0] in overrides_of(path)
    assert "Traceback" not in errors and output == ""
    assert megabytes < MEGABYTES
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=() if at % 8 == 0 else pytest.mark.slow)
        for at, path in enumerate(FAULTY)
    ],
)
@pytest.mark.default_cases(4)
def test_refusing_costs_little_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    refused_at_once(path, tmp_path / "cwd")


@pytest.mark.default_cases(4)
def test_refusing_what_was_made_to_hurt_costs_little_and_leaves_nothing(
    made: Path, tmp_path: Path
) -> None:
    refused_at_once(tmp_path / made, tmp_path / "cwd")


def test_run_refuses_what_check_refuses(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "semcore",
        "run",
        str(HERE / "errors" / "sweep_value_wrong.yaml"),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=2 * SECONDS
    )
    assert done.returncode == 2 and done.stdout == ""
    assert "snr_db must be a number, not 'low'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def main() -> None:
    """Print what refusing each file takes."""
    worst = [0.0, 0.0]
    with tempfile.TemporaryDirectory() as root:
        for name, make in MADE.items():
            make(Path(root, f"{name}.yaml"))
        for path in [*FAULTY, *(Path(root, f"{name}.yaml") for name in MADE)]:
            folder = Path(tempfile.mkdtemp(dir=root))
            code, megabytes, seconds, *_ = check(path, folder)
            print(f"{code}  {seconds:5.2f} s  {megabytes:5.0f} MB  {path.name}")
            worst = [max(worst[0], seconds), max(worst[1], megabytes)]
    print(f"at most {worst[0]:.2f} s and {worst[1]:.0f} MB")


def rewrite() -> None:
    """Write every text as it is now."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as root:
        words.__wrapped__(patch)  # type: ignore[attr-defined]
        patch.chdir(HERE / "errors")
        for path in FAULTY:
            path.with_suffix(".txt").write_text(told(Path(path.name)))
        for name, make in MADE.items():
            patch.chdir(tempfile.mkdtemp(dir=root))
            make(Path(f"{name}.yaml"))
            if name != "without_permission":
                (HERE / "errors" / "made" / f"{name}.txt").write_text(told(Path(f"{name}.yaml")))


if __name__ == "__main__":
    rewrite() if "--rewrite" in sys.argv else main()
