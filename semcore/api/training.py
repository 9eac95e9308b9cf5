"""`semcore.train`: the command `semcore train` as a function."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcore.api.local import named
from semcore.config.build import component
from semcore.config.document import Document
from semcore.config.hook_plugins import hooks_of
from semcore.config.local_files import register_files
from semcore.config.paths import assigned, set_path
from semcore.config.setup import components_in
from semcore.entrypoints.naming import name_of
from semcore.errors import ConfigError, RunError
from semcore.plugins.hook_calls import Around

if TYPE_CHECKING:
    from semcore.interfaces import Recipe


def train(
    recipe: Recipe | str,
    settings: Mapping[str, Any] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    plugins: Sequence[str | os.PathLike[str]] = (),
    resume: bool | None = None,
    hooks: Sequence[object] = (),
    progress: bool = True,
) -> Path:
    """Train the weights of a recipe, as `semcore train` does.

    The same call goes on from the last checkpoint; a folder with another training is refused.

        settings = {"transport": MyCodec(), "channel": AWGN(), "data": "pictures"}
        weights = semcore.train("picture-codec", settings)

    Args:
        recipe: its name, or an instance
        settings: dotted path -> value, of a recipe by name
        out: folder for checkpoints, weights and card; None: `runs/train-RECIPE`
        plugins: Python files that register components
        resume: True: refuse a folder without a checkpoint; False: refuse one with a checkpoint;
            None: go on where there is one
        hooks: trackers, or objects with methods decorated with `semcore.hook`
        progress: show the progress

    Returns:
        the folder, as the `weights` of a component

    Raises:
        ConfigError: with every problem of the settings
        RunError: the folder holds another training, or cannot be written
    """
    files_in_use(plugins)
    if isinstance(recipe, str):
        made: Recipe = component("recipe", values_of(recipe, settings or {}), f"train {recipe}")
    elif settings:
        raise TypeError("an instance of a recipe has its settings; give them to its class")
    else:
        made = recipe
    folder = Path("runs") / f"train-{name_of(type(made))}" if out is None else Path(out)
    called = hooks_around(hooks)
    begin(made, folder, resume, called, progress)
    for complaint in called.complaints:
        warnings.warn(f"{complaint}; the weights do not depend on it", stacklevel=2)
    return folder


def values_of(recipe: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by dotted path as what `component` builds a recipe from."""
    values: dict[str, Any] = {"use": recipe}
    for path, value in settings.items():
        change = assigned(path, _named(value))
        values = set_path(values, change.path, change.value)
    return values


def _named(value: Any) -> Any:
    """A value whose components have names: of a class in a notebook its own, as in `Experiment`."""
    for one in components_in(value):
        named(type(one))
    return value


def files_in_use(files: Sequence[str | os.PathLike[str]]) -> None:
    """Run Python files, in the working folder, that register components.

    Raises:
        ConfigError: one is missing, or fails
    """
    names = [os.fspath(name) for name in files]
    values, text = {"plugins": names}, f"plugins=[{', '.join(names)}]"
    if problems := register_files(values, Document("plugins", values, [text], folder=Path.cwd())):
        raise ConfigError(problems)


def hooks_around(hooks: Sequence[Any]) -> Around:
    """The hooks of a training: those that are wanted, and `tensorboard` where its extra is."""
    names = [one.get("use") if isinstance(one, Mapping) else one for one in hooks]
    named = {one if isinstance(one, str) else name_of(type(one)) for one in names}
    if "tensorboard" not in named and importlib.util.find_spec("tensorboardX"):
        hooks = [*hooks, "tensorboard"]
    return Around(hooks_of(more=hooks))


def begin(recipe: Recipe, folder: Path, resume: bool | None, hooks: Around, progress: bool) -> None:
    """Train in a folder; `hooks` are called.

    Raises:
        RunError: it has no checkpoint, or has one, and `resume` says otherwise; or it cannot be
            written
    """
    from semcore.training.resume import under_way

    if resume is True and not under_way(folder):
        raise RunError(f"{folder} holds no checkpoint to go on from: leave out --resume")
    if resume is False and under_way(folder):
        raise RunError(
            f"{folder} holds a training: name another folder with --out, or delete this one"
        )
    from semcore.render.training import TrainingBar
    from semcore.training.card import add_front_matter
    from semcore.training.watch import watched  # imports PyTorch

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            TrainingBar() if progress else contextlib.nullcontext(),
            watched(recipe, folder, hooks),
        ):
            recipe.train(folder)
            add_front_matter(folder / "README.md", name_of(type(recipe)))
    except OSError as error:
        error.filename = error.filename or str(folder)  # a full disk does not say for which file
        raise
    except Exception as error:
        if type(error).__name__ != "SafetensorError":
            raise
        # how safetensors says what the system refuses
        raise RunError(f"{folder} cannot be written: {error}") from error
