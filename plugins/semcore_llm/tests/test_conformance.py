"""The laws of semcore's kit, for settings of every kind."""

from __future__ import annotations

from semcore.testing import conformance
from semcore_llm.metrics.bleu import SentenceBLEU
from semcore_llm.metrics.char_accuracy import CharAccuracy
from semcore_llm.planners.explore import ExplorePlanner
from semcore_llm.planners.fixed import FixedPlanner
from semcore_llm.planners.lookup import LookupPlanner
from semcore_llm.planners.oracle import OraclePlanner
from semcore_llm.planners.remote import LLMPlanner
from semcore_llm.planners.search import SearchPlanner

TABLE = (
    {"below": 0.0, "set": {"workflow": "a2v"}},
    {"below": 8.0, "set": {"transport.motion.repetition": 4}},
)

test_fixed = conformance(FixedPlanner({"workflow": "a2v", "kb.size": [16, 16]}), FixedPlanner({}))
test_lookup = conformance(
    LookupPlanner(TABLE), LookupPlanner(TABLE, {"workflow": "v2a"}, "delivered")
)
test_search = conformance(SearchPlanner(memory=""), SearchPlanner(trials=2, draws=2))
test_explore = conformance(ExplorePlanner())
test_oracle = conformance(OraclePlanner())
test_llm_without_an_endpoint = conformance(
    LLMPlanner(base_url="http://127.0.0.1:9/v1", model="none", retries=0)
)
test_metrics = conformance(SentenceBLEU(smoothing="add-k"), CharAccuracy())
