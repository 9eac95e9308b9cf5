"""Pretrained models: where they lie, whether they are complete, and that their files run no
code."""

from semcore.models.fetching import listing, names_of
from semcore.models.files import need_tokenizer, no_code_from, parsed
from semcore.models.foreign import is_pickle, read_checkpoint
from semcore.models.hub import absent, on_hub, weights_place
from semcore.models.pretrained import Pretrained
from semcore.models.repository import HubFiles, model_files, offline
from semcore.models.weights import fill_tensors, fill_weights, read_tensors

__all__ = [
    "HubFiles",
    "Pretrained",
    "absent",
    "fill_tensors",
    "fill_weights",
    "is_pickle",
    "listing",
    "model_files",
    "names_of",
    "need_tokenizer",
    "no_code_from",
    "offline",
    "on_hub",
    "parsed",
    "read_checkpoint",
    "read_tensors",
    "weights_place",
]
