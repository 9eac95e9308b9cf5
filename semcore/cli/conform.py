"""`conform`: whether the components of a package keep the laws of their interfaces."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from semcore.children import Death, Limits, attempt
from semcore.cli.plugins import MEMORY, TIMEOUT, tell
from semcore.config.paths import read_override, set_path
from semcore.entrypoints import discovery, naming
from semcore.errors import PluginError
from semcore.plugins import doctor
from semcore.wording.plural import plural

ALIVE = "can-be-made"
"""The law that is broken where no component could be built."""
STYLES: dict[str, dict[str, Any]] = {
    "broken": {"fg": "red", "bold": True},
    "not applicable": {"dim": True},
}


@click.command("conform")
@click.argument("package")
@click.option("--component", metavar="KIND:NAME", help="Try this one alone.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting to try it with, with --component.",
)
@TIMEOUT
@MEMORY
def conform_command(
    package: str, component: str | None, changes: tuple[str, ...], timeout: float, memory_mb: int
) -> int:
    """Try every component of PACKAGE against the laws of its interface, in a child process.

    PACKAGE is an installed package, or a file that registers components. Exit code 1: a law is
    broken.
    """
    settings: dict[str, Any] = {}
    for text in changes:
        change = read_override(text)
        settings = set_path(settings, change.path, change.value)
    if settings and component is None:
        raise click.UsageError("--set belongs to one component: name it with --component KIND:NAME")
    limits, file = Limits(timeout, memory_mb), package if package.endswith(".py") else ""
    if file:
        found, broken = _registered(Path(file), limits), False
    else:
        found, broken = _installed(package, limits)
    if component is not None:
        kind, _, name = component.rpartition(":")
        chosen = [one for one in found if one[1] == name and kind in ("", one[0])]
        if not chosen:
            known = ", ".join(":".join(one) for one in found) or "nothing"
            raise PluginError(f"{package} brings no component {component!r}; it brings {known}")
        found = chosen
    if not found:
        click.echo("It brings no component that laws could be tried on.")
        return 1 if broken else 0
    counts = _try(
        [{"kind": kind, "name": name, "file": file, "settings": settings} for kind, name in found],
        limits,
    )
    click.echo(
        f"\n{plural(counts['holds'], 'law')} held, {counts['broken']} broken, "
        f"{counts['not applicable']} not applicable"
        + (f"; {plural(counts['not tried'], 'component')} not tried" if counts["not tried"] else "")
    )
    return 1 if broken or counts["broken"] else 0


def _registered(file: Path, limits: Limits) -> list[tuple[str, str]]:
    """(kind, name) of what a file registers."""
    if not file.is_file():
        raise PluginError(f"there is no file {str(file)!r}")
    ((_, value),) = attempt("semcore.testing.trial:names_in", [str(file)], limits)
    if isinstance(value, Death):
        raise PluginError(f"{file} cannot be imported: it {value}")
    if "problem" in value:
        raise PluginError(value["problem"])
    if not value["names"]:
        raise PluginError(
            f"{file} registers no component: put @semcore.register(KIND, NAME) above a class"
        )
    return [(kind, name) for kind, name in value["names"]]


def _installed(package: str, limits: Limits) -> tuple[list[tuple[str, str]], bool]:
    """(kind, name) of what a package brings and can be loaded, and whether there is more that
    cannot."""
    names = [
        one.name
        for one in discovery.everything()
        if any(e.module.split(".")[0] == package for e in one.entries)
    ]
    if (
        Path(package).is_dir()
        and not names
        and discovery.normalised(package) not in discovery.distributions()
    ):
        raise PluginError(f"{package} is a folder, and not installed; pip install -e {package}")
    (patient,) = doctor.select([*names, package][:1])
    seen = doctor.examine(patient, limits)
    tell(replace(seen, notes=()))
    faulty = {fault.what for fault in seen.faults}
    found = [
        entry
        for entry in patient.entries
        if entry.kind in naming.KINDS and entry.label not in faulty
    ]
    return [(entry.kind, entry.name) for entry in found], bool(faulty)


def _try(tasks: list[dict[str, Any]], limits: Limits) -> Counter[str]:
    """Try components and print the result of each law; returns the counts."""
    counts: Counter[str] = Counter()
    law, message = ALIVE, ""
    for index, value in attempt("semcore.testing.trial:attempt", tasks, limits):
        if isinstance(value, Death):
            value = {
                "law": law,
                "result": "broken",
                "message": f"it {value}; the laws below this one were not tried",
            }
        if "title" in value:
            settings = f"  ({value['title']})" if value["title"] else ""
            click.secho(f"\n{tasks[index]['kind']} {tasks[index]['name']}{settings}", bold=True)
            law = ALIVE
        elif "result" in value:
            again = len(value["message"]) > 60 and value["message"] == message
            message = value["message"]
            _print(value["law"], value["result"], "as above" if again else message)
            counts[value["result"]] += 1
        else:
            law = value["law"]
    return counts


def _print(law: str, result: str, message: str) -> None:
    shown = (
        "\n".join(
            line if i == 0 else " " * 18 + line for i, line in enumerate(message.splitlines())
        )
        or ""
    )
    click.echo(
        (
            click.style(f"  {result:<14}", **STYLES.get(result, {})) + f"  {law:<42}  {shown}"
        ).rstrip()
    )
