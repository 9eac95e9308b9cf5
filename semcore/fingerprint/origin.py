"""The digest of a component's source, with all that it imports and the versions of libraries.

A package counts with what its files do, because a version can be forgotten. Imports are followed
within semcore, packages with components, and files of no distribution; other libraries (PyTorch,
Pillow, Sionna, ...) count with their versions. A process keeps the digest of the code that it has
loaded, even if the file changes.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.entrypoints import discovery
from semcore.fingerprint import content, libraries, syntax
from semcore.fingerprint.data_files import Reads
from semcore.fingerprint.syntax import UNNAMED, Import, Source

CORE = "semcore"
INSTALLED = {"site-packages", "dist-packages"}
INDIFFERENT = {
    "_typeshed", "annotated_types", "click", "huggingface_hub", "httpx", "jinja2", "lazy_loader",
    "markupsafe", "matplotlib", "packaging", "pluggy", "pydantic", "pydantic_core", "rich",
    "threadpoolctl", "typing_extensions", "yaml",
}  # fmt: skip
"""Libraries that read, write and draw, and compute no result."""
SUFFIXES = (*importlib.machinery.SOURCE_SUFFIXES, *importlib.machinery.EXTENSION_SUFFIXES)
FILES = "semcore_file_"
"""Prefix of the modules that files under `plugins:` become: `semcore_file_DIGEST_NAME`."""


@dataclass(frozen=True)
class Origin:
    """Where results come from.

    Fields:
        source: the digest of what the source does, and of the data files beside it
        roots: the outermost modules of the libraries that compute besides
    """

    source: str
    roots: tuple[str, ...] = ()

    @functools.cached_property
    def libraries(self) -> dict[str, str]:
        """Distribution -> version; with what it was built with, where that makes a difference. May
        import the library."""
        return {
            name: version
            for root in self.roots
            for name, version in libraries.versions(root).items()
        }

    @functools.cached_property
    def digest(self) -> str:
        """Of the source and the versions of the libraries."""
        return _hash(self.source, self.libraries)


@dataclass(frozen=True)
class _Module:
    name: str
    path: Path
    package: bool


_known: dict[tuple[str, ...], Origin] = {}
_own: dict[str, str] = {}
_loaded: dict[str, tuple[Any, Source]] = {}
"""Module -> the spec that it was loaded by, and what its file did then."""
_edges: dict[_Module, tuple[Source, list[_Module], set[str]]] = {}
"""Module -> what it does, and what it imports."""


def refresh() -> None:
    """Look at the files again: what this process has not loaded yet may have been edited."""
    _known.clear()
    _own.clear()


def of(cls: type) -> Origin:
    """The origin of a class: of the modules of it and of the classes that it builds on."""
    names = dict.fromkeys(base.__module__ for base in cls.__mro__ if base.__module__ != "builtins")
    found = of_modules(*names)
    own = sys.modules.get(cls.__module__)
    if own is None or not getattr(own, "__file__", None):  # typed in: a notebook, an interpreter
        return Origin(_hash(found.source, list(syntax.code_of(cls))), found.roots)
    return found


def source_digest(cls: type) -> str:
    """The digest of what a class does: of its source, and of the versions of the libraries that
    compute in its place."""
    return of(cls).digest


def of_modules(*names: str) -> Origin:
    """The origin of what modules do."""
    if names not in _known:
        _known[names] = _origin(names)
    return _known[names]


def _origin(names: Iterable[str]) -> Origin:
    modules, roots = _closure(filter(None, (_located(name) for name in names)))
    sources = sorted((_lasting(one.name), _source(one).digest) for one in modules.values())
    return Origin(_hash(sources, _data(modules.values())), tuple(sorted(roots)))


def beside(path: Path) -> dict[str, tuple[Path, str]]:
    """Module -> file and its digest, as it is on disk, of what a plugin file imports from its
    folder."""
    start = _Module(f"{FILES}0_{path.stem}", path, False)
    modules, _ = _closure([start], fresh=True, without={CORE, *_bringing()})
    return {
        name: (one.path, syntax.read(one.path).digest)
        for name, one in modules.items()
        if one is not start
    }


def own(name: str) -> str:
    """The digest of what a module does, with the files that it imports from its surroundings:
    without semcore and packages of components, which are many, so that looking a name up costs
    little."""
    if name not in _own:
        modules, _ = _closure(filter(None, [_located(name)]), without={CORE, *_bringing()})
        _own[name] = _hash(
            sorted((_lasting(one.name), _source(one).digest) for one in modules.values())
        )
    return _own[name]


def unload(modules: dict[str, tuple[Path, str]]) -> None:
    """Forget those of the modules of `beside` that are loaded as they were before an edit, or from
    another folder: they are imported again."""
    for name, (_, digest) in modules.items():
        if name in sys.modules and name in _loaded and _loaded[name][1].digest != digest:
            del sys.modules[name], _loaded[name]


def _hash(*parts: Any) -> str:
    return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _lasting(name: str) -> str:
    """The name of a module without the digest that a plugin file has in it."""
    return name.removeprefix(FILES).partition("_")[2] if name.startswith(FILES) else name


# ------------------------------------------------------------------------------------ which modules


def _closure(
    start: Iterable[_Module], fresh: bool = False, without: Iterable[str] = ()
) -> tuple[dict[str, _Module], set[str]]:
    """The modules of `start` and of what they import, and the roots of all others that they import.

    Args:
        fresh: whether files are looked at as they are on disk, and not as this process loaded them
        without: roots whose modules are left out
    """
    todo, modules, others = list(start), dict[str, _Module](), set[str]()
    beside_ = {one.path.parent for one in todo if one.name.startswith(FILES)}
    while todo:
        one = todo.pop()
        if one.name in modules:
            continue
        modules[one.name] = one
        source = syntax.read(one.path) if fresh else _source(one)
        known = _edges.get(one)
        if known is None or known[0] is not source:
            known = source, *_imports(one, source, beside_)
            # what is missing now may be found later, when its folder is on the path
            if all(map(_located, known[2])):
                _edges[one] = known
        todo += [found for found in known[1] if found.name.partition(".")[0] not in without]
        others |= known[2]
    return modules, others


def _imports(
    module: _Module, source: Source, folders: Iterable[Path]
) -> tuple[list[_Module], set[str]]:
    """The modules that one imports, and the roots of those that count with their versions."""
    followed, others = dict[str, _Module](), set[str]()
    for name in _imported(module, source):
        root = name.partition(".")[0]
        if name in followed or root in sys.stdlib_module_names or root in INDIFFERENT:
            continue
        found = _located(name, folders)
        if found is not None and _followed(root, found.path):
            followed[name] = found
        elif root not in (CORE, ""):
            others.add(root)
    return list(followed.values()), others


def _imported(module: _Module, source: Source) -> Iterator[str]:
    """Full names of what a module imports: modules, and what may be one or something in one."""
    own = module.name if module.package else module.name.rpartition(".")[0]
    for one in source.imports:
        if one.module == UNNAMED:
            # what semcore looks up by name is a component, and counts as one
            if module.name.startswith(FILES):
                yield from (path.stem for path in sorted(module.path.parent.glob("*.py")))
            elif module.name.partition(".")[0] != CORE:
                yield from _below(module.name.partition(".")[0])
            continue
        yield from _full(one, own)
    root = module.name.partition(".")[0]
    yield from (
        name for name in source.mentioned if name.partition(".")[0] == root and _located(name)
    )


def _full(one: Import, own: str) -> Iterator[str]:
    base = one.module
    if one.level:
        parts = own.split(".")
        kept = parts[: len(parts) - one.level + 1]
        base = ".".join([*kept, *filter(None, [one.module])])
    parts = base.split(".")
    yield from (".".join(parts[: count + 1]) for count in range(len(parts)))
    lazy = syntax.stub(package.path) if (package := _located(base)) else {}
    for name in one.names or lazy:  # of `import package`, any of its names may be used
        if name == "*":
            yield from _below(base, deep=False)
        elif name in lazy:
            yield f"{base}.{lazy[name]}"
        elif (found := _located(f"{base}.{name}")) is not None:
            yield found.name


def _below(name: str, deep: bool = True) -> Iterator[str]:
    """The modules of a package."""
    if not (found := _located(name)) or not found.package:
        return
    for path in sorted(found.path.parent.glob("*")):
        if path.name.endswith(SUFFIXES) and path.name != "__init__.py":
            yield f"{name}.{path.name.partition('.')[0]}"
        elif deep and (path / "__init__.py").is_file():
            yield f"{name}.{path.name}"
            yield from _below(f"{name}.{path.name}")


def _located(name: str, folders: Iterable[Path] = ()) -> _Module | None:
    """The file of a module, found without importing it; None if it does not exist or is built
    in."""
    root, *rest = name.split(".")
    # A module of the same name may be loaded from the folder of another plugin file.
    for folder in folders:
        if (found := _within(folder, [root, *rest])) and not _is_installed(root):
            return _Module(name, *found)
    loaded = sys.modules.get(name)
    if file := getattr(loaded, "__file__", None):
        return _Module(name, Path(file), hasattr(loaded, "__path__"))
    places = _places(root, folders)
    if not rest:
        return next(
            (_Module(name, path, package) for path, package in places if path.is_file()), None
        )
    for path, package in places:
        if package and (found := _within(path.parent, rest)):
            return _Module(name, *found)
    return None


def _is_installed(root: str) -> bool:
    """Whether a top-level module is that of an installed distribution."""
    try:
        spec = importlib.util.find_spec(root)
    except Exception:  # a third-party finder can raise anything
        return False
    return bool(spec and spec.origin and INSTALLED & set(Path(spec.origin).parts))


def _places(root: str, folders: Iterable[Path]) -> list[tuple[Path, bool]]:
    """Where a top-level module may lie, and whether it is a package there."""
    try:
        spec = importlib.util.find_spec(root)
    except Exception:  # a third-party finder can raise anything
        spec = None
    if spec is not None:
        if spec.submodule_search_locations is not None:
            return [
                (Path(place) / "__init__.py", True) for place in spec.submodule_search_locations
            ]
        return [(Path(spec.origin), False)] if spec.origin and os.path.isabs(spec.origin) else []
    return [
        (path, package)
        for folder in folders
        for path, package in filter(None, [_within(folder, [root])])
    ]


def _within(folder: Path, parts: list[str]) -> tuple[Path, bool] | None:
    """The file of a module below a folder, and whether it is a package."""
    place = folder.joinpath(*parts)
    if (place / "__init__.py").is_file():
        return place / "__init__.py", True
    for suffix in SUFFIXES:
        if (path := place.with_name(place.name + suffix)).is_file():
            return path, False
    return None


def _followed(root: str, path: Path) -> bool:
    """Whether a module counts with its source, and not with the version of its distribution."""
    if root == CORE or root in _bringing():
        return True
    return not INSTALLED & set(path.parts) or not libraries.distribution(root)


def _bringing() -> frozenset[str]:
    """The outermost packages of the modules that bring components."""
    return frozenset(entry.root for one in discovery.everything() for entry in one.entries)


def _source(module: _Module) -> Source:
    """What a module does: what it did when this process loaded it, or will do when it is loaded."""
    loaded = sys.modules.get(module.name)
    if loaded is None:
        return syntax.read(module.path)
    spec = getattr(loaded, "__spec__", None) or loaded
    known = _loaded.get(module.name)
    if known is None or known[0] is not spec:
        known = _loaded[module.name] = spec, syntax.read(module.path)
    return known[1]


# --------------------------------------------------------------------------------------------- data


def _data(modules: Iterable[_Module]) -> list[tuple[str, str, str]]:
    """The data files that packages read from beside their modules, by name and digest.

    Those count of which a module that asks where it lies, or another one of its package, mentions
    every part of the name; and where a module lists folders, whatever lies below those that are
    mentioned, or below its own if it asks where that is.
    """
    packages: dict[str, Reads] = {}
    for one in modules:
        root, source = one.name.partition(".")[0], _source(one)
        if root != CORE:
            packages.setdefault(root, Reads()).add(one.path, _outermost(one), source)
    found = [
        (_lasting(root), os.path.relpath(path, min(reads.folders)), content.file_digest(path))
        for root, reads in packages.items()
        if reads.asks
        for path in reads.files()
    ]
    return sorted(found)


def _outermost(module: _Module) -> Path:
    """The folder of the outermost package of a module."""
    up = module.name.count(".") - (not module.package)
    return module.path.parents[max(up, 0)] if len(module.path.parents) > up else module.path.parent
