"""Executes the notebooks and writes what they show into them: `make notebooks`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parent / "notebooks"


def executed(path: Path, folder: Path) -> nbformat.NotebookNode:
    """A notebook with the outputs of its cells.

    Args:
        path: of the notebook
        folder: where its code runs, and leaves its files

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails
    """
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=1800, resources=place, record_timing=False)
    return client.execute()


def main() -> None:
    """Execute the notebooks that are named, or all."""
    for path in map(Path, sys.argv[1:] or sorted(map(str, FOLDER.glob("*.ipynb")))):
        with tempfile.TemporaryDirectory() as folder:
            nbformat.write(executed(path, Path(folder)), path)


if __name__ == "__main__":
    main()
