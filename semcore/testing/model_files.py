"""Files of models for tests: some do harm to whoever executes them, others are trained again.

The harm is an empty file that exists afterwards.
"""

from __future__ import annotations

import json
import os
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


def retrain(file: Path) -> None:
    """Change the numbers of a safetensors file, and keep its names, size, metadata and times."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save

    known, held = file.stat(), load_file(file)
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    changed = {name: value.flip(0) if value.ndim else value for name, value in held.items()}
    file.write_bytes(save(changed, metadata))
    assert file.stat().st_size == known.st_size
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
