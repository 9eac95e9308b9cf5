"""Without what extras bring, every package can be looked at, and its parts say what they need."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

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
