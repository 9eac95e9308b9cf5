"""Reports a training to hook plugins, wherever its loop is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from semcore.component.base import Component
from semcore.entrypoints.discovery import one_line
from semcore.entrypoints.naming import name_of
from semcore.plugins.hook_calls import Around
from semcore.wording.redaction import printable, redact

_watching: ContextVar[tuple[Around, Path] | None] = ContextVar("watching", default=None)


@contextlib.contextmanager
def watched(recipe: Component, out: Path, hooks: Around) -> Iterator[None]:
    """Call the hooks of a training around this context, and by `on_epoch` inside it.

    Args:
        recipe: what trains
        out: folder of the checkpoints and weights
        hooks: whose functions are called
    """
    name, settings = name_of(type(recipe)), recipe.settings()
    hooks("semcore_training_started", recipe=name, settings=settings, folder=out)
    token = _watching.set((hooks, out))
    try:
        yield
    except BaseException as error:
        reason = printable(redact(one_line(error)))
        hooks("semcore_training_failed", folder=out, reason=reason)
        raise
    finally:
        _watching.reset(token)
    card = out / "README.md"
    hooks("semcore_training_done", folder=out, card=card if card.is_file() else None)


def on_epoch(epoch: int, epochs: int, values: Mapping[str, Any]) -> None:
    """Report an epoch that is done; without hook plugins it does nothing.

    Args:
        epoch: its number, from 1
        epochs: number of all epochs
        values: loss, validation, seconds; what is not a number is left out
    """
    if (watching := _watching.get()) is None:
        return
    hooks, out = watching
    numbers = {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    hooks("semcore_epoch_done", folder=out, epoch=epoch, epochs=epochs, values=numbers)
