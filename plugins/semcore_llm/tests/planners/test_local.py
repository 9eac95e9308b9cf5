"""The planner `llm-local`: whatever a model would like to say, what it says is a plan."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcore import Bounds, RunError, Space
from semcore.testing.internals import (
    SCENARIOS,
    SPACE,
    ToySimulator,
    Trap,
    change_json,
    harmful_module,
)
from semcore_llm.planners.local import LocalPlanner

pytest.importorskip("llguidance")


def alphabet() -> dict[str, int]:
    """Tokens by number: every byte, and two for begin and end."""
    from tokenizers import pre_tokenizers

    return {
        token: number
        for number, token in enumerate(
            [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<s>", "</s>"]
        )
    }


@pytest.fixture(scope="module", params=["chat", "plain"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny Llama of random weights with a tokenizer of bytes, saved as any model is."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder, tokens = tmp_path_factory.mktemp(request.param), alphabet()
    words = Tokenizer(models.BPE(vocab=tokens, merges=[]))
    words.pre_tokenizer, words.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>")
    if request.param == "chat":
        tokenizer.chat_template = (
            "{% for message in messages %}<s>{{ message['content'] }}</s>{% endfor %}"
        )
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        config = LlamaConfig(
            vocab_size=len(tokens) + 6,
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=16384,
            bos_token_id=256,
            eos_token_id=257,
        )
        LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def quantised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same kind of model as a GGUF file of 8-bit weights."""
    import gguf

    path, rng = tmp_path_factory.mktemp("gguf") / "tiny.gguf", np.random.default_rng(1)
    tokens = {**alphabet(), "ab": len(alphabet())}  # a file without a merge is refused
    size, inner = 32, 64
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(16384)
    writer.add_embedding_length(size)
    writer.add_block_count(1)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(list(tokens))
    writer.add_token_types(
        [
            int(gguf.TokenType.CONTROL if token in ("<s>", "</s>") else gguf.TokenType.NORMAL)
            for token in tokens
        ]
    )
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(tokens["<s>"])
    writer.add_eos_token_id(tokens["</s>"])
    shapes = {"token_embd": (len(tokens), size), "output": (len(tokens), size)}
    shapes |= {f"blk.0.attn_{part}": (size, size) for part in ("q", "k", "v", "output")}
    shapes |= {
        "blk.0.ffn_gate": (inner, size),
        "blk.0.ffn_up": (inner, size),
        "blk.0.ffn_down": (size, inner),
    }
    eight_bits = gguf.GGMLQuantizationType.Q8_0
    for name, shape in shapes.items():
        weights = gguf.quantize(rng.normal(0, 0.02, shape).astype(np.float32), eight_bits)
        writer.add_tensor(f"{name}.weight", weights, raw_dtype=eight_bits)
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(size, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


SPACES = {
    "choices and bounds": SPACE,
    "text that must be escaped": Space(
        {"a.b": ('say "no"', "naïve", "1/3"), "c": (True, False, None), "d": (1, 1.5)}
    ),
    "whole bounds": Space({"n": Bounds(-3, 12)}),
    "mappings": Space({"transport.motion": ({"use": "analog"}, {"use": "dct", "symbols": 300})}),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.default_cases(2)
def test_random_weights_give_a_plan_of_the_space(model: str, space: Space) -> None:
    planner = LocalPlanner(model=model, memory="", longest_step=8, max_new_tokens=400)
    for scenario in SCENARIOS[1:3]:
        plan = planner.plan(
            scenario, (), replace(ToySimulator(space, scenario=scenario), judge=None)
        )
        assert "failed" not in plan.report, plan.reasons
        assert space.holds(plan.overrides) and set(plan.overrides) == set(space.axes)
        assert plan.report["completion_tokens"] > 10 and plan.report["prompt_tokens"] > 100
        again = planner.plan(
            scenario, (), replace(ToySimulator(space, scenario=scenario), judge=None)
        )
        assert (plan.overrides, plan.reasons) == (again.overrides, again.reasons)


def test_a_model_may_be_stored_as_gguf(quantised: Path) -> None:
    planner = LocalPlanner(
        model=str(quantised.parent),
        gguf=quantised.name,
        memory="",
        longest_step=8,
        max_new_tokens=400,
    )
    plan = planner.plan(
        SCENARIOS[1], (), replace(ToySimulator(SPACE, scenario=SCENARIOS[1]), judge=None)
    )
    assert "failed" not in plan.report, plan.reasons
    assert SPACE.holds(plan.overrides) and set(plan.overrides) == set(SPACE.axes)


def test_a_gguf_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    planner = LocalPlanner(model=str(tmp_path), gguf="none.gguf", memory="")
    with pytest.raises(RunError, match=r"cannot be loaded.*none\.gguf"):
        planner.plan(SCENARIOS[1], (), ToySimulator(SPACE, scenario=SCENARIOS[1]))


def test_an_answer_that_does_not_end_is_none(model: str) -> None:
    planner = LocalPlanner(model=model, memory="", max_new_tokens=5)
    plan = planner.plan(SCENARIOS[1], (), ToySimulator(SPACE, scenario=SCENARIOS[1]))
    assert (
        plan.report["failed"] == plan.report["fallback"] == 1.0
        and "did not end within 5 tokens" in plan.reasons[0]
    )


def test_a_model_that_is_not_there_says_so(tmp_path: Path) -> None:
    planner = LocalPlanner(model=str(tmp_path), memory="")
    with pytest.raises(RunError, match="cannot be loaded"):
        planner.plan(SCENARIOS[1], (), ToySimulator(SPACE, scenario=SCENARIOS[1]))


# ---------------------------------------------------------------------------- models that mean harm


def asked(folder: str | Path, **settings: Any) -> Any:
    planner = LocalPlanner(
        model=str(folder), memory="", longest_step=8, max_new_tokens=400, **settings
    )
    return planner.plan(
        SCENARIOS[1], (), replace(ToySimulator(SPACE, scenario=SCENARIOS[1]), judge=None)
    )


@pytest.fixture
def copied(model: str, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(model, tmp_path / "model"))
    (folder / "harm.py").write_text(harmful_module(tmp_path / "sprung"))
    return folder


def test_pickled_weights_of_a_language_model_are_not_opened(copied: Path, tmp_path: Path) -> None:
    import torch

    torch.save(Trap(tmp_path / "sprung"), copied / "pytorch_model.bin")
    assert "failed" not in asked(copied).report
    (copied / "model.safetensors").unlink()
    with pytest.raises(RunError, match="safetensors"):
        asked(copied)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("file", "values"),
    [
        (
            "config.json",
            {
                "auto_map": {"AutoModelForCausalLM": "harm.Harm", "AutoConfig": "harm.Harm"},
                "model_type": "harm",
            },
        ),
        ("config.json", {"trust_remote_code": True}),
        (
            "tokenizer_config.json",
            {"auto_map": {"AutoTokenizer": ["harm.Harm", None]}, "tokenizer_class": "harm.Harm"},
        ),
        ("generation_config.json", {"custom_generate": "."}),
        ("config.json", {"experts_implementation": "nobody/kernel"}),
    ],
)
def test_code_of_a_language_model_is_not_run(
    copied: Path, tmp_path: Path, file: str, values: dict[str, Any]
) -> None:
    change_json(copied / file, **values)
    with pytest.raises(RunError, match="wants"):
        asked(copied)
    text = (copied / file).read_text()
    (copied / file).write_text(
        text.replace("auto_map", "auto\\u005fmap").replace("trust_", "trust\\u005f")
    )
    with pytest.raises(RunError, match="wants"):
        asked(copied)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "values", [{"trust_remote_code": True}, {"auto_map": {"AutoModelForCausalLM": "harm.Harm"}}]
)
def test_code_beside_a_gguf_file_is_not_run(
    quantised: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    """The file brings its own configuration; what lies beside it is read all the same."""
    folder = Path(shutil.copytree(quantised.parent, tmp_path / "model"))
    (folder / "harm.py").write_text(harmful_module(tmp_path / "sprung"))
    change_json(folder / "config.json", model_type="harm", **values)
    with pytest.raises(RunError, match="wants"):
        asked(folder, gguf=quantised.name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("damage", ["cut", "text", "pickle"])
def test_a_gguf_file_that_is_none_is_one_clear_error(
    quantised: Path, tmp_path: Path, damage: str
) -> None:
    folder = Path(shutil.copytree(quantised.parent, tmp_path / "model"))
    file, data = folder / quantised.name, quantised.read_bytes()
    made = {
        "cut": data[: len(data) // 2],
        "text": b"GGUF?",
        "pickle": pickle.dumps(Trap(tmp_path / "sprung")),
    }
    file.write_bytes(made[damage])
    with pytest.raises(RunError, match="cannot be loaded"):
        asked(folder, gguf=quantised.name)
    assert not (tmp_path / "sprung").exists()


TEMPLATES = {
    "no system role": "{% for m in messages %}{% if m['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}"
    "{% endif %}<s>{{ m['content'] }}{% endfor %}",
    "reaches out": "{{ messages.__class__.__mro__[1].__subclasses__() }}",
    "is none": "{% for m in messages %}",
}


@pytest.mark.parametrize("model", ["chat"], indirect=True)
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_chat_template_of_a_model(copied: Path, name: str) -> None:
    """Of Gemma and Mistral it takes no word of the system's; whatever else is wrong with one is
    said."""
    (copied / "chat_template.jinja").write_text(TEMPLATES[name])
    if name == "no system role":
        assert "failed" not in asked(copied).report
    else:
        with pytest.raises(RunError, match=r"chat template of .* cannot be used"):
            asked(copied)
