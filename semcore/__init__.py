"""semcore: plugin-based, extensible generative semantic communication.

The names below are the public interface; everything else may change. Importing semcore loads no torch.
"""

from semcore.component.base import Component, Needs
from semcore.component.secret import Secret
from semcore.errors import ComponentError, ConfigError, PluginError, RunError, SemcoreError
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
from semcore.planning.interface import Planner, PlanSimulator, Trial
from semcore.planning.space import Bounds, Space
from semcore.plugins.registry import register
from semcore.rng import Rng
from semcore.statistics.base import Quotient, Statistic
from semcore.statistics.kinds import Decibels, Mean, Ratio, Score, Share
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
)
from semcore.version import __version__ as __version__

__all__ = [
    "Bitstream", "Bounds", "Candidates", "ChannelModel", "Codec", "Component", "ComponentError", "ConfigError",
    "Decibels", "Executor", "Extent", "Features", "Generator", "Job", "KBPolicy", "Knowledge", "KnowledgeBase", "Layout",
    "Ledger", "Lost", "Mean", "Metric", "Needs", "OnDemand", "Picture", "Pictures", "Plan", "PlanSimulator", "Planner",
    "PluginError", "Quotient", "Ratio", "Received", "Recipe", "Record", "Rng", "RunError", "Sample", "Scenario",
    "Score", "Secret", "Selector", "SemanticEncoder", "Semantics", "SemcoreError", "Share", "Source", "Space", "Span",
    "Statistic", "Stream", "Symbols",
    "Term", "Text", "Tokens", "Transport", "Trial", "register",
]  # fmt: skip
