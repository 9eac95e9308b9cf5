"""Libraries that an extra of a package brings."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator, Mapping

from semcore.errors import RunError


def not_installed(libraries: Mapping[str, str]) -> str:
    """Which modules of extras are missing and how to install them, found without importing; or "".

    Args:
        libraries: top-level module -> extra that brings it
    """
    lacking = [module for module in libraries if importlib.util.find_spec(module) is None]
    if not lacking:
        return ""
    wanted = " ".join(f"'{extra}'" for extra in dict.fromkeys(libraries[one] for one in lacking))
    return f"it needs {', '.join(lacking)}: pip install {wanted}"


@contextlib.contextmanager
def extra(requirement: str, what: str) -> Iterator[None]:
    """Around the import of a library that an extra of its package brings, and that may be missing.

        with semcore.extra("semcore-video[metrics]", "STOI needs pystoi"):
            from pystoi import stoi

    Args:
        requirement: the extra as pip takes it
        what: the part that cannot work without the library, and its name

    Raises:
        RunError: the import failed, with the line that installs the extra
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise RunError(f"{what}: pip install '{requirement}'") from error
    except ImportError as error:  # it is there, and a shared library or a name of another is not
        reason = " ".join(str(error).split())[:300]
        raise RunError(
            f"{what}, which cannot be imported ({reason}): pip install --upgrade '{requirement}'"
        ) from error
