"""Without what extras bring, every package can be looked at, and its parts say what they need."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.requirements import FOLDERS, brought, extras, imported

CODE = """
import importlib.machinery

finder = importlib.machinery.PathFinder
find = finder.find_spec

def found(name, path=None, target=None):
    return None if name.partition(".")[0] in {missing!r} else find(name, path, target)

finder.find_spec = staticmethod(found)
from semcore.entrypoints import discovery
from semcore.plugins import doctor
one = next(one for one in discovery.everything() if one.name == {name!r})
for entry in one.entries:
    try:
        doctor.use(entry)
    except discovery.UnusableError as error:
        print(entry.label, error.reason)
    except BaseException as error:
        print(entry.label, repr(error))
"""


def modules_of(distributions: set[str]) -> set[str]:
    """Top-level modules of installed distributions, those with other names too."""
    found = set()
    for module, owners in importlib.metadata.packages_distributions().items():
        if {owner.lower().replace("_", "-") for owner in owners} & distributions:
            found.add(module)
    return found


QUICK = {"semcore", "semcore-llm"}
CASES = [
    pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow, id=name) for name in FOLDERS
]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.default_cases(1)
def test_every_component_can_be_imported_without_extras(name: str) -> None:
    optional = set().union(*(brought(name, extra) for extra in extras(name))) - brought(name)
    own = {one.distribution for one in imported(name)}
    missing = modules_of({one for one in optional & own if not one.startswith("semcore")})
    assert missing or name not in ("semcore-image", "semcore-video")
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(missing=missing, name=name)],
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stdout


REFUSED = """
import importlib.machinery
import sys

find = importlib.machinery.PathFinder.find_spec

def found(name, path=None, target=None):
    return None if name.partition(".")[0] in {missing!r} else find(name, path, target)

importlib.machinery.PathFinder.find_spec = staticmethod(found)
sys.argv = ["semcore", {command!r}, {path!r}]
from semcore.cli import main
main()
"""
PIPELINE = """\
semcore: 1
source: {use: talking-samples, limit: 1}
encoder: {use: audiovisual, video: {use: face-motion}, audio: {use: speech, send: text}}
transport: {"*": {use: ldpc, feature_bits: 6}}
channel: {use: satellite, snr_db: 10, rain_rate_mm_h: 5}
generator:
  use: talking-head
  renderer: {use: mesh-warp}
  voice: {use: lip-timing, voice: {use: espeak}}
metrics: [psnr, pesq, stoi, {use: akd, detector: dlib}]
"""


@pytest.mark.parametrize("command", ["check", "run"])
def test_what_extras_bring_is_missed_before_any_work(command: str, tmp_path: Path) -> None:
    """Not by the metric of the first cell, when hours of work are done."""
    path = tmp_path / "pipeline.yaml"
    path.write_text(PIPELINE)
    missing = {"pesq", "pystoi", "dlib", "itur", "mediapipe", "espeakng_loader", "pocketsphinx"}
    code = REFUSED.format(missing=missing, command=command, path=str(path))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2 and not (tmp_path / "runs").exists(), done.stdout + done.stderr
    for place, reason in (
        ("10:17", "metric 'pesq': it needs pesq: pip install 'semcore-video[pesq]'"),
        ("10:23", "metric 'stoi': it needs pystoi: pip install 'semcore-video[metrics]'"),
        ("10:35", "metric 'akd': it needs dlib: pip install 'semcore-video[face]'"),
        ("5:16", "channel 'satellite': it needs itur: pip install 'semcore-channels[rain]'"),
        ("9:41", "generator 'espeak': it needs espeakng_loader: pip install"),
    ):
        assert f"{place}: error: {reason}" in done.stderr, done.stderr
