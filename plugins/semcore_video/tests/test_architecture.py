"""What the modules of the package load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "semcore_video"
HEAVY = {"mixer", "transports.codebook", "jscc.networks", "speech.networks", "metrics.iresnet"}
"""Networks: components import them when they are used."""


def test_torch_is_loaded_by_training_alone() -> None:
    modules = [
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in sorted(PACKAGE.rglob("*.py"))
    ]
    light = [name for name in modules if not name.startswith("training.") and name not in HEAVY]
    names = [f"{PACKAGE.name}.{name}".removesuffix(".__init__") for name in light]
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=900)
