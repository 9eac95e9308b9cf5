"""An old public name works for one minor version and names the new one (docs/stability.md)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from packaging.version import Version

import semcore
from semcore.wording.renamed import Renamed


def test_an_old_name_works_and_names_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = Renamed("Sample", "9.2")
    monkeypatch.setitem(semcore._RENAMED, "Item", renamed)
    with pytest.warns(FutureWarning) as seen:
        assert semcore.Item is semcore.Sample  # type: ignore[attr-defined]
    assert [str(one.message) for one in seen] == [
        "semcore.Item is deprecated and gone in version 9.2: use semcore.Sample"
    ]
    assert seen[0].filename == __file__
    with pytest.raises(AttributeError, match="module 'semcore' has no attribute 'Itm'"):
        semcore.Itm  # type: ignore[attr-defined]  # noqa: B018


def test_the_warning_is_shown_by_default() -> None:
    code = (
        "import semcore; from semcore.wording.renamed import Renamed\n"
        "semcore._RENAMED['Item'] = Renamed('Sample', '9.2')\n"
        "semcore.Item"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and "FutureWarning: semcore.Item is deprecated" in done.stderr


def test_names_go_when_they_were_said_to_go() -> None:
    """Fails in the version that a name is gone in, until it is removed."""
    for old, renamed in semcore._RENAMED.items():
        assert Version(renamed.gone_in) > Version(semcore.__version__), f"remove semcore.{old}"
        assert renamed.new in semcore.__all__ and old not in semcore.__all__
