"""The planner `llm-local`: a language model in this process, constrained to the grammar of a
plan."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Ge

from semcore import PlanSimulator, RunError, Scenario, Space, extra
from semcore.models import Pretrained, model_files, need_tokenizer
from semcore_llm.planners.advised import Advised, NoAdviceError
from semcore_llm.planners.answer import Answer, AnswerError, read_answer
from semcore_llm.planners.prompt import STEPS, document, instructions, plan_schema

if TYPE_CHECKING:
    import torch


LEVELS = 20
"""Intervals into which a range of real numbers is divided."""


@dataclass(frozen=True)
class LocalPlanner(Advised, Pretrained):
    """Asks a causal language model of transformers, with decoding constrained to the grammar of a
    plan (llguidance).

    Only tokens that continue a valid answer are allowed, so every model gives a valid plan.
    Decoding is greedy.

    Errors: RunError if the model is not on this machine and may not be downloaded, or a required
    package is missing.

    Fields:
        model: name on the Hugging Face hub, or folder; a model of transformers'
            AutoModelForCausalLM with a fast tokenizer
        gguf: GGUF file of the model (llama.cpp, Ollama); null: safetensors
        longest_step: maximum length of each of the three steps, characters
        max_new_tokens: maximum length of an answer, tokens; a longer one is not usable
    """

    cites: ClassVar[tuple[str, ...]] = (*Advised.cites, "wolf2020transformers")

    model: str = "Qwen/Qwen2.5-1.5B-Instruct"
    gguf: str | None = None
    longest_step: Annotated[int, Ge(0)] = 200
    max_new_tokens: Annotated[int, Ge(1)] = 1024

    def libraries(self) -> Mapping[str, str]:
        return {"transformers": "semcore-llm[local]", "llguidance": "semcore-llm[local]"}

    def files_used(self, names: Sequence[str], read: Callable[[str], str]) -> list[str]:
        used = list(model_files(names, read))
        if self.gguf is None:
            return used
        settings = [name for name in used if not name.endswith(".safetensors")]
        return [*settings, *(name for name in names if name == self.gguf)]

    def identity(self) -> Any:
        return [Advised.identity(self), Pretrained.identity(self)]

    def advice(
        self,
        scenario: Scenario,
        memory: Sequence[Mapping[str, Any]],
        simulator: PlanSimulator,
        report: dict[str, float],
    ) -> Answer:
        content = document(
            scenario, memory, simulator, self.lines.of(simulator.space), self.nearest
        )
        text, asked, answered = self._generated(content, self._grammar(simulator.space))
        report |= {"prompt_tokens": float(asked), "completion_tokens": float(answered)}
        try:
            return read_answer(text, simulator.space)
        except AnswerError as error:
            raise NoAdviceError(
                f"the answer did not end within {self.max_new_tokens} tokens: {error}"
            ) from None

    def _grammar(self, space: Space) -> dict[str, Any]:
        """The schema of a short answer: short steps, no white space, and a few values per range of
        real numbers."""
        schema = plan_schema(space)
        for step in STEPS:
            schema["properties"][step]["maxLength"] = self.longest_step
        for path, values in space.axes.items():
            if values.schema().get("type") == "number":
                schema["properties"]["plan"]["properties"][path] = {
                    "enum": [float(f"{level:.4g}") for level in values.grid(LEVELS + 1)]
                }
        return {**schema, "x-guidance": {"whitespace_flexible": False}}

    @cached_property
    def _parts(self) -> tuple[Any, Any, Any]:
        """Tokenizer, model, and the tokenizer of llguidance."""
        with extra("semcore-llm[local]", "llm-local needs llguidance and transformers"):
            from llguidance.hf import from_tokenizer
            from transformers import AutoModelForCausalLM, AutoTokenizer
        needed = ("gguf", "accelerate") if self.gguf else ()
        if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
            raise RunError(
                f"llm-local needs {' and '.join(missing)}: pip install 'semcore-llm[local]'"
            )

        with self.loading(self.place) as folder:
            if self.gguf is None and self.local_files_only:
                need_tokenizer(folder)
            tokenizer = AutoTokenizer.from_pretrained(
                self.place, gguf_file=self.gguf, trust_remote_code=False, **self.hub
            )
            model: Any = AutoModelForCausalLM.from_pretrained(
                self.place,
                dtype=self.stored_dtype(folder),
                gguf_file=self.gguf,
                use_safetensors=True,
                trust_remote_code=False,
                **self.hub,
            )
            # Some tokenizers have more tokens than the output layer of the model.
            grammar_tokens = from_tokenizer(
                tokenizer, n_vocab=max(model.config.vocab_size, len(tokenizer))
            )
        model.to(self.torch_device)
        return tokenizer, model.eval(), grammar_tokens

    def _prompt(self, tokenizer: Any, content: str) -> str:
        """Instructions and document in the chat template of the model; some templates have no
        system role."""
        both = f"{instructions()}\n\n{content}"
        if not getattr(tokenizer, "chat_template", None):
            return f"{both}\n\n"
        reason = ""
        for turns in (
            [_chat("system", instructions()), _chat("user", content)],
            [_chat("user", both)],
        ):
            try:
                return str(
                    tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
                )
            except Exception as error:  # a template is a third-party program and may raise anything
                reason = " ".join(str(error).split()) or type(error).__name__
        raise RunError(f"LocalPlanner: the chat template of {self.model} cannot be used: {reason}")

    def _generated(self, content: str, schema: Mapping[str, Any]) -> tuple[str, int, int]:
        """The answer to a document, and the number of tokens of prompt and answer."""
        import torch

        with extra("semcore-llm[local]", "llm-local needs transformers"):
            from transformers import LogitsProcessorList

        tokenizer, model, grammar_tokens = self._parts
        text = self._prompt(tokenizer, content)
        asked = tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"].to(
            self.torch_device
        )
        masks = LogitsProcessorList([_Grammar(grammar_tokens, schema, asked.shape[1])])
        with torch.inference_mode():
            ids = model.generate(
                asked,
                attention_mask=torch.ones_like(asked),
                logits_processor=masks,
                do_sample=False,
                max_new_tokens=self.max_new_tokens,
                pad_token_id=tokenizer.eos_token_id,
            )[0, asked.shape[1] :]
        return tokenizer.decode(ids, skip_special_tokens=True), asked.shape[1], len(ids)


def _chat(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


class _Grammar:
    """Masks all tokens that cannot continue a value of a JSON Schema."""

    def __init__(self, tokens: Any, schema: Mapping[str, Any], begin: int) -> None:
        with extra("semcore-llm[local]", "llm-local needs llguidance"):
            from llguidance import LLMatcher

        self.matcher = LLMatcher(tokens, LLMatcher.grammar_from_json_schema(json.dumps(schema)))
        self.seen = begin

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        import torch

        for token in input_ids[0, self.seen :].tolist():
            self.matcher.consume_token(token)
        self.seen = input_ids.shape[1]
        if error := self.matcher.get_error():
            raise RunError(f"the grammar of the plan and the tokenizer do not fit: {error}")
        allowed = (
            torch.frombuffer(bytearray(self.matcher.compute_logit_bias()), dtype=torch.uint8).to(
                scores.device
            )
            > 0
        )
        return scores.masked_fill(~allowed[: scores.shape[1]], -torch.inf)
