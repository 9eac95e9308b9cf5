"""Install each package alone, in pairs, and all at the lowest versions, and try what works there.

`python tools/packages.py [--torch FOLDER] [--with REQUIREMENT]... [CASE]...`: each case is an
environment of its own, built by pip with the packages of this repository and their dependencies; no
package of the caller's environment is seen in it but PyTorch, which is large. In it every component
is imported, a pipeline that the packages can send is run, and one that they cannot must lead to the
package to install.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLUGINS = ("channels", "image", "llm", "video")
SHARED = re.compile(r"^(torch|triton|nvidia[-_].*|cuda[-_].*|sympy|mpmath|networkx|fsspec)$")
"""Distributions of the caller's environment that every case sees: PyTorch and what it requires."""

FULL = """
semcore: 1
seed: 1
source: {use: samples, limit: 1, size: [16, 16]}
encoder: {use: bitstream, codec: {use: png}}
transport: {use: ldpc, rate: 1/2, modulation: 4qam}
channel: {use: uma, snr_db: 20}
generator: {use: bitstream, codec: {use: png}}
metrics: [psnr]
"""
BRINGS = {"image": ("samples", "bitstream"), "channels": ("ldpc", "uma")}
"""What of that pipeline each package brings."""


@dataclass(frozen=True)
class Case:
    """An environment.

    Fields:
        plugins: the packages besides the core
        lowest: whether every direct requirement has its lowest version
    """

    plugins: tuple[str, ...]
    lowest: bool = False

    @property
    def name(self) -> str:
        """Its name on the command line."""
        return "+".join(self.plugins or ("core",)) + (":lowest" if self.lowest else "")


def cases() -> list[Case]:
    """The core, each package, each pair, all; then each alone at the lowest versions."""
    alone = [(), *((one,) for one in PLUGINS)]
    newest = [Case(one) for one in (*alone, *combinations(PLUGINS, 2), PLUGINS)]
    return newest + [Case(one, lowest=True) for one in alone]


def folder_of(plugin: str) -> Path:
    """The folder of a package; "" is the core."""
    return ROOT / "plugins" / f"semcore_{plugin}" if plugin else ROOT


def lowest(plugin: str) -> list[str]:
    """The direct requirements of a package, each at its lower bound."""
    table = tomllib.loads((folder_of(plugin) / "pyproject.toml").read_text(encoding="utf-8"))
    found = []
    for text in table["project"]["dependencies"]:
        name, _, bound = text.partition(">=")
        if not name.startswith("semcore") and not SHARED.match(name):
            found.append(f"{name}=={bound.partition(',')[0].strip()}")
    return found


def strictest(texts: Sequence[str]) -> list[str]:
    """Of several pins of a library the highest: two packages state bounds of one library."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for text in texts:
        name, _, version = text.partition("==")
        key = name.lower().replace("_", "-")
        number = tuple(int(part) for part in re.findall(r"\d+", version))
        found[key] = max(found.get(key, ((), "")), (number, text))
    return sorted(text for _, text in found.values())


def share(python: Path, torch: Path) -> None:
    """Let an environment see PyTorch of another one, and nothing else of it."""
    site = next((python.parents[1] / "lib").glob("python3*/site-packages"))
    for one in importlib.metadata.distributions(path=[str(torch)]):
        if not SHARED.match(one.metadata["Name"]):
            continue
        tops = {file.parts[0] for file in one.files or () if file.parts[0] not in ("..", "bin")}
        for top in tops:
            if (torch / top).exists() and not (site / top).exists():
                (site / top).symlink_to(torch / top)


def install(case: Case, folder: Path, torch: Path, extra: Sequence[str]) -> Path:
    """An environment with the packages of a case; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    share(python, torch)
    packages = [str(folder_of(one)) for one in ("", *case.plugins)]
    if "video" in case.plugins and "channels" not in case.plugins:
        packages.append(str(folder_of("channels")))  # which it requires
    pins = [pin for one in ("", *case.plugins) for pin in lowest(one)] if case.lowest else []
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _call([*command, *extra, *strictest(pins), *packages])
    return python


def try_out(case: Case, python: Path, folder: Path) -> Iterator[str]:
    """What does not work in an environment, one line each."""
    semcore = str(python.parent / "semcore")
    done = _call([semcore, "plugins", "doctor"], folder, check=False)
    if done.returncode:
        yield f"doctor: {done.stdout}{done.stderr}"
    (folder / "full.yaml").write_text(FULL, encoding="utf-8")
    have = {*case.plugins, *(("channels",) if "video" in case.plugins else ())}
    missing = [one for one in BRINGS if one not in have]
    verb = ["check", "full.yaml"] if missing else ["run", "full.yaml", "--out", "run"]
    done = _call([semcore, *verb], folder, check=False)
    if missing:
        for plugin in missing:
            for name in BRINGS[plugin]:
                problem = rf"there is no \w+ '{name}'.*?\n    hint: (.*?)\n"
                found = re.search(problem, f"{done.stderr}\n", re.DOTALL)
                hint = found.group(1) if found else "nothing"
                if hint != f"pip install semcore-{plugin}":
                    yield f"{name} of semcore-{plugin} is not installed, and the hint is: {hint}"
    elif done.returncode:
        yield f"run: {done.stdout}{done.stderr}"


def _call(
    command: Sequence[str], folder: Path = ROOT, check: bool = True
) -> subprocess.CompletedProcess[str]:
    hidden = ("VIRTUAL_ENV", "PYTHONPATH", "SEMCORE_PLUGINS")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done


def main(arguments: list[str] | None = None) -> int:
    """Try all cases, or those named; 1 if one does not work."""
    known = {case.name: case for case in cases()}
    parser = argparse.ArgumentParser(prog="python tools/packages.py", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(known))
    parser.add_argument(
        "--torch", type=Path, help="site-packages with PyTorch  [default: this environment's]"
    )
    parser.add_argument("--with", action="append", default=[], dest="extra", metavar="REQUIREMENT")
    chosen = parser.parse_args(arguments)
    if strange := [name for name in chosen.cases if name not in known]:
        parser.error(f"there is no case {strange[0]}; cases are {', '.join(known)}")
    found = Path(str(importlib.metadata.distribution("torch").locate_file(""))).resolve()
    broken = 0
    for name in chosen.cases or known:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            try:
                case, torch = known[name], chosen.torch or found
                python = install(case, folder / "environment", torch, chosen.extra)
                faults = list(try_out(case, python, folder))
            except SystemExit as error:  # pip finds no versions that fit together
                faults = [str(error)]
        broken += bool(faults)
        print(f"{name}: {'fine' if not faults else ''}", *faults, sep="\n  ", flush=True)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
