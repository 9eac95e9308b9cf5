"""The command `new`: writes a package with a working component, its test and an example
pipeline."""

from __future__ import annotations

import importlib.util
import keyword
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import click
import jinja2

from semcore.cli import COMMANDS
from semcore.cli.select import Place
from semcore.config.document import scalar
from semcore.entrypoints import discovery
from semcore.entrypoints.discovery import COMMAND, HOOKS
from semcore.errors import PluginError, RunError
from semcore.plugins.packages import GROUPS
from semcore.wording.suggest import nearest

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40
CHANNELS, IMAGE = "semcore-channels>=0.1", "semcore-image>=0.1"
LINK = (CHANNELS, IMAGE)
"""Packages with the other parts of a link: sources, codecs, transports, channels."""


@dataclass(frozen=True)
class Start:
    """The package of a kind.

    Fields:
        what: the kind, for the README
        summary: first sentence of the component's docstring
        suffix: suffix of its class name
        dependencies: requirements besides semcore
        needs: packages with the other parts of its example
    """

    what: str
    summary: str
    suffix: str
    dependencies: tuple[str, ...] = ("annotated-types>=0.6", "numpy>=1.26")
    needs: tuple[str, ...] = LINK


STARTS = {
    "encoder": Start("The encoder", "Describes a picture by its two main colours", "Encoder"),
    "transport": Start(
        "The transport", "Bytes as 4-QAM with a repetition code and a CRC", "Transport"
    ),
    "channel": Start(
        "The channel",
        "Rician fading with a gain for each symbol, known to the receiver",
        "Channel",
        ("annotated-types>=0.6",),
    ),
    "generator": Start("The generator", "Paints the colours that a caption names", "Generator"),
    "selector": Start(
        "The selector", "Keeps the candidate that is most like the others", "Selector"
    ),
    "kb": Start(
        "The knowledge-base policy", "Sends a user's picture when its colour has changed", "KB"
    ),
    "planner": Start(
        "The planner", "Plans by the SNR, with hysteresis", "Planner", ("annotated-types>=0.6",)
    ),
    "source": Start("The source", "Test pictures of coloured waves", "Source"),
    "codec": Start(
        "The codec", "Coarse levels of red, green and blue, compressed by deflate", "Codec"
    ),
    "metric": Start("The metric", "Similarity of the colours of two pictures", "Metric"),
    "recipe": Start(
        "The recipe",
        "Trains a palette, the few colours that represent those of many pictures",
        "Recipe",
        ("annotated-types>=0.6", "numpy>=1.26", "pillow>=10", "safetensors>=0.4"),
        (),
    ),
    "executor": Start(
        "The executor", "Runs each job in a new process", "Executor", ("annotated-types>=0.6",)
    ),
    HOOKS: Start("The hook plugin", "Writes a line of CSV for each cell of a run", "Hooks", ()),
    COMMAND: Start("The command", "Print the best cell of a run", "_command", ("click>=8.1",)),
}


@click.command("new")
@click.argument("kind")
@click.argument("name")
@click.option("--out", type=Place(), default=Path(), help="Where to write it.  [default: here]")
def new_command(kind: str, name: str, out: Path) -> None:
    """Write a package with a working component of KIND, called NAME, for you to change.

    KIND is encoder, transport, channel, generator, selector, kb, planner, source, codec, metric,
    recipe, executor, hooks or command.
    """
    if kind not in STARTS:
        raise PluginError(f"there is no kind {kind!r}; {nearest(kind, GROUPS)}")
    check_name(kind, name)
    package = f"semcore-{name}"
    folder = out / package
    if folder.exists():
        raise PluginError(f"{folder} exists; choose another name, or another folder with --out")
    files = render(kind, name)
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written: {error.strerror}; choose another folder with --out"
        ) from error
    click.echo(f"{folder}: {STARTS[kind].summary}. Next:")
    for command in (
        shlex.join(["cd", str(folder)]),
        "pip install -e '.[test]'",
        "python -m pytest",
        f"semcore conform {package}",
    ):
        click.echo(f"  {command}")
    for command in commands(kind, name):
        click.echo(f"  {command}")
    if STARTS[kind].needs:
        click.echo(
            f"The example also needs {' and '.join(STARTS[kind].needs)}: pip install -e "
            "'.[example]'"
        )


def check_name(kind: str, name: str) -> None:
    """Refuse a name that is malformed or taken.

    Raises:
        PluginError: the message suggests a name
    """
    plain = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()).strip("-")
    plain = plain.removeprefix("semcore-").lstrip("0123456789-")[:LONGEST].strip("-")
    if not NAME.fullmatch(name) or len(name) > LONGEST or name.startswith("semcore-"):
        rule = (
            f"a name has small letters, digits and single hyphens, at most {LONGEST} "
            "characters, and no 'semcore-' before it"
        )
        raise PluginError(
            f"{name!r} cannot be the name: {rule}; for example {plain or f'my-{kind}'!r}"
        )
    other = f"for example 'my-{name}'"
    if not isinstance(scalar(name), str):
        raise PluginError(f"{name!r} cannot be the name: in YAML it is not a text; {other}")
    if keyword.iskeyword(name):
        raise PluginError(f"{name!r} cannot be the name: it is a Python keyword; {other}")
    if kind == COMMAND and name in COMMANDS:
        raise PluginError(f"semcore has a command {name!r}; {other}")
    if found := discovery.entries(kind).get(name):
        raise PluginError(f"{found[0].package} has a {found[0].label}; {other}")
    module = f"semcore_{name.replace('-', '_')}"
    if discovery.normalised(module) in discovery.distributions() or importlib.util.find_spec(
        module
    ):
        raise PluginError(f"a package semcore-{name} is installed; {other}")


def render(kind: str, name: str) -> dict[str, str]:
    """Path inside the package -> text of the file."""
    start, snake = STARTS[kind], name.replace("-", "_")
    module = f"semcore_{snake}"
    words = "".join(word.title() for word in name.split("-"))
    values = {
        **vars(start),
        "kind": kind,
        "name": name,
        "package": f"semcore-{name}",
        "module": module,
        "cls": snake + start.suffix
        if kind == COMMAND
        else words.removesuffix(start.suffix) + start.suffix,
        "dependencies": ("semcore>=0.1", *start.dependencies),
        "commands": commands(kind, name),
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        keep_trailing_newline=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - Python, TOML and YAML
    )
    known = environment.list_templates()
    files = {
        "pyproject.toml": "pyproject.toml.j2",
        "README.md": "README.md.j2",
        f"{module}/__init__.py": f"{kind}.py.j2",
        f"tests/test_{snake}.py": f"{kind}.test.py.j2"
        if f"{kind}.test.py.j2" in known
        else "test.py.j2",
        "example.yaml": f"{kind}.yaml.j2",
    }
    return {
        path: environment.get_template(file).render(values)
        for path, file in files.items()
        if file in known
    }


def commands(kind: str, name: str) -> list[str]:
    """Commands that use the component."""
    if kind == "recipe":
        return [f"semcore train {name} data=my_pictures/ --out weights"]
    if kind == COMMAND:
        return ["semcore run example.yaml --out run", f"semcore {name} run psnr"]
    if kind == "executor":
        return [f"semcore run example.yaml --executor {name}"]
    return ["semcore run example.yaml"]
