"""The planner `llm-local`: whatever a model would like to say, what it says is a plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from semcore.errors import RunError
from semcore.testing.planner import SCENARIOS, SPACE, ToyBench
from semcore.types import Bounds, Space
from semcore_llm.llm.local import LocalPlanner

pytest.importorskip("llguidance")


@pytest.fixture(scope="module", params=["chat", "plain"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny Llama of random weights with a tokenizer of bytes, saved as any model is."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp(request.param)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = {token: number for number, token in enumerate([*alphabet, "<s>", "</s>"])}
    words = Tokenizer(models.BPE(vocab=tokens, merges=[]))
    words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>")
    if request.param == "chat":
        tokenizer.chat_template = "{% for message in messages %}<s>{{ message['content'] }}</s>{% endfor %}"
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        config = LlamaConfig(
            vocab_size=len(tokens) + 6, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=16384, bos_token_id=256, eos_token_id=257,
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


SPACES = {
    "choices and bounds": SPACE,
    "text that must be escaped": Space({"a.b": ('say "no"', "naïve", "1/3"), "c": (True, False, None), "d": (1, 1.5)}),
    "whole bounds": Space({"n": Bounds(-3, 12)}),
    "mappings": Space({"transport.motion": ({"use": "analog"}, {"use": "dct", "symbols": 300})}),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_random_weights_give_a_plan_of_the_space(model: str, space: Space) -> None:
    planner = LocalPlanner(model=model, memory="", longest_step=8, max_new_tokens=400)
    for scenario in SCENARIOS[1:3]:
        plan = planner.plan(scenario, (), replace(ToyBench(space, scenario=scenario), judge=None))
        assert "failed" not in plan.report, plan.reasons
        assert space.holds(plan.overrides) and set(plan.overrides) == set(space.axes)
        assert plan.report["completion_tokens"] > 10 and plan.report["prompt_tokens"] > 100
        again = planner.plan(scenario, (), replace(ToyBench(space, scenario=scenario), judge=None))
        assert (plan.overrides, plan.reasons) == (again.overrides, again.reasons)


def test_an_answer_that_does_not_end_is_none(model: str) -> None:
    planner = LocalPlanner(model=model, memory="", max_new_tokens=5)
    plan = planner.plan(SCENARIOS[1], (), ToyBench(SPACE, scenario=SCENARIOS[1]))
    assert plan.report["failed"] == plan.report["fallback"] == 1.0 and "did not end within 5 tokens" in plan.reasons[0]


def test_a_model_that_is_not_there_says_so(tmp_path: Path) -> None:
    planner = LocalPlanner(model=str(tmp_path), memory="")
    with pytest.raises(RunError, match="cannot be loaded"):
        planner.plan(SCENARIOS[1], (), ToyBench(SPACE, scenario=SCENARIOS[1]))
