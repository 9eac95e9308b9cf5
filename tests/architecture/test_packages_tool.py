"""The cases of `make test-packages`, which itself takes half an hour."""

from __future__ import annotations

import yaml

from semcore.entrypoints import official

from ..support.requirements import FOLDERS
from ..support.tools import tool


def test_each_package_alone_in_pairs_and_at_its_lowest_versions() -> None:
    tools = tool("packages")
    names = {case.name for case in tools.cases()}
    plugins = [name.removeprefix("semcore-") for name in FOLDERS if name != "semcore"]
    assert {"core", "core:lowest", "+".join(plugins), *plugins} <= names
    assert {f"{one}:lowest" for one in plugins} <= names and "channels+video" in names


def test_the_lowest_versions_are_the_bounds() -> None:
    tools = tool("packages")
    pins = tools.lowest("image")
    assert "pillow==11.3" in pins and not [pin for pin in pins if pin.startswith("torch")]
    found = tools.strictest(["numpy==1.26", "NumPy==2.0.1", "a_b==1", "a-b==1.10", "a-b==1.9"])
    assert found == ["NumPy==2.0.1", "a-b==1.10"]


def test_the_pipeline_has_names_of_the_packages() -> None:
    tools = tool("packages")
    used = yaml.safe_load(tools.FULL)
    kinds = {
        one["use"]: kind for kind, one in used.items() if isinstance(one, dict) and "use" in one
    }
    for plugin, names in tools.BRINGS.items():
        for name in names:
            assert official.packages(kinds[name], name) == [f"semcore-{plugin}"]
