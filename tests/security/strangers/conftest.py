"""A run that somebody else made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ...support.pipelines import Bench
from ...support.strangers import SECRET


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two cells with a session each."""
    made = Bench(tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LOG", str(made.log))
        return made.run("channel.snr_db=0,3", "planner.use=alternate").folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A copy of it beside a secret."""
    (tmp_path / "secret.txt").write_bytes(SECRET)
    return Path(shutil.copytree(whole, tmp_path / "run"))
