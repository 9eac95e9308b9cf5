"""Without a setting that says so nothing reaches a network: every example runs without one.

Two fences: a hook in every Python process records and refuses attempts to connect or to look a name
up; and where the system allows it, the processes live in an empty network namespace (`unshare -n`).
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from semcore.config.document import read

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(
    [*(ROOT / "examples").glob("*.yaml"), *(ROOT / "plugins").glob("*/examples/*.yaml")]
)
FENCE = """
import os, sys

def fence(event, arguments):
    if not event.startswith(("socket.connect", "socket.get", "socket.send")):
        return
    if event == "socket.gethostname":
        return
    if event == "socket.connect" and isinstance(arguments[1], (str, bytes)):
        return  # a file of this machine
    with open(os.environ["SEMCORE_ATTEMPTS"], "a") as file:
        file.write(f"{event} {arguments[-1:]}\\n")
    raise OSError("the test refuses " + event)

sys.addaudithook(fence)
"""


@functools.cache
def unshare() -> list[str]:
    """What begins a command that sees no network; empty where the system does not let us."""
    command = [shutil.which("unshare") or "unshare", "-n"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True, timeout=900)
    except (OSError, subprocess.SubprocessError):
        return []
    return command


@dataclass(frozen=True)
class Fenced:
    """A folder whose processes reach no network."""

    folder: Path

    @property
    def attempts(self) -> str:
        """Everything that was tried, one line each."""
        path = self.folder / "attempts"
        return path.read_text() if path.exists() else ""

    def run(
        self, *command: str, hook: bool = True, namespace: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Python."""
        environment = {**os.environ, "SEMCORE_ATTEMPTS": str(self.folder / "attempts")}
        environment |= {"PYTHONPATH": str(self.folder / "fence")} if hook else {}
        whole = [*(unshare() if namespace else []), sys.executable, *command]
        return subprocess.run(
            whole, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=900
        )


@pytest.fixture
def fenced(tmp_path: Path) -> Fenced:
    """A folder with the examples in it."""
    (tmp_path / "fence").mkdir()
    (tmp_path / "fence" / "sitecustomize.py").write_text(FENCE)
    return Fenced(tmp_path)


@pytest.fixture
def server() -> Iterator[int]:
    """The port of somebody who could be reached, if anybody could."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def connect(port: int) -> tuple[str, str]:
    """A program that reaches the server, and says so."""
    return (
        "-c",
        f"import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')",
    )


def one_point(path: Path) -> list[str]:
    """Overrides for one sample, few candidates, one point, every workflow and local pictures."""
    values = read(path).values
    sweep, workflows = values.get("sweep") or {}, values.get("workflows") or {}
    first = {
        key: axis[0] if isinstance(axis, list) else axis.partition(":")[0]
        for key, axis in sweep.items()
    }
    places = {
        "": values,
        **{f"workflows.{name}.": sections for name, sections in workflows.items()},
    }
    drawing = [
        place
        for place, sections in places.items()
        if "candidates" in (sections.get("generator") or {})
    ]
    made = values["source"]["use"] == "talking-samples"
    size = values["source"].get("size", [32, 32])  # generators of the example are set up for it
    judged = (
        made and path.stem != "satellite_pass"
    )  # whose metrics look at faces and hear speech, too
    return [
        *(["metrics=[channel-uses]"] if judged else []),
        *(
            "--limit",
            "1",
            "--no-report",
            "source.size=[128,128]" if made else f"source={{use: samples, size: {size}}}",
        ),
        *(f"{place}generator.candidates=2" for place in drawing),
        *(f"{key}={value}" for key, value in first.items() if key != "workflow"),
    ]


@pytest.mark.docs
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_runs_without_a_network_and_does_not_ask_for_one(
    fenced: Fenced, path: Path
) -> None:
    done = fenced.run("-m", "semcore", "run", str(path), *one_point(path), "--out", "run")
    if "llava" in path.stem:  # its models are no part of the packages
        assert done.returncode in (1, 2) and "Traceback" not in done.stderr
        assert re.search(
            r"error: .*: the model \S+ cannot be loaded: .* not asked: fetch it with `hf download",
            done.stderr,
        )
    else:
        assert done.returncode == 0, done.stderr
        assert list((fenced.folder / "run").glob("cells/*/result.json"))
    assert not fenced.attempts


@pytest.mark.docs
def test_nor_do_its_workers(fenced: Fenced) -> None:
    (path,) = [path for path in EXAMPLES if path.stem == "conventional_jpeg"]
    point = [*one_point(path), "encoder.codec.quality=20,50", "--jobs", "2", "--out", "run"]
    done = fenced.run("-m", "semcore", "run", str(path), *point)
    assert done.returncode == 0, done.stderr
    assert not fenced.attempts


def test_the_server_could_be_reached(fenced: Fenced, server: int) -> None:
    assert fenced.run(*connect(server), hook=False, namespace=False).stdout == "reached\n"


def test_the_hook_sees_and_refuses_every_attempt(fenced: Fenced, server: int) -> None:
    done = fenced.run(*connect(server), namespace=False)
    assert done.returncode == 1 and "the test refuses socket.getaddrinfo" in done.stderr
    quiet = f"""
import socket
server = ("127.0.0.1", {server})
for attempt in (lambda s: s.connect(server), lambda s: s.connect_ex(server),
                lambda s: socket.gethostbyname("localhost"),
                lambda s: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", server)):
    try:
        attempt(socket.socket())
    except OSError as error:
        assert "the test refuses" in str(error)
    else:
        raise SystemExit("not refused")
"""
    done = fenced.run("-c", quiet, namespace=False)
    assert done.returncode == 0, done.stderr
    assert fenced.attempts.count("\n") == 5


def test_in_the_namespace_nobody_is_reached(fenced: Fenced, server: int) -> None:
    if not unshare():
        pytest.skip(
            "this system lets the test make no network namespace; the hook alone stands guard"
        )
    done = fenced.run(*connect(server), hook=False)
    assert done.returncode == 1 and "reached" not in done.stdout
