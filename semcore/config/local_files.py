"""Python files beside a pipeline, named under `plugins:`, that register components with
`@semcore.register`."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from semcore.config.document import Document
from semcore.entrypoints import naming
from semcore.errors import PluginError, Problem
from semcore.fingerprint import origin


def register_files(values: Mapping[str, Any], document: Document) -> list[Problem]:
    """Run the files under `plugins:`; each once a process, and again when it has changed."""
    files = values.get("plugins") or []
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        return [
            document.problem(
                ("plugins",), "plugins is a list of files, for example [./my_channel.py]"
            )
        ]
    problems = []
    for index, name in enumerate(files):
        if not name.endswith(".py"):
            problem = document.problem(
                ("plugins", index), f"{name!r} is not a plugin file: its name must end in .py"
            )
            problems.append(problem)
            continue
        path = document.folder / name
        if not os.path.isfile(path):
            hint = f"looked for {os.path.normpath(path.absolute())}"
            problems.append(
                document.problem(("plugins", index), f"there is no file {name!r}", hint)
            )
            continue
        try:
            _run(path.resolve())
        except PluginError as error:
            problems.append(document.problem(("plugins", index), f"{name}: {error}"))
        except (Exception, SystemExit) as error:  # a plugin file can raise anything
            message = f"{name} cannot be imported: {type(error).__name__}: {error}"
            problems.append(document.problem(("plugins", index), message))
    return problems


class _Source(importlib.machinery.SourceFileLoader):
    """Reads the source itself: bytecode kept beside it is stale if it was edited twice within a
    second."""

    def path_stats(self, path: str) -> Any:
        raise OSError("bytecode is neither read nor written")


def _run(path: Path) -> None:
    """Import a file under a unique name, so that it cannot shadow an installed module."""
    imported = origin.beside(path)
    parts = [
        str(path).encode(),
        path.read_bytes(),
        *(item.encode() for pair in sorted(imported.items()) for item in pair),
    ]
    mark = hashlib.blake2b(b"\0".join(parts), digest_size=6).hexdigest()
    name = f"{origin.FILES}{mark}_{path.stem}"
    if name in sys.modules:
        naming.renew(name)  # another pipeline's files may have taken its names
        return
    origin.unload(imported)
    loader = _Source(name, str(path))
    module = importlib.util.module_from_spec(
        importlib.machinery.ModuleSpec(name, loader, origin=str(path))
    )
    module.__file__ = str(path)
    # It stays in sys.modules: annotations and pickles of its classes are resolved there.
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    origin.own(name)  # notes what it does now, whatever becomes of the files
