"""The samples of the sources of a run: read once per run and process."""

from __future__ import annotations

from collections.abc import Sequence

from semcore.component.digest import Digester, digest
from semcore.config.configuration import Configuration
from semcore.config.inputs import unusable
from semcore.errors import ConfigError, SourceError
from semcore.fingerprint import libraries, origin
from semcore.interfaces import Source
from semcore.memo import LRU
from semcore.types import OnDemand, Sample, heads, left_out_of

KEPT_SOURCES = 8
"""Sources whose samples stay in memory, unless read on demand; a sweep may go over sources."""


def inputs(experiment: Configuration) -> list[Sequence[tuple[str, str]]]:
    """Read the current samples of all sources of an experiment.

    Returns:
        (name, reason) of all that a source leaves out because it cannot be read; one list per such
        source

    Raises:
        ConfigError: some cannot be read, or do not fit the pipeline; with every problem at its
            setting
    """
    _forget()  # what an earlier run of this process read may have changed since
    found: list[Sequence[tuple[str, str]]] = []

    def read(source: Source) -> Sequence[Sample]:
        samples = load(source)[0]
        if (left_out := left_out_of(samples)) and left_out not in found:
            found.append(left_out)
        return samples

    if problems := unusable(experiment, read):
        raise ConfigError(experiment.ordered(problems))
    return found


def _forget() -> None:
    _loaded.clear()
    libraries.refresh()
    origin.refresh()


_loaded = LRU[tuple[Sequence[Sample], str]](KEPT_SOURCES)
"""What `load` gave, by digest of the source: read once a run and process."""


def load(source: Source, digester: Digester | None = None) -> tuple[Sequence[Sample], str]:
    """The samples of a source and their digest. Those that a source reads on demand are not kept.

    Raises:
        SourceError: no samples, or two with the same id
    """
    return _loaded.of((digester or Digester()).digest(source), lambda: _read(source))


def _read(source: Source) -> tuple[Sequence[Sample], str]:
    try:
        samples = source.samples()
        samples = samples if isinstance(samples, OnDemand) else tuple(samples)
        names = [name for name, _ in heads(samples)]
        known = digest(samples)
        if left_out := [name for name, _ in left_out_of(samples)]:  # part of the result
            known = digest(known, left_out)
        if isinstance(samples, OnDemand) and samples.digests:
            # Of files: what they become depends on who reads them.
            known = digest(known, origin.of(type(source)).digest)
    except (OSError, ValueError) as error:
        raise SourceError([f"it cannot be read: {error}"]) from error
    if not names:
        raise SourceError(["it has no samples"], "limit")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise SourceError([f"it gives two samples the id {twice!r}"])
    return samples, known
