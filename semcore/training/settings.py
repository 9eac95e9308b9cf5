"""Settings that all recipes of networks share: where they compute, how precisely, when they end."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge

from semcore.errors import RunError
from semcore.interfaces import Recipe
from semcore.tensors import resolved, wrong_device

Precision = Literal["auto", "float32", "bfloat16", "float16"]


@dataclass(frozen=True, kw_only=True)
class NetworkRecipe(Recipe):
    """Base of recipes that train networks with PyTorch.

    Random numbers are drawn on the CPU: a training on another device differs by rounding alone,
    except for a network with dropout.

    Fields:
        device: auto, cpu, cuda, cuda:NUMBER or mps; auto: a GPU if there is one
        dtype: of the arithmetic of networks (mixed precision; weights stay float32); auto: bfloat16
            where the device has it, else float16, and on a CPU what suits the recipe
        compile: whether torch.compile translates the networks first
        workers: processes that prepare batches; 0: none but this one
        threads: CPU threads
        early_stop: epochs without a better validation after which the training ends, with the
            weights of the best one; null: all epochs are run
    """

    device: str = "auto"
    dtype: Precision = "auto"
    compile: bool = False
    workers: Annotated[int, Ge(0)] = 0
    threads: Annotated[int, Ge(1)] = 1
    early_stop: Annotated[int, Ge(1)] | None = None

    indifferent: ClassVar[tuple[str, ...]] = ("device", "compile", "workers")
    """Settings that change weights by rounding at most: a training goes on with others."""
    cpu_dtype: ClassVar[Precision] = "float32"
    """What `auto` is on a CPU."""
    watches: ClassVar[str] = "validation loss"
    """The value of an epoch's log by which its weights are judged."""
    better: ClassVar[Literal["lower", "higher"]] = "lower"
    """Which of its values are better."""

    @functools.cached_property
    def place(self) -> torch.device:
        """The device.

        Raises:
            RunError: this machine has none of that name
        """
        if reason := wrong_device(self.device):
            raise RunError(f"{type(self).__name__}.device {reason}")
        return torch.device(resolved(self.device))

    @property
    def hardware(self) -> str:
        """What a training computed on, for a model card."""
        return f"{self.place.type}, {self.threads} CPU thread(s)"

    @property
    def precision(self) -> torch.dtype:
        """The type of the arithmetic of networks."""
        if self.dtype != "auto":
            return dtype_of(self.dtype)
        if self.place.type == "cuda":
            half = torch.cuda.is_bf16_supported()
            return torch.bfloat16 if half else torch.float16
        return dtype_of(self.cpu_dtype if self.place.type == "cpu" else "float32")

    def casting(self) -> contextlib.AbstractContextManager[Any]:
        """The context in which a network computes a loss: autocast to the precision."""
        if self.precision == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.place.type, self.precision)

    def translate(self, modules: Iterable[torch.nn.Module]) -> None:
        """Let torch.compile translate modules at their first call, if `compile` says so."""
        for module in modules if self.compile else ():
            module.compile()

    @functools.cached_property
    def scaler(self) -> torch.amp.GradScaler:
        """Scales losses of float16, whose gradients would vanish; others stay as they are."""
        wanted = self.place.type == "cuda" and self.precision == torch.float16
        return torch.amp.GradScaler("cuda", enabled=wanted)


def dtype_of(name: str) -> torch.dtype:
    """A type by its name."""
    found: torch.dtype = getattr(torch, name)
    return found
