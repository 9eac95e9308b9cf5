"""Files that do harm to whoever executes them; the harm is an empty file that then exists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Trap:
    """An object whose pickle creates a file when it is opened.

    Args:
        path: the file
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def harmful_module(path: Path) -> str:
    """The source of a module with a class `Harm` that creates the file `path` when imported."""
    return f"open({str(path)!r}, 'w').close()\nclass Harm:\n    pass\n"


def change_json(file: Path, **values: Any) -> None:
    """Set keys at the top of a JSON file, which is created if it does not exist."""
    held = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**held, **values}))
