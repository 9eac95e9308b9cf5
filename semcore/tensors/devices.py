"""The device that networks compute on.

A pipeline has one, `device:`, and components ask for it by `device()`. Their settings do not have
it, so no id depends on it. Random numbers are drawn on the CPU, whatever the device: results agree
between devices up to rounding.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
DEVICE = "auto, cpu, cuda, cuda:NUMBER or mps"
"""What a device can be."""
_chosen: ContextVar[str] = ContextVar("semcore_device", default="cpu")
_inside: ContextVar[bool] = ContextVar("semcore_inside", default=False)
"""Whether a method that computes on the device is called by another: its results stay there."""
_staying: ContextVar[bool] = ContextVar("semcore_staying", default=False)
"""Whether results stay on the device, as in a training."""


def device() -> torch.device:
    """The device that networks compute on here: that of the pipeline; the CPU outside of one."""
    import torch

    return torch.device(_chosen.get())


@contextlib.contextmanager
def using(name: str, stay: bool = False) -> Iterator[None]:
    """Within it, `device()` is this one; `auto`: a GPU if there is one.

    Args:
        stay: whether results of methods `on_device` stay there, for a loss that follows
    """
    token, staying = _chosen.set(resolved(name)), _staying.set(stay)
    try:
        yield
    finally:
        _staying.reset(staying)
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


def named_device(name: Any) -> bool:
    """Whether a value is the name of a device, of any machine."""
    return isinstance(name, str) and bool(re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name))


def wrong_device(name: Any) -> str:
    """Why this machine has no device of a name; "" if it has."""
    if not named_device(name):
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
    import torch

    place = device() if on is None else on
    module: Any = network
    wanted = _numbered(place)
    if any(one.device != wanted for one in (*module.parameters(), *module.buffers())):
        with torch.inference_mode(False):  # its weights may be trained later
            module.to(place)
    return network


def on_device(method: F) -> F:
    """Decorator of a method of a torch module: it computes on the device of the pipeline.

    The module is moved there, and so are the tensors that the method gets; tensors that it makes
    are made there. What it returns is on the CPU, or stays where `using` says so. On a CPU nothing
    is done.
    """

    @functools.wraps(method)
    def moved(self: Any, *arguments: Any, **named: Any) -> Any:
        place = device()
        if place.type == "cpu" and not _elsewhere(self) or _inside.get():
            return method(self, *arguments, **named)
        placed(self, place)
        token = _inside.set(True)
        try:
            with place:
                made = method(self, *moved_to(arguments, place), **moved_to(named, place))
        finally:
            _inside.reset(token)
        return made if _staying.get() else back(made)

    return cast(F, moved)


def back(value: Any) -> Any:
    """Tensors on the CPU, in tuples, lists and mappings, too."""
    import torch

    return moved_to(value, torch.device("cpu"))


def moved_to(value: Any, place: torch.device) -> Any:
    """Tensors on a device, in tuples, lists and mappings, too; anything else as it is."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.to(place)
    if isinstance(value, (tuple, list)):
        return type(value)(moved_to(one, place) for one in value)
    if isinstance(value, dict):
        return {key: moved_to(one, place) for key, one in value.items()}
    return value


def _elsewhere(module: Any) -> bool:
    """Whether a module was left on another device by a pipeline before."""
    first = next(module.parameters(), None)
    return first is not None and first.device.type != "cpu"


def _numbered(place: torch.device) -> torch.device:
    """`cuda` as `cuda:0`, or whichever is current: tensors have a number."""
    import torch

    if place.type == "cuda" and place.index is None and torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return place
