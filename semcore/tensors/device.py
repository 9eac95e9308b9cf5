"""The device that networks compute on.

A pipeline has one, `device:`, and components ask for it by `device()`. Their settings do not have
it, so no id depends on it. Random numbers are drawn on the CPU, whatever the device: results agree
between devices up to rounding.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
DEVICE = "auto, cpu, cuda, cuda:NUMBER or mps"
"""What a device can be."""
_chosen: ContextVar[str] = ContextVar("semcore_device", default="cpu")


def device() -> torch.device:
    """The device that networks compute on here: that of the pipeline; the CPU outside of one."""
    import torch

    return torch.device(_chosen.get())


@contextlib.contextmanager
def using(name: str) -> Iterator[None]:
    """Within it, `device()` is this one; `auto`: a GPU if there is one."""
    token = _chosen.set(resolved(name))
    try:
        yield
    finally:
        _chosen.reset(token)


def resolved(name: str) -> str:
    """A device as PyTorch names it; of `auto`, the one that is there: CUDA before Apple's, before
    the CPU."""
    if name != "auto":
        return name
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def wrong_device(name: Any) -> str:
    """Why this machine has no device of a name; "" if it has."""
    if not isinstance(name, str) or not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        return f"must be {DEVICE}, not {name!r}"
    if name in ("auto", "cpu"):
        return ""
    import torch

    if name == "mps":
        there = torch.backends.mps.is_available()
        return "" if there else "is mps, and PyTorch finds none on this machine: use auto or cpu"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(name.partition(":")[2] or 0)
    if number < count:
        return ""
    found = f"{count} of them" if count else "no GPU with CUDA"
    return f"is {name}, and PyTorch finds {found} on this machine: use auto or cpu"


def placed(network: T, on: torch.device | None = None) -> T:
    """A torch module on the device of the pipeline, or another; it is moved the first time."""
    place = device() if on is None else on
    module: Any = network
    first = next(module.parameters(), None)
    if first is None or first.device != _numbered(place):
        module.to(place)
    return network


def _numbered(place: torch.device) -> torch.device:
    """`cuda` as `cuda:0`, or whichever is current: tensors have a number."""
    import torch

    if place.type == "cuda" and place.index is None and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return place
