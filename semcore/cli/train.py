"""`train` and `models`."""

from __future__ import annotations

import re
from pathlib import Path

import click

from semcore.cli.select import HOOKS, Place, hooks_read
from semcore.cli.show import show
from semcore.config.build import component
from semcore.config.paths import read_override, set_path
from semcore.entrypoints import naming
from semcore.plugins import packages


@click.command("train", add_help_option=False)
@click.argument("recipe", required=False, metavar="RECIPE")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--out", type=Place(), help="Folder for checkpoints and weights.  [default: runs/train-RECIPE]"
)
@HOOKS
@click.option(
    "--resume/--no-resume",
    default=None,
    help="Refuse a folder without a checkpoint; refuse one with a checkpoint.  [default: go on "
    "where there is one]",
)
@click.option(
    "-h",
    "--help",
    "asked",
    is_flag=True,
    help="Show this message, or the settings of RECIPE, and exit.",
)
@click.pass_context
def train_command(
    context: click.Context,
    recipe: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    hooks: tuple[str, ...],
    resume: bool | None,
    asked: bool,
) -> int:
    """Train the weights of RECIPE; the same command goes on from the last checkpoint.

    A folder that holds a training with other settings, data or seed is refused: name another one
    with --out. plugins=[./FILE.py] runs Python files that register components.

    For example: semcore train mini-clip data=cifar10/ --out runs/mini-clip
    """
    if recipe is None:
        if not asked:
            known = ", ".join(sorted(naming.names("recipe")))
            raise click.UsageError(f"Missing argument 'RECIPE': one of {known}.", context)
        click.echo(context.get_help())
        return 0
    from semcore.api.training import begin, files_in_use, hooks_around

    values: dict[str, object] = {"use": recipe}
    for text in settings:
        change = read_override(text)
        values = set_path(values, change.path, change.value)
    files = values.pop("plugins", [])
    files_in_use([files] if isinstance(files, str) else files)  # type: ignore[arg-type]
    # else it is said below what is wrong with the name
    if asked and naming.find("recipe", recipe) is not None:
        click.echo(f"Usage: semcore train {recipe} [KEY=VALUE]... [--out FOLDER]\n")
        show("recipe", recipe)
        return 0
    made = component("recipe", values, " ".join(["semcore train", recipe, *settings]))
    folder = out or Path("runs") / f"train-{recipe}"
    called = hooks_around(hooks_read(hooks))
    begin(made, folder, resume, called, progress=True)
    click.echo(f"Weights and card: {folder}")
    for complaint in called.complaints:
        click.echo(f"error: {complaint}; the weights do not depend on it", err=True)
    return 1 if called.complaints else 0


@click.command("models")
def models_command() -> None:
    """List the models that installed packages ship: size, and the first lines of their cards."""
    for folder in shipped_models():
        size = sum(path.stat().st_size for path in folder.rglob("*.safetensors"))
        click.secho(f"{folder.name}  {size / 1e6:.1f} MB", bold=True)
        card = folder / "README.md"
        if card.is_file():
            text = re.sub(
                r"^---\n.*?\n---\n", "", card.read_text(encoding="utf-8"), flags=re.DOTALL
            )
            lines = [
                line for line in text.splitlines() if line.strip() and not line.startswith("#")
            ]
            for line in lines[:4]:
                click.echo(f"  {line}")
        click.echo(f"  {card}")


def shipped_models() -> list[Path]:
    """Folders with weights and a card inside the packages that bring components."""
    found: dict[str, Path] = {}
    for package in packages.packages():
        for entry in package.components:
            root = packages.source_of(entry.root)
            for config in sorted((root.parent / "weights").glob("*/config.json")) if root else []:
                found.setdefault(config.parent.name, config.parent)
    return [found[name] for name in sorted(found)]
