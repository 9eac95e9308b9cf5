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
    Planner,
    Recipe,
    Record,
    Selector,
    SemanticEncoder,
    Source,
    Transport,
)
from semcore.planning.simulator import Bench, Trial
from semcore.plugins.registry import register
from semcore.rng import Rng
from semcore.statistics.kinds import Decibels, Mean, Quotient, Ratio, Score, Share, Statistic
from semcore.types import (
    Bitstream,
    Bounds,
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
    Space,
    Span,
    Stream,
    Symbols,
    Term,
    Text,
    Tokens,
)

__version__ = "0.1.0"

__all__ = [
    "Bench", "Bitstream", "Bounds", "Candidates", "ChannelModel", "Codec", "Component", "ComponentError", "ConfigError",
    "Decibels", "Executor", "Extent", "Features", "Generator", "Job", "KBPolicy", "Knowledge", "KnowledgeBase", "Layout",
    "Ledger", "Lost", "Mean", "Metric", "Needs", "OnDemand", "Picture", "Pictures", "Plan", "Planner",
    "PluginError", "Quotient", "Ratio", "Received", "Recipe", "Record", "Rng", "RunError", "Sample", "Scenario",
    "Score", "Secret", "Selector", "SemanticEncoder", "Semantics", "SemcoreError", "Share", "Source", "Space", "Span",
    "Statistic", "Stream", "Symbols",
    "Term", "Text", "Tokens", "Transport", "Trial", "register",
]  # fmt: skip
