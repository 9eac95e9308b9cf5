"""A reader who does what a page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

BLOCK = re.compile(
    r"(?:Save this as `([\w./-]+)`[^\n]*\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NAMED = re.compile(r"# ([\w./-]+\.(?:py|yaml|toml))\n")


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """(language, file name or "", text) per block; the line before or the first names a file."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [
        (kind, said or (match[1] if (match := NAMED.match(text)) else ""), text)
        for said, kind, text in found
    ]


def follow(
    page: Path, folder: Path, environment: Mapping[str, str], leave_out: tuple[str, ...] = ()
) -> None:
    """Do what a page tells its reader, from top to bottom: save its files, call its commands.

    Args:
        leave_out: how commands begin that are not called
    """
    here = folder
    for kind, name, text in blocks(page):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        commands = (
            [line[2:] for line in text.splitlines() if line.startswith("$ ")]
            if kind == "console"
            else []
        )
        for command in commands:
            if command.startswith(leave_out):
                continue
            if command.startswith("cd "):
                here = here / command[3:]
                continue
            done = subprocess.run(
                shlex.split(command),
                cwd=here,
                env={**environment},
                capture_output=True,
                text=True,
                timeout=300,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def fresh_environment(root: Path) -> dict[str, str]:
    """The environment of a reader with a new virtual environment in which semcore is installed.

    It borrows the packages of this one instead of fetching them, and its pip fetches nothing.
    """
    venv.create(root, with_pip=False, symlinks=True)
    library = Path(sysconfig.get_path("stdlib"))
    borrowed = [
        path
        for path in sys.path
        if "site-packages" in path or not Path(path).is_relative_to(library)
    ]
    (site,) = root.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(
        "\n".join(path for path in borrowed if path and Path(path).is_dir())
    )
    programs = {
        "semcore": 'exec "$bin/python" -P -m semcore "$@"',
        "pip": 'verb=$1; shift; exec "$bin/python" -m pip "$verb" --no-build-isolation --no-deps '
        '--no-index "$@"',
    }
    for name, text in programs.items():
        program = root / "bin" / name
        program.write_text(f'#!/bin/sh\nbin="{root}/bin"\n{text}\n')
        program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    return {
        name: value
        for name, value in environment.items()
        if name not in ("PYTHONPATH", "SEMCORE_PLUGINS")
    }
