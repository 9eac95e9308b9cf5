"""Python files beside a pipeline, named under `plugins:`, that register components with
`@semcore.register`."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from semcore.config.document import Document
from semcore.entrypoints import discovery, naming
from semcore.errors import PluginError, Problem
from semcore.fingerprint import origin

Imported = dict[str, tuple[Path, str]]
"""Module -> its file and digest."""


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
    seen: dict[str, tuple[str, Imported]] = {}
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
            module, imported = _run(path.resolve())
            problems += [
                document.problem(("plugins", index), f"{name}: {reason}", hint)
                for reason, hint in _clashes(name, module, imported, seen)
            ]
            seen[name] = module, imported
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


def _clashes(
    name: str, module: str, imported: Imported, seen: Mapping[str, tuple[str, Imported]]
) -> Iterator[tuple[str, str]]:
    """Why a plugin file cannot be used beside those before it, with what to do."""
    for kind, word in sorted(naming.of_module(module)):
        if brought := discovery.entries(kind).get(word):
            package = brought[0].package
            yield f"{kind} {word!r} is a component of {package}", "give this one another name"
    for other, (its_module, its_imports) in seen.items():
        if its_module == module:
            continue
        for kind, word in sorted(naming.of_module(module) & naming.of_module(its_module)):
            yield f"{kind} {word!r} is registered by {other}, too", "give one of them another name"
        for shared in sorted(imported.keys() & its_imports.keys()):
            if imported[shared][0] != its_imports[shared][0]:
                yield (
                    f"it imports the module {shared} of its folder, and {other} imports another "
                    f"{shared}: Python loads one of them",
                    "give one of them another name",
                )


def _run(path: Path) -> tuple[str, Imported]:
    """Import a file under a unique name, so that it cannot shadow an installed module.

    Returns:
        that name; the modules that the file imports from its folder
    """
    imported = origin.beside(path)
    known = sorted((name, digest) for name, (_, digest) in imported.items())
    parts = [
        str(path).encode(),
        path.read_bytes(),
        *(item.encode() for one in known for item in one),
    ]
    mark = hashlib.blake2b(b"\0".join(parts), digest_size=6).hexdigest()
    name = f"{origin.FILES}{mark}_{path.stem}"
    if name in sys.modules:
        naming.renew(name)  # another pipeline's files may have taken its names
        return name, imported
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
    return name, imported
