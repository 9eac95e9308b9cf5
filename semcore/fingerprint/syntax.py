"""What a Python file does, as a digest: its syntax tree without docstrings, comments and places;
and what it imports.

Two files with the same digest do the same, whatever their layout, and under every version of
Python.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore.fingerprint import content

FORM = 2
"""Raised when what is read from a file changes: what the user's cache holds of files is read again
then."""
UNNAMED = "*"
"""Stands for an import whose module is only known when it is executed."""
_SKIPPED = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields of nodes that change nothing."""
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+(:\w+)?")
_FORMATTED = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]|\{[^{}]*\}")
"""Parts of a text in whose place something else is written (`%d`, `{}`)."""
_IMPORTERS = {"import_module", "__import__"}
"""Functions that import the module that they are given."""
_RUNNERS = {"exec", "run_path", "run_module", "spec_from_file_location", "SourceFileLoader"}
"""Functions that execute source, wherever it comes from."""
_WHERE = {
    "__file__", "__path__", "__spec__", "__cached__", "co_filename", "getfile", "getsourcefile",
    "getabsfile", "find_spec",
}  # fmt: skip
"""Names by which code finds out where it lies."""
_LISTERS = {"iterdir", "listdir", "scandir", "walk", "walk_packages", "iter_modules"}
"""Functions that find whatever lies in a folder."""
_PLACES = {"importlib.resources", "importlib_resources", "pkgutil"}
"""Modules that find the data files of a package."""


@dataclass(frozen=True)
class Import:
    """An import as it is written: `from ..a.b import c` has level 2, module `a.b` and name `c`."""

    level: int
    module: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a file does.

    Fields:
        digest: of its syntax tree; of its bytes, where it is not Python source
        imports: everywhere in it, those within functions included; not those for type checkers
            alone
        mentioned: texts in it that read like the name of a module
        words: texts in it that may be parts of the names of files, or patterns of them
        asks_where: whether it asks where it lies itself, or for the data of a package
        lists: whether it lists folders
    """

    digest: str
    imports: tuple[Import, ...] = ()
    mentioned: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    asks_where: bool = False
    lists: bool = False


_known: dict[content.Stamp, Source] = {}


def stub(path: Path) -> dict[str, str]:
    """Name -> module that it is in, of a package that imports its names when they are used.

    They are listed in the stub beside its `__init__.py`, as `lazy_loader.attach_stub` reads it.
    """
    beside = path.with_suffix(".pyi")
    if path.name != "__init__.py" or not beside.is_file():
        return {}
    return {
        name: one.module for one in read(beside).imports for name in one.names if one.level == 1
    }


def read(path: Path) -> Source:
    """What a file does; parsed once as long as it stays as it is.

    Raises:
        OSError: it cannot be read
    """
    mark = content.stamp(path)
    if found := _known.get(mark):
        return found
    held = content.stored("source", mark)
    try:
        form, digest, imports, mentioned, words, asks, lists = held
        named = tuple(Import(a, b, tuple(c)) for a, b, c in imports)
        made = Source(digest, named, tuple(mentioned), tuple(words), asks, lists)
        found = made if form == FORM else None
    except (TypeError, ValueError):
        found = None
    if found is None:
        found = parsed(path.read_bytes())
        if content.stamp(path) != mark or not content.settled(mark):
            return found
        imports = [[one.level, one.module, one.names] for one in found.imports]
        values = [found.mentioned, found.words, found.asks_where, found.lists]
        content.store("source", mark, [FORM, found.digest, imports, *values])
    _known[mark] = found
    return found


def parsed(data: bytes) -> Source:
    """What Python source does; of anything else the digest of its bytes alone."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Source(hashlib.blake2b(data, digest_size=16).hexdigest())
    reader = _Reader()
    state = hashlib.blake2b(
        "\x1f".join(reader.tokens(tree)).encode("utf-8", "surrogatepass"), digest_size=16
    )
    mentioned, words = tuple(sorted(reader.mentioned)), tuple(sorted(reader.words))
    imports = tuple(reader.imports)
    return Source(state.hexdigest(), imports, mentioned, words, reader.asks_where, reader.lists)


