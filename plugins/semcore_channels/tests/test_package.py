"""The package's table of contents, and the documentation that the registry reads from it."""

from __future__ import annotations

import dataclasses
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from semcore.testing.internals import INTERFACES, documentation, summary

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
ENTRIES = [
    (group.removeprefix("semcore."), name, target)
    for group, names in PROJECT["entry-points"].items()
    for name, target in names.items()
]


@pytest.mark.parametrize(("kind", "name", "target"), ENTRIES)
def test_every_entry_point_is_a_documented_component(kind, name, target):
    module, _, attribute = target.partition(":")
    cls = getattr(importlib.import_module(module), attribute)
    assert f"`{name}`" in (Path(__file__).parents[1] / "README.md").read_text()
    if kind == "command":
        return
    assert issubclass(cls, INTERFACES[kind]) and cls.__dataclass_params__.frozen
    assert summary(cls.__doc__) and cls.reference
    assert documentation(cls).keys() == {field.name for field in dataclasses.fields(cls)}


def test_importing_the_package_is_light():
    code = """if True:
        import sys
        import semcore_channels.flat
        import semcore_channels.transports.analog
        import semcore_channels.transports.ldpc
        from semcore_channels.tr38901.cells import UMa
        assert "torch" not in sys.modules
        semcore_channels.transports.ldpc.LDPC(), UMa(snr_db=3)
        assert "torch" not in sys.modules
        from semcore_channels.modulation.qam import amplitudes
        amplitudes(1)
        assert "sionna.phy" not in sys.modules  # seconds, and only for those who use it
    """
    subprocess.run([sys.executable, "-c", code], check=True)
