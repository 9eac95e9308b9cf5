"""Tensors that say they are on another device, so that a computation that mixes devices is found on
a machine without a GPU.

Their numbers are real and on the CPU. PyTorch computes with them as usual; an operation that a GPU
would refuse, because its tensors are on two devices, raises `MixedDevicesError`. What is not found:
operations that a device lacks, and its rounding.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

ELSEWHERE = torch.device("meta")
"""Where the tensors say they are: no driver is needed to move one there."""
MOVES = ("aten._to_copy", "aten.copy_", "aten._copy_from", "aten.to")
"""Operations that take tensors of two devices."""
INDEXING = ("aten.index.", "aten.index_put", "aten._index_put_impl_", "aten._unsafe_index")
"""Operations whose indices may be on the CPU."""


class MixedDevicesError(RuntimeError):
    """An operation mixes tensors of two devices."""


class Placed(torch.Tensor):
    """A tensor that says it is on `ELSEWHERE`; `held`: its numbers, on the CPU."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Placed:
        """Wrap a tensor."""
        made: Placed = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=ELSEWHERE,
            requires_grad=held.requires_grad,
        )
        made.held = held
        return made

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Placed({self.held!r})"

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Compute with what it holds."""
        return _computed(func, args, kwargs or {})


class _Literals(TorchFunctionMode):
    """Makes tensors of Python's numbers, and numbers of tensors: PyTorch does that below its
    operations."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        device = kwargs.get("device")
        if func is torch.Tensor.tolist:
            return func(_held(args[0]))
        if func not in (torch.tensor, torch.as_tensor, torch.asarray) or device is None:
            return func(*args, **kwargs)
        if isinstance(args[0], torch.Tensor):
            return args[0].to(device, kwargs.get("dtype") or args[0].dtype)
        made = func(*args, **{**kwargs, "device": None})
        return made.to(device)


class _Everywhere(TorchDispatchMode):
    """Sees operations without a placed tensor, too: those that make or move one."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = str(func)
    found = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, torch.Tensor)]
    placed = [one for one in found if isinstance(one, Placed)]
    there = bool(placed)
    if placed and not name.startswith(MOVES):
        here = [one for one in found if not isinstance(one, Placed) and one.dim()]
        if name.startswith(INDEXING):
            here = [one for one in here if one is args[0]]
        if here:
            raise MixedDevicesError(f"{name} of tensors on {ELSEWHERE} and {here[0].device}")
    kwargs = dict(kwargs)
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]).type == ELSEWHERE.type
        kwargs["device"] = torch.device("cpu")
    elif name.startswith("aten.copy_"):
        there = isinstance(args[0], Placed)
    args, kwargs = tree_map(_held, (args, kwargs))
    made = func(*args, **kwargs)
    if not there:
        return made
    if name.split(".")[1].endswith("_") and placed:  # in place: the tensor stays the same object
        return placed[0] if isinstance(made, torch.Tensor) else made
    return tree_map(lambda one: Placed(one) if isinstance(one, torch.Tensor) else one, made)


def _held(value: Any) -> Any:
    return value.held if isinstance(value, Placed) else value


@contextlib.contextmanager
def elsewhere() -> Iterator[Any]:
    """Inside this block, a function that places a tensor, and tensors that are moved to
    `ELSEWHERE`, or made there, are placed."""
    with _Everywhere(), _Literals():
        yield lambda tensor: tensor.to(ELSEWHERE)


@contextlib.contextmanager
def on_gpu() -> Iterator[Any]:
    """As `elsewhere`, with a GPU that is there."""
    yield lambda tensor: tensor.to("cuda")
