"""Tokenizers of a handful of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WORDS = "a brown white bird ship dog on green blue background".split()


def word_tokenizer(words: Sequence[str], *special: str) -> Any:
    """A tokenizer of some words and special tokens."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {
        word: index
        for index, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *special, *words])
    }
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **names, additional_special_tokens=list(special)
    )
