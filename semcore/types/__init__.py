"""What flows between the stages of a pipeline. All types are frozen and validate themselves.

    Sample ─ encoder ─ Semantics ─ transport ─ Symbols ─ channel ─ Received ─ transport ─ Semantics
           ─ generator ─ Candidates

NumPy holds pictures, sound and features; PyTorch holds symbols, so that gradients flow.
"""

from semcore.types.knowledge import Knowledge, KnowledgeBase
from semcore.types.ledger import Entry, Ledger, apportion
from semcore.types.plan import LIMITS, Plan, Scenario, Term, utility
from semcore.types.samples import Candidates, Extent, OnDemand, Pictures, Sample, heads, left_out_of
from semcore.types.semantics import (
    STREAM_TYPES,
    Bitstream,
    Features,
    Picture,
    Semantics,
    Stream,
    Text,
    Tokens,
)
from semcore.types.symbols import Layout, Received, Span, Symbols

__all__ = [
    "LIMITS", "STREAM_TYPES", "Bitstream", "Candidates", "Entry", "Extent", "Features", "Knowledge",
    "KnowledgeBase", "Layout", "Ledger", "OnDemand", "Picture", "Pictures", "Plan", "Received",
    "Sample", "Scenario", "Semantics", "Span", "Stream", "Symbols", "Term", "Text", "Tokens",
    "heads", "left_out_of", "apportion", "utility",
]  # fmt: skip
