"""Docstrings and signatures as Markdown for code hosts."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence

WIDTH = 100
"""Columns of a signature."""

SECTIONS = {"Fields": "Fields", "Args": "Arguments", "Returns": "Returns", "Raises": "Raises"}
_SECTION = re.compile(rf"({'|'.join(SECTIONS)}):$")
_ITEM = re.compile(r"(\w[\w.]*): (.*)$")
_CODE = re.compile(r"(`+[^`]+`+)")
_MARKUP = re.compile(r"[\\*<~$]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])|&(?=#?\w+;)")
"""What would be markup. A `_` inside a word is none."""
_START = re.compile(
    r"^(?=>|#{1,6}(\s|$)|[-+](\s|$)|-[-\s]*$)|(?<=^\d)(?=[.)](\s|$))|(?<=^\d\d)(?=[.)](\s|$))"
)
"""Where a paragraph would begin as something else: a quotation, a heading, a list, a line."""


def escaped(text: str) -> str:
    """Plain text on one line: backticks stay code, everything else is escaped."""
    parts = _CODE.split(" ".join(text.split()))
    parts[::2] = [_MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
    return _START.sub(r"\\", "".join(parts))


def cell(text: str) -> str:
    """`escaped`, for a cell of a table: there a `|` ends the cell, even in code."""
    return escaped(text).replace("|", r"\|")


def code(text: str) -> str:
    """Text in backticks."""
    return f"`{text}`" if text else ""


def fence(text: str, language: str = "text") -> str:
    """A block that is shown as it is. Not `console` or `yaml`, which the tests run."""
    return f"```{language}\n{text.rstrip()}\n```"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(*blocks: str) -> str:
    """Blocks with an empty line between them."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def docstring(text: str | None) -> str:
    """A docstring: paragraphs, indented blocks as they are, and its sections of arguments."""
    made: list[str] = []
    section = ""
    for block in _blocks(inspect.cleandoc(text or "")):
        lines = block.splitlines()
        if lines and (found := _SECTION.match(lines[0])):
            section, lines = found[1], lines[1:]
            made.append(f"{SECTIONS[section]}:")
        if not lines:
            continue
        if not lines[0].startswith(" "):
            section = ""
        body = textwrap.dedent("\n".join(lines))
        if section:
            made.append(_items(body))
        elif all(not line or line.startswith("    ") for line in lines):
            made.append(fence(body, "python" if _is_python(body) else "text"))
        else:
            made.append(escaped(body))
    return "\n\n".join(made)


def _blocks(text: str) -> list[str]:
    """Blocks between empty lines; an empty line in an indented block does not end it."""
    made: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        if made and made[-1].startswith("    ") and block.startswith("    "):
            made[-1] += f"\n\n{block}"
        else:
            made.append(block)
    return made


def _is_python(text: str) -> bool:
    try:
        return bool(ast.parse(text).body)
    except SyntaxError:
        return False


def _items(text: str) -> str:
    """Lines `name: meaning` with indented continuations as a list; other text unchanged."""
    items: list[tuple[str, str]] = []
    for line in text.splitlines():
        if (found := _ITEM.match(line)) is not None:
            items.append((found[1], found[2]))
        elif items:
            items[-1] = (items[-1][0], f"{items[-1][1]} {line.strip()}")
        else:
            return escaped(text)
    return "\n".join(f"- `{name}`: {escaped(meaning)}" for name, meaning in items)


def signature(name: str, parameters: Sequence[str], returns: str = "") -> str:
    """A call on one line, or with one parameter per line if that is too long."""
    end = f" -> {returns}" if returns else ""
    line = f"{name}({', '.join(parameters)}){end}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {parameter}," for parameter in parameters), f"){end}"])
