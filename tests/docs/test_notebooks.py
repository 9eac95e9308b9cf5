"""The notebooks run from top to bottom, and can be opened where their links say."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_link_opens_it_and_its_outputs_are_there(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    page = f"semcore/semcore/blob/main/docs/notebooks/{path.name}"
    assert f"https://colab.research.google.com/github/{page}" in notebook.cells[0].source
    assert f"notebooks/{path.name}" in (ROOT / "docs" / "README.md").read_text()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in code), "make notebooks"
    outputs = [output for cell in code for output in cell.outputs]
    assert not [one for one in outputs if one.output_type == "error"]
    assert "/tmp/" not in path.read_text() and str(Path.home()) not in path.read_text()
    assert path.stat().st_size < 2_000_000


@pytest.mark.docs
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_runs(path: Path, tmp_path: Path) -> None:
    executed = runpy.run_path(str(ROOT / "docs" / "make_notebooks.py"))["executed"]
    ran = executed(path, tmp_path)
    code = [cell for cell in ran.cells if cell.cell_type == "code" and "colab" not in cell.source]
    assert code and all(cell.execution_count for cell in code)
