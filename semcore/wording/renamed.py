"""Public Python names that have a new name: the old one works for one minor version, and warns."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Renamed:
    """A public name that goes away.

    Fields:
        new: the name to use, in the same module
        gone_in: the version without the old name: at least one minor version after the warning
    """

    new: str
    gone_in: str


def find_renamed(module: str, name: str, names: Mapping[str, Renamed]) -> Any:
    """What an old name of a module stands for, with a warning; for `__getattr__` of that module.

    The warning is a FutureWarning, which Python shows by default, at the line that uses the name.

    Raises:
        AttributeError: the module has no such name, old or new
    """
    found = names.get(name)
    if found is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    warnings.warn(
        f"{module}.{name} is deprecated and gone in version {found.gone_in}: use "
        f"{module}.{found.new}",
        FutureWarning,
        stacklevel=3,
    )
    return getattr(sys.modules[module], found.new)
