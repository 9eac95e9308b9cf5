"""A component is known by what its source does."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore.fingerprint import libraries, origin, syntax

CHANNEL = '''"""A channel."""
from dataclasses import dataclass

import semcore
from semcore.types import Received
{imports}

@dataclass(frozen=True)
class Loud(semcore.ChannelModel):
    """Adds nothing.

    Fields:
        gain: of everything
    """

    gain: float = 1.0

    def transmit(self, symbols, rng):
        {body}
'''
BODY = "return Received(symbols.values, symbols.values.real * 0 + 1e-9, symbols.layout)"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that lies outside of where packages are installed, as an editable one does."""
    root = tmp_path / "src" / "loudness"
    (root / "parts").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "channel.py": CHANNEL.format(imports="from loudness.parts import level", body=BODY),
        "parts/__init__.py": "",
        "parts/level.py": "from . import deep\nLEVEL = 1.0\n",
        "parts/deep.py": "DEEP = 1\n",
        "parts/lazy.py": "LAZY = 1\n",
        "other.py": "OTHER = 1\n",
    }
    for name, text in files.items():
        (root / name).write_text(text)
    monkeypatch.syspath_prepend(str(root.parent))
    yield root
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "loudness"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    origin.refresh()


def source_of(root: Path) -> str:
    """The digest that a new process would see."""
    _forget()
    return origin.of(importlib.import_module("loudness.channel").Loud).source


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


@pytest.mark.parametrize("imports", ["from loudness import LAZY", "import loudness"])
def test_a_name_that_a_package_imports_when_it_is_used_counts(package: Path, imports: str) -> None:
    lazily = "__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)"
    (package / "__init__.py").write_text(f"import lazy_loader\n{lazily}\n")
    (package / "__init__.pyi").write_text("from .parts.lazy import LAZY as LAZY\n")
    edit(package / "channel.py", "from loudness.parts import level", imports)
    before = source_of(package)
    edit(package / "other.py", "1", "2")
    assert source_of(package) == before
    edit(package / "parts" / "lazy.py", "1", "2")
    assert source_of(package) != before


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("channel.py", "1e-9", "1e-7"),
        ("channel.py", "symbols.values, symbols", "100 * symbols.values, symbols"),
        ("channel.py", "gain: float = 1.0", "gain: float = 2.0"),
        ("parts/level.py", "LEVEL = 1.0", "LEVEL = 1"),
        ("parts/deep.py", "DEEP = 1", "DEEP = -1"),
        ("__init__.py", "", "import loudness.other"),
    ],
)
def test_a_line_that_matters_is_never_missed(
    package: Path, file: str, before: str, after: str
) -> None:
    found = source_of(package)
    if before:
        edit(package / file, before, after)
    else:
        (package / file).write_text(after)
    assert source_of(package) != found


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("channel.py", '"""Adds nothing.', '"""Adds nothing at all.'),
        ("channel.py", '"""A channel."""', "# a channel"),
        ("channel.py", "    gain: float = 1.0", "    # of everything\n\n    gain: float = 1.0"),
        ("channel.py", BODY, f"return (\n            {BODY.removeprefix('return ')}\n        )"),
        ("parts/deep.py", "DEEP = 1", "DEEP = 1  # one"),
        ("parts/level.py", "LEVEL = 1.0", 'LEVEL = 1.0\n"""The level."""'),
        ("other.py", "OTHER = 1", "OTHER = 2"),
    ],
)
def test_what_changes_nothing_costs_nothing(
    package: Path, file: str, before: str, after: str
) -> None:
    found = source_of(package)
    edit(package / file, before, after)
    assert source_of(package) == found


@pytest.mark.parametrize(
    "statement",
    [
        "from loudness.parts import lazy",
        "from .parts.lazy import LAZY",
        "import loudness.parts.lazy as it",
        "import importlib; importlib.import_module('loudness.parts.lazy')",
        "from importlib import import_module; import_module('.parts.lazy', 'loudness')",
        "__import__('loudness.parts.lazy')",
        "import importlib; name = 'lazy'; importlib.import_module('loudness.parts.' + name)",
        "import importlib; call = importlib.import_module; name = 'lazy'; call('loudness.parts.' + "
        "name)",
        "from importlib import import_module as load; name = 'lazy'; "
        "load(f'loudness.parts.{name}')",
        "import runpy, os; runpy.run_path(os.path.join(os.path.dirname(__file__), 'parts', "
        "'lazy.py'))",
        "from pathlib import Path; exec((Path(__file__).parent / 'parts' / 'lazy.py').read_text())",
        "from importlib.util import spec_from_file_location as at; at('lazy', "
        "__file__.replace('channel', 'parts/lazy'))",
        "WHERE = {'it': 'loudness.parts.lazy:LAZY'}",
        "from .parts import *",
    ],
)
def test_imports_count_however_they_are_written(package: Path, statement: str) -> None:
    """Within a function, too, where a wildcard is not allowed."""
    text = CHANNEL.format(
        imports="from loudness.parts import level", body=f"{statement}\n        {BODY}"
    )
    if statement.endswith("*"):
        text = CHANNEL.format(imports=statement, body=BODY)
    (package / "channel.py").write_text(text)
    found = source_of(package)
    edit(package / "parts/lazy.py", "LAZY = 1", "LAZY = 2")
    assert source_of(package) != found


def test_what_is_for_type_checkers_alone_does_not_count(package: Path) -> None:
    text = CHANNEL.format(
        imports="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import loudness.other",
        body=BODY,
    )
    (package / "channel.py").write_text(text)
    found = source_of(package)
    edit(package / "other.py", "OTHER = 1", "OTHER = 2")
    assert source_of(package) == found


