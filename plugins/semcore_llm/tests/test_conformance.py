"""The laws of semcore's kit, for settings of every kind."""

from __future__ import annotations

from semcore.testing import conformance
from semcore_llm.metrics import CharAccuracy, SentenceBLEU
from semcore_llm.planners import FixedPlanner, LookupPlanner

TABLE = ({"below": 0.0, "set": {"workflow": "a2v"}}, {"below": 8.0, "set": {"transport.motion.repetition": 4}})

test_fixed = conformance(FixedPlanner({"workflow": "a2v", "kb.size": [16, 16]}), FixedPlanner({}))
test_lookup = conformance(LookupPlanner(TABLE), LookupPlanner(TABLE, {"workflow": "v2a"}, "delivered"))
test_metrics = conformance(SentenceBLEU(smoothing="add-k"), CharAccuracy())