class _Reader:
    """Walks a syntax tree once."""

    def __init__(self) -> None:
        self.imports: dict[Import, None] = {}
        self.mentioned: set[str] = set()
        self.words: set[str] = set()
        self.asks_where = False
        self.lists = False
        self._called: set[int] = set()

    def tokens(self, tree: ast.AST) -> Iterator[str]:
        """The tree as a sequence of texts that determines it."""
        stack: list[Any] = [tree]
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                yield node
            elif isinstance(node, list):
                stack.append("]")
                stack += reversed(_effective(node))
                stack.append("[")
            elif isinstance(node, ast.AST):
                self._note(node)
                cls: Any = type(node)  # mypy does not see that a class is hashable
                stack.append(")")
                for name in reversed(_fields(cls)):
                    value = getattr(node, name, None)
                    if value is None or value == []:
                        continue
                    stack.append(
                        value
                        if isinstance(value, (ast.AST, list))
                        else f"{type(value).__name__} {value!r}"
                    )
                    stack.append(name)
                stack.append(f"({type(node).__name__}")
            else:
                yield f"{type(node).__name__} {node!r}"

    def _note(self, node: ast.AST) -> None:
        """What a node imports or mentions."""
        if isinstance(node, ast.Import):
            self._imports(*(Import(0, alias.name) for alias in node.names))
        elif isinstance(node, ast.ImportFrom):
            self._imports(
                Import(node.level, node.module or "", tuple(alias.name for alias in node.names))
            )
        elif isinstance(node, ast.Call) and _called(node.func) in _IMPORTERS:
            self._called.add(id(node.func))
            named = (
                node.args[0]
                if node.args
                else next((one.value for one in node.keywords if one.arg == "name"), None)
            )
            text = (
                named.value
                if isinstance(named, ast.Constant) and isinstance(named.value, str)
                else None
            )
            level = len(text) - len(text.lstrip(".")) if text else 0
            self._imports(Import(level, text.lstrip(".")) if text else Import(0, UNNAMED))
        elif _called(node) in _WHERE:
            self.asks_where = True
        elif isinstance(node, ast.alias) and node.asname and node.name in _IMPORTERS | _RUNNERS:
            self._imports(Import(0, UNNAMED))  # whatever it is called by its other name
        elif (
            _called(node) in _RUNNERS
            or _called(node) in _IMPORTERS
            and id(node) not in self._called
        ):
            self._imports(Import(0, UNNAMED))
        elif _called(node) in _LISTERS:
            self.lists = True
        elif isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "*" for one in node.values]
            self._word("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _MODULE.fullmatch(node.value):
                self.mentioned.add(node.value.partition(":")[0])
            self._word(node.value)

    def _imports(self, *found: Import) -> None:
        for one in found:
            self.imports[one] = None
            places = {one.module, *(f"{one.module}.{name}" for name in one.names)}
            self.asks_where |= bool(places & _PLACES)

    def _word(self, text: str) -> None:
        """The parts of a text that may be the name of a file."""
        if 0 < len(text) < 200 and "\n" not in text:
            text = _FORMATTED.sub("*", text)
            self.words.update(part for part in text.split("/") if part.strip("*?."))


@functools.cache
def _fields(cls: Any) -> tuple[str, ...]:
    return tuple(name for name in cls._fields if name not in _SKIPPED)


def _effective(items: list[Any]) -> list[Any]:
    """The items of a list of nodes without docstrings and other statements of no effect, and what
    is for type checkers."""
    found: list[Any] = []
    for item in items:
        if (
            isinstance(item, ast.Pass)
            or isinstance(item, ast.Expr)
            and isinstance(item.value, ast.Constant)
        ):
            continue
        if isinstance(item, ast.If) and _called(item.test) == "TYPE_CHECKING":
            found += _effective(item.orelse)
        else:
            found.append(item)
    return found


def _called(node: ast.AST) -> str:
    """The last part of a dotted name."""
    return (
        node.attr
        if isinstance(node, ast.Attribute)
        else node.id
        if isinstance(node, ast.Name)
        else ""
    )


# ----------------------------------------------------------------------------------- without a file


def code_of(cls: type) -> Iterator[str]:
    """The code of a class that lies in no file, and of the functions of its module that it
    calls."""
    todo = [
        function
        for base in cls.__mro__
        for function in vars(base).values()
        if base.__module__ == cls.__module__
    ]
    seen: set[int] = set()
    while todo:
        one = todo.pop(0)
        function = (
            getattr(one, "__func__", None)
            or getattr(one, "fget", None)
            or getattr(one, "func", None)
            or one
        )
        code = getattr(function, "__code__", None)
        if code is None or id(code) in seen:
            continue
        seen.add(id(code))
        yield from _code(code)
        names = getattr(function, "__globals__", {})
        for name in code.co_names:
            value = names.get(name)
            if getattr(value, "__module__", None) == cls.__module__:
                todo.append(value)
            elif isinstance(value, (bool, int, float, str, bytes, tuple)):
                yield f"{name} = {value!r}"


def _code(code: Any) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from _code(constant)
        elif constant is not code.co_consts[0] or not isinstance(
            constant, str
        ):  # the first may be the docstring
            yield repr(constant)
