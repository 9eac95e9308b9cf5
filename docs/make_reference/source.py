"""Classes and functions as written in the source: signatures are quoted, not evaluated."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prose import docstring, fence, page, signature


@dataclass(frozen=True)
class Attribute:
    """An assignment, in one line of source. `doc`: the string below it."""

    declared: str
    doc: str


def of(thing: Any) -> ast.ClassDef | ast.FunctionDef:
    """The definition of a class or function."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    assert isinstance(node, (ast.ClassDef, ast.FunctionDef))
    return node


def decorators(node: ast.ClassDef | ast.FunctionDef) -> set[str]:
    """Names of the decorators: `dataclass`, `property`, ..."""
    return {
        ast.unparse(one.func if isinstance(one, ast.Call) else one).split(".")[-1]
        for one in node.decorator_list
    }


def call(node: ast.FunctionDef, name: str = "") -> str:
    """The call of a function, without `self` or `cls`."""
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    values: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults)) + [
        *arguments.defaults
    ]
    made = [
        _parameter(*pair)
        for pair in zip(positional, values, strict=True)
        if pair[0].arg not in ("self", "cls")
    ]
    if arguments.vararg:
        made.append(f"*{_parameter(arguments.vararg, None)}")
    elif arguments.kwonlyargs:
        made.append("*")
    made += [
        _parameter(*pair) for pair in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    returns = written(node.returns) if node.returns and node.name != "__init__" else ""
    return signature(name or node.name, made, returns)


def _parameter(argument: ast.arg, value: ast.expr | None) -> str:
    return _declared(argument.arg, argument.annotation, value)


def _declared(name: str, annotation: ast.expr | None, value: ast.expr | None) -> str:
    return (
        name
        + (f": {written(annotation)}" if annotation else "")
        + (f" = {_default(value)}" if value else "")
    )


def written(node: ast.AST) -> str:
    """Source in double quotes, as this project writes it."""
    return ast.unparse(node).replace("'", '"')


def _default(value: ast.expr) -> str:
    """A default; of `field(default_factory=f)` the result of the factory."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "field":
        (factory,) = (
            ast.unparse(one.value) for one in value.keywords if one.arg == "default_factory"
        )
        return {"dict": "{}", "list": "[]"}.get(factory, f"{factory}()")
    return written(value)


def construction(node: ast.ClassDef) -> str:
    """The constructor call of a class; "" if it is not public."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return call(item, node.name)
    fields = [
        _declared(ast.unparse(item.target), item.annotation, item.value)
        for item in node.body
        if isinstance(item, ast.AnnAssign)
        and not ast.unparse(item.annotation).startswith("ClassVar")
    ]
    return signature(node.name, fields) if fields else ""


def attributes(node: ast.ClassDef) -> list[Attribute]:
    """The class attributes, each with the string below it."""
    found = []
    for item, said in _with_strings(node.body):
        if isinstance(item, ast.AnnAssign) and ast.unparse(item.annotation).startswith("ClassVar["):
            annotation = written(item.annotation)[len("ClassVar[") : -1]
            value = f" = {_default(item.value)}" if item.value else ""
            found.append(Attribute(f"{ast.unparse(item.target)}: {annotation}{value}", said))
    return found


def alias(module: str, name: str) -> Attribute:
    """A type alias of a module, with the string below it."""
    for item, said in _with_strings(
        ast.parse(inspect.getsource(importlib.import_module(module))).body
    ):
        if isinstance(item, ast.Assign) and ast.unparse(item.targets[0]) == name:
            return Attribute(ast.unparse(item), said)
    raise LookupError(f"{module} assigns no {name}")


def _with_strings(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Statements, each with the string below it."""
    for item, below in zip(body, [*body[1:], ast.Pass()], strict=True):
        said = (
            below.value.value
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            else ""
        )
        yield item, said if isinstance(said, str) else ""


def methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """The public methods and properties of its own, in their order."""
    return [
        item
        for item in node.body
        if isinstance(item, ast.FunctionDef) and not item.name.startswith("_")
    ]


def method(item: ast.FunctionDef, owner: str, level: int = 4) -> str:
    """A method or property under a heading of its own."""
    kinds = decorators(item)
    shown = call(item)
    if kinds & {"property", "cached_property"}:
        shown = f"{item.name}: {written(item.returns) if item.returns else 'Any'}"
    notes = [text for kind, text in _NOTES.items() if kind in kinds]
    note = f"*{', '.join(notes)}*" if notes else ""
    return page(
        f"{'#' * level} `{owner}.{item.name}`" if owner else f"{'#' * level} `{item.name}`",
        note, fence(shown, "python"), docstring(ast.get_docstring(item)),
    ).rstrip()  # fmt: skip


_NOTES = {
    "classmethod": "class method",
    "staticmethod": "static method",
    "property": "property",
    "cached_property": "property",
    "abstractmethod": "to be implemented",
}
