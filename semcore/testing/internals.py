"""Parts of the core that tests of plugins look into: one cell, its pipeline, a run, the simulator
of a planner."""

from semcore.config.configuration import load
from semcore.link.multiplex import Multiplex
from semcore.link.pipeline import Pipeline
from semcore.models.fetching import download
from semcore.planning.guard import enforce
from semcore.planning.simulator import LinkSimulator
from semcore.plugins.contract import INTERFACES
from semcore.plugins.docstrings import documentation, summary
from semcore.plugins.packages import hook_manager
from semcore.runs.cache import Cache
from semcore.runs.cell import cell_session
from semcore.runs.memory import MIB, peak
from semcore.runs.provenance import built_from, provenance, stands_on
from semcore.runs.runner import run
from semcore.runs.threads import limited
from semcore.testing.build import build
from semcore.testing.devices import computing_on
from semcore.testing.examples import link, samples
from semcore.testing.hub import Hub, Repository, serving, use
from semcore.testing.model_files import Trap, change_json, harmful_module, retrain
from semcore.testing.planner import SCENARIOS, SPACE, ToySimulator

__all__ = [
    "Cache",
    "Hub",
    "Repository",
    "download",
    "serving",
    "use",
    "INTERFACES",
    "LinkSimulator",
    "MIB",
    "Multiplex",
    "Pipeline",
    "SCENARIOS",
    "SPACE",
    "ToySimulator",
    "Trap",
    "build",
    "built_from",
    "cell_session",
    "change_json",
    "computing_on",
    "documentation",
    "enforce",
    "harmful_module",
    "hook_manager",
    "limited",
    "link",
    "load",
    "peak",
    "provenance",
    "retrain",
    "run",
    "samples",
    "stands_on",
    "summary",
]