def test_data_beside_the_code_counts_where_the_code_reads_it(package: Path) -> None:
    imports = (
        "from pathlib import Path\nTABLES = Path(__file__).parent / 'tables'\n"
        "NAME = f'{1}-table.txt'"
    )
    (package / "channel.py").write_text(CHANNEL.format(imports=imports, body=BODY))
    (package / "tables").mkdir()
    (package / "tables" / "1-table.txt").write_text("1")
    (package / "tables" / "notes").write_text("1")
    found = source_of(package)
    (package / "tables" / "notes").write_text("2")
    assert source_of(package) == found
    (package / "tables" / "1-table.txt").write_text("2")
    assert source_of(package) != found


@pytest.mark.parametrize(
    ("code", "file"),
    [
        (
            "import os\nHERE = os.path.dirname(__file__)\n"
            "NAME = HERE + '/tables/number' + str(3) + '.txt'",
            "number3.txt",
        ),
        (
            "import os\nNAME = os.path.join(os.path.dirname(__file__), 'tables', 'number%02d' % 3)",
            "number03",
        ),
        (
            "import os\nNAME = os.path.join(os.path.dirname(__file__), "
            "'tables/{}-{:02d}'.format('a', 3))",
            "a-03",
        ),
        (
            "from pathlib import Path\nNAMES = list((Path(__file__).parent / 'tables').iterdir())",
            "anything",
        ),
        (
            "import os\nNAMES = [os.listdir(os.path.join(os.path.dirname(__file__), 'tables'))]",
            "anything",
        ),
        (
            "import loudness\nfrom pathlib import Path\n"
            "NAME = Path(loudness.__path__[0], 'tables', 'it.json')",
            "it.json",
        ),
        (
            "import inspect, os\nNAME = os.path.dirname(inspect.getfile(os)) + '/tables/it.json'",
            "it.json",
        ),
        (
            "import os\nNAME = os.path.dirname((lambda: 0).__code__.co_filename) + "
            "'/tables/it.json'",
            "it.json",
        ),
        ("NAME = __spec__.origin.replace('channel.py', 'tables/it.json')", "it.json"),
        (
            "import sys, os\nNAME = [sys.executable, os.path.join(os.path.dirname(__file__), "
            "'tables', 'script.py')]",
            "script.py",
        ),
    ],
)
def test_data_counts_however_its_name_is_put_together(package: Path, code: str, file: str) -> None:
    (package / "channel.py").write_text(CHANNEL.format(imports=code, body=BODY))
    (package / "tables").mkdir()
    (package / "tables" / file).write_text("1")
    found = source_of(package)
    (package / "tables" / file).write_text("2")
    assert source_of(package) != found


def test_semcore_counts_as_far_as_it_is_imported(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = source_of(package)
    read = syntax.read

    def edited(path: Path, name: str) -> syntax.Source:
        known = read(path)
        return syntax.Source("edited", known.imports) if path.match(name) else known

    def digest_with(name: str) -> str:
        monkeypatch.setattr(syntax, "read", lambda path: edited(path, name))
        for one in [one for one in origin._loaded if one.startswith("semcore")]:
            origin._loaded.pop(one)
        return source_of(package)

    assert digest_with("semcore/interfaces.py") != found
    assert digest_with("semcore/render/page/page.py") == found
    monkeypatch.undo()
    for one in [one for one in origin._loaded if one.startswith("semcore")]:
        origin._loaded.pop(one)


def test_libraries_count_with_their_versions_and_what_they_were_built_with(
    package: Path, monkeypatch: Any
) -> None:
    (package / "channel.py").write_text(
        CHANNEL.format(imports="import torch, av\nfrom PIL import Image", body=BODY)
    )
    source_of(package)
    known = origin.of(importlib.import_module("loudness.channel").Loud)
    assert {"torch", "av", "av: libavcodec", "pillow", "pillow: jpg"} <= known.libraries.keys()
    assert not {"pydantic", "click", "jinja2"} & known.libraries.keys()
    before = known.digest
    monkeypatch.setattr(libraries, "versions", lambda root: {root: "of another day"})
    origin.refresh()
    assert origin.of(importlib.import_module("loudness.channel").Loud).digest != before


def test_code_that_is_loaded_stays_what_it_is(package: Path) -> None:
    """An edit during a sweep changes neither what this process computes nor its name."""
    found = source_of(package)
    edit(package / "channel.py", "1e-9", "1e-7")
    origin.refresh()
    assert origin.of(sys.modules["loudness.channel"].Loud).source == found
    importlib.reload(sys.modules["loudness.channel"])
    origin.refresh()
    assert origin.of(sys.modules["loudness.channel"].Loud).source != found


def test_a_class_without_a_file_is_known_by_its_code() -> None:
    """As in a notebook: a cell that is edited is another component."""
    found = []
    for factor in ("1", "2", "2  # twice"):
        names: dict[str, Any] = {"__name__": "typed_in"}
        exec(
            f"class Typed:\n    'A class.'\n    def run(self):\n        return help() * {factor}\n"
            "def help():\n    return 3\n",
            names,
        )
        found.append(origin.of(names["Typed"]).source)
    assert found[0] != found[1] == found[2]


def test_a_file_that_is_found_later_counts_then(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code may put a folder on the path itself, before it imports from there."""
    (package / "channel.py").write_text(
        CHANNEL.format(imports="", body=f"import loudness_extra\n        {BODY}")
    )
    before = source_of(package)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "loudness_extra.py").write_text("EXTRA = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "more"))
    found = source_of(package)
    (tmp_path / "more" / "loudness_extra.py").write_text("EXTRA = 2\n")
    assert len({before, found, source_of(package)}) == 3
