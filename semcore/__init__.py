"""semcore: plugin-based, extensible generative semantic communication.

The names below are the public interface; everything else may change. Importing semcore does
not import torch.
"""

from typing import TYPE_CHECKING, Any

from semcore.component.base import Component, check_fields, plain, unit_of
from semcore.component.digest import digest
from semcore.component.secret import Secret
from semcore.entrypoints.extensions import extension_names, load_extension
from semcore.entrypoints.extras import extra
from semcore.entrypoints.naming import name_of
from semcore.errors import (
    ComponentError,
    ConfigError,
    PluginError,
    RunError,
    SemcoreError,
    SourceError,
    listed,
    shown,
)
from semcore.fingerprint.content import file_digest, path_digest
from semcore.fingerprint.named import named_files
from semcore.fingerprint.origin import source_digest
from semcore.interfaces import (
    ChannelModel,
    Codec,
    Executor,
    Generator,
    Job,
    KBPolicy,
    Lost,
    Metric,
    Recipe,
    Record,
    Selector,
    SemanticEncoder,
    Source,
    Transport,
)
from semcore.link.adaptation import LEAST_SNR_DB, MOST_SNR_DB, Adaptive
from semcore.memo import LRU
from semcore.planning.axes import Axis, Bounds, Choices, LogBounds
from semcore.planning.interface import Cost, Planner, PlanSimulator, Trial
from semcore.planning.space import Space
from semcore.plugins.hookspecs import Tracker, hook
from semcore.plugins.registry import register
from semcore.rng import Rng
from semcore.runs.cache import user_cache
from semcore.statistics.base import Quotient, Statistic
from semcore.statistics.kinds import Decibels, Mean, Ratio, Score, Share
from semcore.steps import Step, each, say
from semcore.tensors import device, on_device, placed
from semcore.types import (
    Bitstream,
    Candidates,
    Extent,
    Features,
    Knowledge,
    KnowledgeBase,
    Layout,
    Ledger,
    OnDemand,
    Picture,
    Pictures,
    Plan,
    Received,
    Sample,
    Scenario,
    Semantics,
    Span,
    Stream,
    Symbols,
    Term,
    Text,
    Tokens,
    apportion,
    heads,
    utility,
)
from semcore.version import __version__ as __version__
from semcore.wording.redaction import printable, redact
from semcore.wording.renamed import Renamed, find_renamed
from semcore.wording.suggest import Spelt

if TYPE_CHECKING:
    from semcore.api.experiment import Experiment
    from semcore.api.launch import run
    from semcore.api.results import Results, read
    from semcore.api.training import train

_LATER = {
    "Experiment": "experiment",
    "Results": "results",
    "read": "results",
    "run": "launch",
    "train": "training",
}
"""Name -> module of `semcore.api`: what imports the whole core is imported when it is used."""
_RENAMED: dict[str, Renamed] = {}
"""Old public name -> the new one; docs/stability.md says how long it works."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        return find_renamed("semcore", name, _RENAMED)
    import importlib

    return getattr(importlib.import_module(f"semcore.api.{_LATER[name]}"), name)


__all__ = [
    "Adaptive",
    "Axis",
    "Bitstream",
    "Bounds",
    "Candidates",
    "ChannelModel",
    "Choices",
    "Codec",
    "Component",
    "ComponentError",
    "ConfigError",
    "Cost",
    "Decibels",
    "Executor",
    "Experiment",
    "Extent",
    "Features",
    "Generator",
    "Job",
    "KBPolicy",
    "Knowledge",
    "KnowledgeBase",
    "LEAST_SNR_DB",
    "LRU",
    "Layout",
    "Ledger",
    "LogBounds",
    "Lost",
    "MOST_SNR_DB",
    "Mean",
    "Metric",
    "OnDemand",
    "Picture",
    "Pictures",
    "Plan",
    "PlanSimulator",
    "Planner",
    "PluginError",
    "Quotient",
    "Ratio",
    "Received",
    "Recipe",
    "Record",
    "Results",
    "Rng",
    "RunError",
    "Sample",
    "Scenario",
    "Score",
    "Secret",
    "Selector",
    "SemanticEncoder",
    "Semantics",
    "SemcoreError",
    "Share",
    "Source",
    "SourceError",
    "Space",
    "Span",
    "Spelt",
    "Statistic",
    "Step",
    "Stream",
    "Symbols",
    "Term",
    "Text",
    "Tokens",
    "Tracker",
    "Transport",
    "Trial",
    "apportion",
    "check_fields",
    "device",
    "digest",
    "each",
    "extension_names",
    "extra",
    "file_digest",
    "path_digest",
    "heads",
    "hook",
    "listed",
    "load_extension",
    "name_of",
    "named_files",
    "on_device",
    "placed",
    "plain",
    "printable",
    "read",
    "redact",
    "register",
    "run",
    "say",
    "shown",
    "source_digest",
    "train",
    "unit_of",
    "user_cache",
    "utility",
]
