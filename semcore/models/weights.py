"""Weights that are whole: a model of which a tensor is missing is refused, never filled with random
numbers."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcore.errors import RunError

if TYPE_CHECKING:
    import torch

_wanted: contextvars.ContextVar[bool] = contextvars.ContextVar("semcore_whole", default=False)
NAMED = 4
"""Most missing tensors that a message names."""


@contextlib.contextmanager
def complete() -> Iterator[None]:
    """Within it, transformers and diffusers raise a RunError where they would fill a tensor with
    random numbers.

    That holds for every part of a pipeline, too: networks, text encoders, vocoders.
    """
    for base in _bases({name.partition(".")[0] for name in sys.modules}):
        _guard(base)
    token = _wanted.set(True)
    try:
        yield
    finally:
        _wanted.reset(token)


def _bases(used: set[str]) -> Iterator[Any]:
    """Classes whose `from_pretrained` fills tensors that the files lack with random numbers, of the
    libraries in use."""
    if used & {"diffusers", "transformers"}:  # pipelines of diffusers have parts of transformers
        with contextlib.suppress(ImportError):
            from transformers.modeling_utils import PreTrainedModel

            yield PreTrainedModel
    if "diffusers" in used:
        with contextlib.suppress(ImportError):
            from diffusers.models.modeling_utils import ModelMixin

            yield ModelMixin


def _guard(base: Any) -> None:
    """Let `from_pretrained` of a class look, where that is wanted, at what it found in the
    files."""
    given = vars(base)["from_pretrained"].__func__
    if hasattr(given, "__wrapped_by_semcore__"):
        return

    @functools.wraps(given)
    def from_pretrained(
        cls: Any, *arguments: Any, output_loading_info: bool = False, **settings: Any
    ) -> Any:
        if not _wanted.get():
            return given(cls, *arguments, output_loading_info=output_loading_info, **settings)
        model, found = given(cls, *arguments, output_loading_info=True, **settings)
        _refuse_gaps(cls.__name__, found)
        return (model, found) if output_loading_info else model

    from_pretrained.__wrapped_by_semcore__ = True  # type: ignore[attr-defined]
    base.from_pretrained = classmethod(from_pretrained)


def _refuse_gaps(name: str, found: Any) -> None:
    held = found if isinstance(found, Mapping) else vars(found)
    missing = sorted(held.get("missing_keys") or ())
    misfits = sorted(
        str(one[0] if isinstance(one, (tuple, list)) else one)
        for one in held.get("mismatched_keys") or ()
    )
    for what, tensors in (("are missing in", missing), ("have another shape in", misfits)):
        if tensors:
            raise RunError(
                f"{len(tensors)} of the tensors of {name} {what} its weights: {_few(tensors)}"
            )


def _few(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def read_tensors(file: Path, remedy: str = "") -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file.

    Args:
        file: its path
        remedy: what to do where it is of no use, for the message

    Raises:
        RunError: it is missing, empty, cut off, or not of that format
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    hint = f"; {remedy}" if remedy else ""
    try:
        found = load_file(file)
    except FileNotFoundError as error:
        raise RunError(f"there is no file {file}{hint}") from error
    except (SafetensorError, OSError, ValueError) as error:
        what = (
            "is empty"
            if file.is_file() and not file.stat().st_size
            else f"cannot be read as safetensors: {_line(error)}"
        )
        raise RunError(f"{file} {what}{hint}") from error
    if not found:
        raise RunError(f"{file} holds no tensors{hint}")
    return found


def fill_weights(network: Any, file: Path, remedy: str = "") -> Any:
    """A torch module with all its tensors, and no others, from a safetensors file.

    Raises:
        RunError: the file is of no use, or holds the weights of another network
    """
    return fill_tensors(network, read_tensors(file, remedy), file, remedy)


def fill_tensors(network: Any, held: Mapping[str, Any], file: Path, remedy: str = "") -> Any:
    """A torch module with all its tensors, and no others, from those that a file held.

    Raises:
        RunError: they are the weights of another network
    """
    hint, own = f"; {remedy}" if remedy else "", network.state_dict()
    missing, strange = sorted(own.keys() - held.keys()), sorted(held.keys() - own.keys())
    misfits = sorted(
        name for name in own.keys() & held.keys() if own[name].shape != held[name].shape
    )
    for names, what in (
        (missing, "lacks the tensors"),
        (strange, "holds the unknown tensors"),
        (misfits, "holds other shapes of"),
    ):
        if names:
            raise RunError(f"{file} {what} {_few(names)} of {type(network).__name__}{hint}")
    network.load_state_dict(dict(held))
    return network


def _line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
