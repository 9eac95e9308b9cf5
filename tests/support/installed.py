"""Installed packages, without installing any."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

HEAD = """
from dataclasses import dataclass
import semcore
from semcore.plugins.hookspecs import hook
"""
"""How a module of a package begins."""


class Site:
    """A folder of installed packages (metadata and modules) and the command line beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(folder)}
        self.environment.pop("SEMCORE_PLUGINS", None)

    def install(
        self,
        package: str,
        entry_points: str,
        modules: Mapping[str, str] | None = None,
        metadata: str = "",
        version: str = "1.5",
    ) -> Path:
        """Install a package; returns the folder of its metadata."""
        info = self.folder / f"{package}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n{metadata}"
        )
        (info / "entry_points.txt").write_text(textwrap.dedent(entry_points))
        for name, text in (modules or {}).items():
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text))
        return info

    def __call__(self, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call semcore."""
        return subprocess.run(
            [sys.executable, "-m", "semcore", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=900,
            cwd=self.folder,
            env={**self.environment, **environment},
        )
