"""Build the wheels and source distributions of all packages, check them, and try them.

`python tools/dist.py [--out DIR] [--with REQUIREMENT]... [--no-install]`: builds each package, lets
twine check what an index will show, looks at sizes and contents, installs the wheels into an empty
environment, and runs the first pipeline of the README there.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml")))
MOST_WHEEL = 100e6
"""Bytes of a file that an index takes without a request."""
MOST_SDIST = 60e6
MOST_BESIDE_WEIGHTS = 4e6
"""Bytes, unpacked, of everything in an archive but weights."""
WEIGHTS = (".safetensors", ".npz", ".jsonl")
BESIDE = {
    "examples", "CHANGELOG.md", "CITATION.cff", "LICENSE", "PKG-INFO", "README.md", ".gitignore",
    "pyproject.toml",
}  # fmt: skip
"""What a source distribution has at its top, besides the package."""
NEEDED = {"wheel": ("METADATA", "LICENSE"), "sdist": ("PKG-INFO", "LICENSE", "pyproject.toml")}


def faults(archive: Path) -> list[str]:
    """What is wrong with a wheel or a source distribution, one line each."""
    kind = "wheel" if archive.suffix == ".whl" else "sdist"
    if kind == "wheel":
        with zipfile.ZipFile(archive) as opened:
            sizes = {one.filename: one.file_size for one in opened.infolist()}
    else:
        with tarfile.open(archive) as packed:
            sizes = {one.name.partition("/")[2]: one.size for one in packed if one.isfile()}
    most, found = (MOST_WHEEL if kind == "wheel" else MOST_SDIST), []
    if archive.stat().st_size >= most:
        found.append(f"is {archive.stat().st_size / 1e6:.1f} MB; at most {most / 1e6:.0f}")
    rest = sum(size for name, size in sizes.items() if not name.endswith(WEIGHTS))
    if rest >= MOST_BESIDE_WEIGHTS:
        found.append(f"has {rest / 1e6:.1f} MB besides weights")
    package = re.split(r"-\d", archive.name)[0]
    tops = {name.partition("/")[0] for name in sizes} - {package}
    if kind == "wheel":
        tops = {name for name in tops if not name.endswith(".dist-info")}
    found += [f"has {name}" for name in sorted(tops - (BESIDE if kind == "sdist" else set()))]
    names = {name.rpartition("/")[2] for name in sizes}
    found += [f"has no {name}" for name in NEEDED[kind] if name not in names]
    if f"{package}/py.typed" not in sizes:
        found.append("has no py.typed")
    return [f"{archive.name} {one}" for one in found]


def build(out: Path) -> list[Path]:
    """Build every package; returns the archives."""
    for package in PACKAGES:
        _call(sys.executable, "-m", "build", "--outdir", str(out), str(package))
    return sorted(out.iterdir())


def install(archives: Sequence[Path], extra: Sequence[str], folder: Path) -> Path:
    """Install the wheels into an empty environment; returns its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    wheels = [str(one) for one in archives if one.suffix == ".whl"]
    _call(str(python), "-m", "pip", "install", "--quiet", *extra, *wheels)
    return python


def first_pipeline(python: Path, folder: Path) -> None:
    """Run the first pipeline of the README, and read its results."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"`first\.yaml`.*?```yaml\n(.*?)```", text, re.DOTALL)
    assert found, "the README has no first.yaml"
    (folder / "first.yaml").write_text(found.group(1), encoding="utf-8")
    semcore = str(python.parent / "semcore")
    for call in (["list"], ["plugins", "doctor"], ["check", "first.yaml"],
                 ["run", "first.yaml", "--out", "run"], ["verify", "run"]):  # fmt: skip
        _call(semcore, *call, folder=folder)
    read = "import semcore; print(semcore.read('run'))"
    _call(str(python), "-c", read, folder=folder)


def _call(*command: str, folder: Path = ROOT) -> None:
    print("$", " ".join(Path(part).name if part.startswith("/") else part for part in command))
    environment = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    subprocess.run(command, check=True, cwd=folder, env=environment)


def main(arguments: list[str] | None = None) -> int:
    """Build, check and try; 1 if an archive is not fit for an index."""
    parser = argparse.ArgumentParser(prog="python tools/dist.py", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="[default: dist]")
    parser.add_argument(
        "--with", action="append", default=[], dest="extra", metavar="REQUIREMENT",
        help="for pip, beside the wheels: a build of PyTorch that is at hand",
    )  # fmt: skip
    parser.add_argument("--no-install", action="store_true", help="only build and check")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    for old in chosen.out.glob("semcore*"):
        old.unlink()
    archives = build(chosen.out)
    _call(sys.executable, "-m", "twine", "check", "--strict", *map(str, archives))
    for one in archives:
        print(f"{one.stat().st_size / 1e6:7.2f} MB  {one.name}")
    if wrong := [line for one in archives for line in faults(one)]:
        print(*wrong, sep="\n")
        return 1
    if not chosen.no_install:
        with tempfile.TemporaryDirectory() as name:
            python = install(archives, chosen.extra, Path(name) / "environment")
            first_pipeline(python, Path(name))
    print("fit for an index")
    return 0


if __name__ == "__main__":
    sys.exit(main())
