"""The example pipelines that installed packages ship: each in the folder `examples` inside the
package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semcore.config import document
from semcore.errors import ConfigError, RunError
from semcore.plugins import packages
from semcore.plugins.docstrings import first_sentence
from semcore.wording.suggest import guess, nearest

FOLDER = "examples"


@dataclass(frozen=True)
class Example:
    """A pipeline file. `summary`: its first comment or its description, in one line."""

    name: str
    path: Path
    package: str
    summary: str


def examples() -> list[Example]:
    """Every example, those of semcore first; a name that two packages give is that of the first."""
    found: dict[str, Example] = {}
    for package, folder in _folders().items():
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, Example(path.stem, path, package, _summary(path)))
    return list(found.values())


def offered(name: str) -> str:
    """A hint for a pipeline file that is not there: the example that is called so, or nearly; "" if
    none is."""
    known = [one.name for one in examples()]
    bare = Path(name).name.removesuffix(".yaml").removesuffix(".yml").replace("-", "_")
    meant = bare if bare in known else guess(bare, known, 0.8)
    return f"there is an example {meant!r}: semcore cp {meant} copies it here" if meant else ""


def find(name: str) -> Example:
    """The example of a name, with or without `.yaml`.

    Raises:
        RunError: it does not exist; with the nearest names
    """
    known = {one.name: one for one in examples()}
    bare = Path(name).name.removesuffix(".yaml").replace("-", "_")
    bare = bare if bare in known else Path(name).name.removesuffix(".yaml")
    if bare not in known:
        raise RunError(
            f"no installed package ships an example {name!r}; "
            f"{nearest(bare, known) or 'semcore cp lists them'}"
        )
    return known[bare]


def files_of(example: Example) -> list[Path]:
    """The pipeline file, and the files beside it that it names under `plugins`."""
    try:
        values = document.read(example.path).values
    except ConfigError as error:
        raise RunError(
            f"the example {example.name} of {example.package} is damaged: {error}"
        ) from error
    names = values.get("plugins") if isinstance(values, dict) else None
    beside = [example.path.parent / name for name in names or () if isinstance(name, str)]
    inside = [
        path
        for path in beside
        if path.is_file() and path.resolve().is_relative_to(example.path.parent.resolve())
    ]
    return [example.path, *inside]


def copy(example: Example, target: Path) -> list[Path]:
    """Copy an example into a folder, or to a file; nothing that is there is overwritten.

    Raises:
        RunError: a file is there already, or cannot be written
    """
    files = files_of(example)
    into = target.parent if target.suffix in (".yaml", ".yml") else target
    places = [into / path.relative_to(example.path.parent) for path in files]
    if target.suffix in (".yaml", ".yml"):
        places[0] = target
    if existing := [str(place) for place in places if place.exists()]:
        raise RunError(
            f"{' and '.join(existing)} would be overwritten; name another place: semcore "
            f"cp {example.name} FOLDER"
        )
    try:
        for path, place in zip(files, places, strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    except OSError as error:
        raise RunError(f"{target} cannot be written: {error.strerror}") from error
    return places


def _folders() -> dict[str, Path]:
    """package -> its examples; of semcore in a checkout, where they stand beside the package."""
    here = Path(__file__).parent.parent  # the package
    found = {"semcore": here / FOLDER if (here / FOLDER).is_dir() else here.parent / FOLDER}
    if found["semcore"].parent != here and not (here.parent / "pyproject.toml").is_file():
        del found["semcore"]
    for package in packages.packages():
        for module in dict.fromkeys(entry.root for entry in package.components):
            source = packages.source_of(module)
            if source is not None and source.name == "__init__.py" and module != "semcore":
                found[package.name] = source.parent / FOLDER
    return found


def _summary(path: Path) -> str:
    """The first sentence of the comment at its head, or of its description."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        values = document.read(path).values
    except (OSError, UnicodeDecodeError, ConfigError):
        return ""
    comment = []
    for line in lines:
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# "))
    words = " ".join(comment) or (
        str(values.get("description") or "") if isinstance(values, dict) else ""
    )
    return first_sentence(words)
