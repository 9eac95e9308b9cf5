"""Source, pages and examples use the words of the field."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ("semcore", *(f"plugins/semcore_{name}/semcore_{name}" for name in ("channels", "llm")))
SOURCES += ("plugins/semcore_image/semcore_image", "plugins/semcore_video/semcore_video", "docs")
PAGES = (
    "README.md",
    "docs/*.md",
    "examples/*.yaml",
    "plugins/*/README.md",
    "plugins/**/weights/**/*.md",
)
DIALECT = re.compile(
    r"\b(told|mend(s|ed)?|(?<!, )so many|reckon\w*|anew|heard)\b"
    r"|(?<![Tt]here )\bis no(ne)? (?!longer)"
)
NAMES = {"told", "heard", "mend"}
LAYERS = {
    "plugins/semcore_image/semcore_image/jscc/deepjscc.py": {"told"},
    "plugins/semcore_image/semcore_image/mmsemcom/unet.py": {"told"},
    "plugins/semcore_video/semcore_video/jscc/networks.py": {"told", "heard"},
    "plugins/semcore_video/semcore_video/mixer.py": {"told"},
}
"""Names of layers in the shipped weights."""
QUOTED = {"plugins/semcore_video/semcore_video/metrics/lip_fit.py": {"heard"}}
"""Words in the signature of a metric, which is part of the ids of runs."""


def test_the_source_is_plain() -> None:
    files = [path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 300
    found = {}
    for path in files:
        name = str(path.relative_to(ROOT))
        if lines := dialect(path, LAYERS.get(name, ()), QUOTED.get(name, ())):
            found[name] = lines
    assert not found


@pytest.mark.parametrize("pattern", PAGES)
def test_pages_and_examples_are_plain(pattern: str) -> None:
    files = sorted(ROOT.glob(pattern))
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}
    assert texts
    assert not {name: found for name, text in texts.items() if (found := words(text))}


def test_a_word_of_the_dialect_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text('"""There is no file."""\n# it is no file\nheard = "told so many"\n')
    assert dialect(file) == ["2: is no ", "3: the name heard", "3: told", "3: so many"]
    assert dialect(file, {"heard"}, {"told", "so many"}) == ["2: is no "]
    assert words("It is no longer\ntold so\nmany") == ["told", "so many"]


def dialect(path: Path, names: Collection[str] = (), quoted: Collection[str] = ()) -> list[str]:
    """Lines of a file with a word of the dialect in a string, a comment or a name.

    Args:
        names: names that are allowed
        quoted: words that are allowed in strings and comments
    """
    found = []
    source = io.StringIO(path.read_text(encoding="utf-8"))
    for token in tokenize.generate_tokens(source.readline):
        line = token.start[0]
        if token.type == tokenize.NAME and token.string in NAMES.difference(names):
            found.append(f"{line}: the name {token.string}")
        elif token.type not in (tokenize.NAME, tokenize.OP):
            found += [f"{line}: {word}" for word in words(token.string) if word not in quoted]
    return found


def words(text: str) -> list[str]:
    """The words of the dialect in a text."""
    return [match.group() for match in DIALECT.finditer(" ".join(text.split()))]
