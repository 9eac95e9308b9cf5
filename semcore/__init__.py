"""semcore: plugin-based, extensible generative semantic communication.

The names below are the public interface; everything else may change. Importing semcore loads no torch.
"""

from semcore.component import Component, Needs
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
from semcore.registry import register
from semcore.rng import Rng
from semcore.secrets import Secret
from semcore.types import (
    Bitstream,
    Candidates,
    Features,
    Knowledge,
    KnowledgeBase,
    Layout,
    Ledger,
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
    Text,
    Tokens,
)

__version__ = "0.1.0"

__all__ = [
    "Bitstream", "Candidates", "ChannelModel", "Codec", "Component", "ComponentError", "ConfigError", "Executor",
    "Features", "Generator", "Job", "KBPolicy", "Knowledge", "KnowledgeBase", "Layout", "Ledger", "Lost", "Metric", "Needs",
    "Picture", "Pictures", "Plan", "Planner",
    "PluginError", "Received", "Recipe", "Record", "Rng", "RunError", "Sample", "Scenario",
    "Secret", "Selector", "SemanticEncoder", "Semantics", "SemcoreError", "Source", "Span", "Stream", "Symbols", "Text",
    "Tokens",
    "Transport", "register",
]  # fmt: skip
