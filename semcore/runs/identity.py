"""The id of a cell: the digest of everything that its numbers depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semcore.component.digest import Digester, Shared
from semcore.config.configuration import Cell, Configuration
from semcore.config.segments import alternatives
from semcore.config.setup import Setup
from semcore.fingerprint import origin
from semcore.runs.provenance import CORE
from semcore.runs.sources import load
from semcore.version import __version__


@dataclass(frozen=True, eq=False)
class ResolvedCell:
    """A cell with everything that it consists of, resolved once.

    Fields:
        cell: its place in the grid
        setup: its components
        alternatives: those under each plan and environment that it may meet
        id: the digest of everything that its numbers depend on
    """

    cell: Cell
    setup: Setup
    alternatives: Sequence[Setup]
    id: str

    def identified(self, digester: Digester) -> str:
        """Its id with the current files and libraries."""
        return _identity(self.setup, self.alternatives, digester)


def resolve(experiment: Configuration, cell: Cell, digester: Digester) -> ResolvedCell:
    """Resolve a cell.

    Args:
        digester: shared by all cells of a run, so that what they have in common is digested once
    """
    setup = experiment.resolve(cell)
    others = [experiment.resolve(cell, overrides) for overrides in alternatives(setup)]
    return ResolvedCell(cell, setup, others, _identity(setup, others, digester))


def _identity(setup: Setup, others: Sequence[Setup], digester: Digester) -> str:
    """The digest of everything that the numbers of a cell depend on.

    That is: the components with all their settings, source code and files, those that a plan or the
    environment may bring in, the libraries that compute, the seed, and the samples; not where the
    samples or the pipeline file are, nor how anything is written.
    """
    core = __version__, origin.of_modules(CORE).digest
    pipelines = [one.pipeline for one in others]
    planned = setup.planner, Shared(setup.space), Shared(setup.scenarios), pipelines
    parts = (setup.pipeline, *planned, setup.metrics, setup.seed, setup.threads)
    return digester.digest(core, *parts, load(setup.source, digester)[1])[:20]
