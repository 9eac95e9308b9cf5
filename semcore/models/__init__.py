"""Pretrained models: where they lie, whether they are complete, and that their files run no
code."""

from semcore.models.files import need_tokenizer, no_code_from, parsed
from semcore.models.pretrained import Pretrained
from semcore.models.weights import fill_weights, read_tensors

__all__ = ["Pretrained", "fill_weights", "need_tokenizer", "no_code_from", "parsed", "read_tensors"]
