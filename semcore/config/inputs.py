"""What a pipeline file names that lies outside of it: the samples of its sources, looked through before any work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from semcore.config.build import blamed
from semcore.config.experiment import Experiment
from semcore.config.resolve import Part, Resolved
from semcore.errors import Problem, SemcoreError, SourceError
from semcore.interfaces import Generator, Source
from semcore.registry import name_of
from semcore.types import Sample

Load = Callable[[Source], Sequence[Sample]]
"""Gives the samples of a source, or raises SemcoreError."""


def unusable(experiment: Experiment, load: Load) -> list[Problem]:
    """Everything that is wrong with the samples of an experiment, each problem at the setting that is to blame."""
    found: dict[Problem, None] = {}
    seen, read = set[tuple[Part, Part]](), dict[Part, tuple[Sequence[Sample] | None, list[Problem]]]()
    for resolved in experiment.resolved():
        source, generator = resolved.parts["source"], resolved.parts["generator"]
        if (source, generator) in seen or resolved.problems:
            continue
        seen.add((source, generator))
        if source not in read:
            read[source] = ((), []) if source.made.draws else _read(source, load)
        samples, problems = read[source]
        found.update(dict.fromkeys(problems))
        if samples is not None:
            found.update(dict.fromkeys(_misfits(resolved, samples)))
    return list(found)


def _read(source: Part, load: Load) -> tuple[Sequence[Sample] | None, list[Problem]]:
    """The samples of a source, or why there are none."""
    component, use = source.made, name_of(type(source.made))

    def tell(reason: str, setting: tuple[Any, ...], hint: str = "") -> Problem:
        return source.places.tell(("source", *setting), f"source {use!r}: {reason}", hint)

    try:
        return load(component), []
    except SourceError as error:
        setting = (error.setting,) if hasattr(component, error.setting) else ("use",)
        return None, [tell(reason, setting, error.hint) for reason in error.reasons]
    except SemcoreError as error:
        text = str(error).removeprefix(f"source {use}: ").removeprefix(f"{type(component).__name__}.")
        return None, [tell(text, blamed(component, text) or ("use",))]
    except (Exception, SystemExit) as error:  # whatever somebody else's source raises
        return None, [tell(f"it cannot be read: {type(error).__name__}: {error}", ("use",))]


def _misfits(resolved: Resolved, samples: Sequence[Sample]) -> Iterator[Problem]:
    """Why a generator cannot show what the source has. Samples are read only for one that may say so."""
    part = resolved.parts["generator"]
    generator, use = part.made, name_of(type(part.made))
    if type(generator).refuses_size is Generator.refuses_size:
        return
    source = resolved.parts["source"].made
    drawn = [source.size] if source.draws and getattr(source, "size", None) else []
    sizes = dict.fromkeys([*drawn, *(one.image.shape[:2] for one in samples if one.image is not None)])
    for reason in filter(None, (generator.refuses_size(size) for size in sizes)):
        yield part.places.tell(("generator", *blamed(generator, reason)), f"generator {use!r}: {reason}")
