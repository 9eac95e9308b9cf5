"""The reference is what the source says today, all of it, and reads as it was written."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import semcore
import semcore.testing
from semcore.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "docs" / "make_reference"
PAGES = ROOT / "docs" / "reference"
MANIFESTS = [ROOT / "pyproject.toml", *sorted((ROOT / "plugins").glob("*/pyproject.toml"))]
FORGE = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def make(*arguments: object, **environment: str) -> tuple[int, str]:
    """Call the program: its exit code, and what it says."""
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, **environment},
        cwd="/",
    )
    assert not done.stderr
    return done.returncode, done.stdout


def headings(page: str) -> list[str]:
    return re.findall(r"^#+ (.*)$", (PAGES / page).read_text(encoding="utf-8"), re.MULTILINE)


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, *path, name)


# -------------------------------------------------------------------------------------------- fresh


@pytest.mark.docs
def test_the_reference_is_fresh() -> None:
    """Whatever the terminal, the day's time zone and the order of sets."""
    code, said = make("--check", COLUMNS="40", PYTHONHASHSEED="7", TZ="Asia/Tokyo", FORCE_COLOR="1")
    assert code == 0, said


@pytest.mark.slow
def test_a_stale_page_is_named_with_its_remedy_and_written(tmp_path: Path) -> None:
    folder = shutil.copytree(PAGES, tmp_path / "reference")
    text = (folder / "api.md").read_text(encoding="utf-8")
    (folder / "api.md").write_text(
        text.replace("# Python interface", "# Python API", 1), encoding="utf-8"
    )
    (folder / "cli.md").unlink()
    (folder / "semcore-gone.md").write_text("# gone\n")
    assert make("--check", "--out", folder) == (
        1,
        "reference/api.md is stale from line 1: '# Python API\\n' should be '# Python "
        "interface\\n'\n"
        "reference/cli.md is missing\n"
        "reference/semcore-gone.md is no longer made: remove it\n"
        "fix: make docs\n",
    )
    assert make("--out", folder) == (0, "")
    assert pages(folder) == pages(PAGES)


def pages(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_page_cut_short_or_with_more_below_is_stale(tmp_path: Path) -> None:
    folder = shutil.copytree(PAGES, tmp_path / "reference")
    changes = (
        lambda t: t[: len(t) // 2],
        lambda t: t.rstrip("\n"),
        lambda t: f"{t}more\n",
        lambda t: f"{t}\n",
        lambda t: "",
    )
    pages = ("api.md", "cli.md", "components.md", "semcore.md", "semcore-video.md")
    for page, change in zip(pages, changes, strict=True):
        (folder / page).write_text(
            change((folder / page).read_text(encoding="utf-8")), encoding="utf-8"
        )
    code, said = make("--check", "--out", folder)
    assert code == 1 and said.endswith("fix: make docs\n")
    assert [
        line.split(" is stale from line ")[0]
        for line in said.splitlines()
        if " is stale from line " in line
    ] == [f"reference/{page}" for page in sorted(pages)]


# ---------------------------------------------------------------------------------------- all of it


@pytest.mark.parametrize("name", [*semcore.__all__, *semcore.testing.__all__])
def test_every_public_name_stands_in_it(name: str) -> None:
    assert headings("api.md").count(f"`{name}`") == 1


def test_every_public_method_stands_in_it() -> None:
    every = headings("api.md")
    for name in semcore.__all__:
        thing = getattr(semcore, name)
        if isinstance(thing, type):
            own = [
                key
                for key, value in vars(thing).items()
                if callable(value) or isinstance(value, (property, classmethod))
            ]
            assert [
                key for key in own if not key.startswith("_") and f"`{name}.{key}`" not in every
            ] == []


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_and_option_stands_in_it(verb: str) -> None:
    text = (PAGES / "cli.md").read_text(encoding="utf-8")
    made = cli.get_command(click.Context(cli), verb)
    assert made is not None
    for words, command in commands(made, verb):
        part = text.split(f"# `semcore {words}`\n", 1)[1].split("\n## ", 1)[0]
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(flag in part for flag in (*option.opts, *option.secondary_opts)), (
                    f"{words} {option.opts}"
                )


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.parent.name)
def test_every_component_of_these_packages_stands_in_it_and_no_other(manifest: Path) -> None:
    project = tomllib.loads(manifest.read_text(encoding="utf-8"))["project"]
    groups = project["entry-points"].items()
    brought = {
        f"{group.removeprefix('semcore.')} `{name}`"
        for group, targets in groups
        for name in targets
        if group != "semcore.command"
    }
    assert brought == set(headings(f"{project['name']}.md")[1:])


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda path: path.name)
def test_a_page_holds_nothing_of_the_machine_or_the_interpreter(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(
        r" object at 0x|<(class '|function |property "
        r"|factory>)|MISSING|Sentinel|typing\.|\x1b|\b20\d\d-\d\d-\d\d",
        text,
    )
    assert str(ROOT) not in text and str(Path.home()) not in text


# -------------------------------------------------------------------------------- as it was written


@pytest.fixture(scope="module")
def prose() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prose", PROGRAM / "prose.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seen(markdown: str) -> list[str]:
    """What a reader sees of each paragraph or cell; markup would have been taken away."""
    inline = [token.children or [] for token in FORGE.parse(markdown) if token.type == "inline"]
    return [
        "".join("\n" if one.type == "softbreak" else one.content for one in children)
        for children in inline
    ]


MARKUP = (
    st.text(st.sampled_from("a b_*<>[](){}|~$#-+1.:!\\\"'=&;"), min_size=1)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


@given(text=MARKUP)
@example(
    text="noise_var and __init__, *args and **kwargs, [a](b), [a][b], <b>, ~x~ ~~y~~, |h|^2, \\*"
)
@example(text="# no heading")
@example(text="- no list")
@example(text="1. no list")
@example(text="&lt; is no sign")
def test_plain_text_is_shown_as_it_is(prose: ModuleType, text: str) -> None:
    assert seen(prose.escaped(text)) == [text]
    assert seen(prose.table(["a", "b"], [[prose.cell(text), "end"]])) == ["a", "b", text, "end"]


def test_code_is_shown_as_it_is(prose: ModuleType) -> None:
    assert seen(prose.escaped("see `a_b*c*` and `x | y`")) == ["see a_b*c* and x | y"]
    assert seen(prose.table(["a"], [[prose.cell("see `x | y`")]])) == ["a", "see x | y"]


def test_the_parts_of_a_docstring(prose: ModuleType) -> None:
    text = """Sends *it*.

    Of two
    lines.

        first = 1

        second = 2

        encoder ─ channel

    Args:
        some_name: what it is,
            at length
        other: x

    Returns:
        one (a, b)

    Raises:
        RunError: it cannot

    The end.
    """
    assert prose.docstring(text) == (
        "Sends \\*it\\*.\n\nOf two lines.\n\n```text\nfirst = 1\n\nsecond = 2\n\n"
        "encoder ─ channel\n```\n\n"
        "Arguments:\n\n- `some_name`: what it is, at length\n- `other`: x\n\nReturns:\n\n"
        "one (a, b)\n\n"
        "Raises:\n\n- `RunError`: it cannot\n\nThe end."
    )
