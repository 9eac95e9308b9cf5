"""A component is known by what its source does, a result by the content it was made from."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from semcore.component.digest import digest
from semcore.config import build
from semcore.fingerprint import content, libraries, origin, syntax
from semcore.runs.results import read_run

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


# ------------------------------------------------------------------------------------------- source


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


# -------------------------------------------------------------------------------------------- files


def test_a_digest_follows_the_content_whatever_the_name_the_size_and_the_times(
    tmp_path: Path,
) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"a" * 100)
    known, found = file.stat(), content.file_digest(file)
    file.write_bytes(b"b" * 100)
    os.utime(file, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert content.file_digest(file) != found
    file.write_bytes(b"a" * 100)
    assert content.file_digest(file) == found
    os.utime(file, (1, 1))
    assert (
        content.file_digest(file)
        == found
        == content.path_digest(shutil.copy(file, tmp_path / "other"))
    )


def test_a_large_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMCORE_SHELF", str(tmp_path / "cache"))
    monkeypatch.setattr(content, "SETTLED_NS", -1)
    file = tmp_path / "large"
    file.write_bytes(bytes(content.LARGE))
    found = content.file_digest(file)
    content._known.clear()  # as in another process
    monkeypatch.setattr(content.hashlib, "file_digest", lambda *_: pytest.fail("it is read again"))
    assert content.file_digest(file) == found


def test_a_folder_counts_with_the_names_and_the_content_of_what_a_model_is_loaded_from(
    tmp_path: Path,
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_text("1")
    found = content.path_digest(tmp_path)
    for name in (
        "README.md",
        ".gitattributes",
        "checkpoint.json",
        "checkpoint-3.safetensors",
        "training.json",
    ):
        (tmp_path / name).write_text("x")
    assert content.path_digest(tmp_path) == found
    (tmp_path / "deep" / "a").rename(tmp_path / "deep" / "b")
    assert content.path_digest(tmp_path) != found
    (tmp_path / "deep" / "b").write_text("2")
    assert len({content.path_digest(tmp_path), found, content.path_digest(tmp_path / "none")}) == 3
    (tmp_path / "loop").symlink_to(tmp_path)
    assert content.path_digest(tmp_path)


# --------------------------------------------------------------------------------------------- runs

GREY = """from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path
import numpy as np
import semcore
from helper_beside import LEVEL

@semcore.register("generator", "painter")
@dataclass(frozen=True)
class Painter(semcore.Generator):
    weights: str = "model"

    accepts = {"caption": (semcore.Text,)}

    def generate(self, batch, kb, rng):
        level = int((Path(self.weights) / "level.txt").read_text()) * LEVEL
        image = np.full((8, 8, 3), level, np.uint8)
        samples = [semcore.Sample(one.key, one.user, image=image) for one in batch]
        return [semcore.Candidates((sample,)) for sample in samples]
"""


@pytest.fixture
def painted(bench: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A pipeline whose generator reads its weights from a folder and imports a file beside it."""
    (bench.folder / "painter.py").write_text(GREY)
    (bench.folder / "helper_beside.py").write_text("LEVEL = 1\n")
    (bench.folder / "model").mkdir()
    (bench.folder / "model" / "level.txt").write_text("10")
    monkeypatch.syspath_prepend(str(bench.folder))
    monkeypatch.chdir(bench.folder)
    bench.text = bench.text.replace("bench.py]", "bench.py, ./painter.py]")
    yield bench
    sys.modules.pop("helper_beside", None)


def grey(bench: Any) -> tuple[int, Any]:
    finished = bench.run("generator=painter", "channel.snr_db=40", "source.limit=1")
    assert not finished.failures
    return finished.computed, finished.results[0]["metrics"]["grey-error"]["mean"]


@pytest.mark.parametrize(
    ("file", "text", "computed"),
    [
        ("model/level.txt", "90", 1),
        ("helper_beside.py", "LEVEL = 9\n", 1),
        ("painter.py", GREY.replace(") * LEVEL", ") * LEVEL * 9"), 1),
        ("painter.py", GREY + "# a remark\n", 0),
        ("helper_beside.py", "LEVEL = 1  # one\n", 0),
        ("model/README.md", "a card", 0),
    ],
)
def test_the_same_command_never_gives_old_numbers_and_never_computes_in_vain(
    painted: Any, file: str, text: str, computed: int
) -> None:
    first = grey(painted)
    assert first[0] == 1 and grey(painted) == (0, first[1])
    (painted.folder / file).write_text(text)
    again = grey(painted)
    assert again[0] == computed and (again[1] != first[1]) == bool(computed)
    assert grey(painted) == (0, again[1])


def test_weights_that_change_while_a_cell_is_computed_make_no_result(painted: Any) -> None:
    text = GREY.replace(
        "        level =",
        "        (Path(self.weights) / 'level.txt').write_text('70')\n        level =",
    )
    (painted.folder / "painter.py").write_text(text)
    finished = painted.run("generator=painter", "channel.snr_db=40")
    assert (
        finished.computed == 0
        and "weights or the source has changed since the run began" in finished.failures[0]
    )


def test_a_result_says_what_it_stands_on(painted: Any) -> None:
    finished = painted.run("generator=painter", "channel.snr_db=40")
    result = json.loads(json.dumps(finished.results[0]))
    known = {(one["kind"], one["name"]): one for one in result["components"]}
    assert known["core", "semcore"]["version"] and len(known["core", "semcore"]["source"]) == 12
    painter = known["generator", "painter"]
    assert painter["package"] == "painter.py" and painter["files"] == {
        "weights": content.path_digest("model")
    }
    assert {"torch", "numpy"} <= result["libraries"].keys()
    from semcore.render.page import write_report

    page = write_report(finished.folder).read_text()
    assert painter["source"] in page and painter["files"]["weights"][:12] in page
    assert read_run(finished.folder).results[0]["components"] == result["components"]


def test_diff_names_the_source_that_changed(painted: Any) -> None:
    from semcore.analysis.compare import diff

    painted.run("generator=painter", "channel.snr_db=40", out="one")
    (painted.folder / "helper_beside.py").write_text("LEVEL = 2\n")
    painted.run("generator=painter", "channel.snr_db=40", out="two")
    found = diff(painted.folder / "one", painted.folder / "two").settings
    assert "made by generator painter" in found and not [
        name for name in found if name.startswith("library")
    ]


def test_a_component_counts_with_the_files_that_its_settings_name(tmp_path: Path) -> None:
    from semcore_video.metrics.syncnet import LSED

    (tmp_path / "net.safetensors").write_bytes(b"1")
    found = digest(LSED(str(tmp_path / "net.safetensors")))
    (tmp_path / "net.safetensors").write_bytes(b"2")
    assert digest(LSED(str(tmp_path / "net.safetensors"))) != found
    assert build.component("metric", {"use": "lse-d", "weights": "/nowhere"}, "x")


def test_a_library_that_was_upgraded_is_another_one(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    assert (
        bench.run("channel.snr_db=40").computed == 1
        and bench.run("channel.snr_db=40").computed == 0
    )
    version = metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "99.0" if name == "numpy" else version(name)
    )
    finished = bench.run("channel.snr_db=40")
    assert finished.computed == 1 and finished.results[0]["libraries"]["numpy"] == "99.0"


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
