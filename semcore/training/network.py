"""The training of a network: steps down the gradient, moving average, validation."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import nn

from semcore import steps
from semcore.rng import Rng
from semcore.tensors import moved_to, using
from semcore.training.batches import Batches, loaded
from semcore.training.loop import descend, one_cycle, run_epochs, set_rate, warming
from semcore.training.settings import NetworkRecipe

F = TypeVar("F", bound=Callable[..., Any])
Values = Mapping[str, torch.Tensor]
VALIDATION = "validation "
"""Before the name of a value in the log that is of unseen data."""
UNSEEN_SEED = 1
"""Of everything random in a validation: all epochs are measured alike."""


@dataclass(frozen=True, eq=False)
class Step:
    """What the loss of a batch may use besides the batch.

    Fields:
        done: number of steps before; in a validation, of its batches
        generator: of the epoch, on the CPU, where random numbers are drawn
        numbers: the same for functions of numpy
        rng: address of the random numbers of this step, for a channel
    """

    done: int
    generator: torch.Generator
    numbers: np.random.Generator
    rng: Rng


Cost = Callable[[Any, Any, Step], "torch.Tensor | tuple[torch.Tensor, Values]"]
"""The loss, a scalar, of a network, a batch on its device, and the step; with it, further values
for the log."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Training:
    """The training of a network by steps of equal kind.

    Fields:
        network: on the device of the recipe
        optimizers: name -> optimiser; each group of parameters has its `peak` learning rate
        batches: of an epoch
        cost: loss of a batch; networks in it compute on the device of the recipe
        epochs: number of checkpoints
        unseen: batches that are not trained on: the log of an epoch has their mean loss, by the
            moving average, as `validation loss`, and further values likewise
        measure: more values for the log, of the moving average
        rate: factor on the peak rates, of the steps done and the number of all
        decay: of the moving average, of the steps done
        clipped: parameters whose gradients have a norm of at most 1; None: those of the network
        more: further modules with trained parameters, by name
        average: the moving average, of other submodules; None: a copy of the network
    """

    network: nn.Module
    optimizers: Mapping[str, torch.optim.Optimizer]
    batches: Batches
    cost: Cost
    epochs: int
    unseen: Batches | None = None
    measure: Callable[[Any], Mapping[str, float]] = lambda average: {}
    rate: Callable[[int, int], float] = one_cycle
    decay: Callable[[int], float] = warming
    clipped: Sequence[torch.Tensor] | None = None
    more: Mapping[str, nn.Module] = field(default_factory=dict)
    average: nn.Module | None = None

    def run(self, recipe: NetworkRecipe, out: Path) -> tuple[Any, float]:
        """Train, or go on from the last checkpoint.

        Args:
            recipe: where and how to compute; its `seed`
            out: folder of the checkpoints

        Returns:
            the moving average, rounded to float16 as it is shipped, and all seconds spent

        Raises:
            RunError: as `run_epochs`
        """
        average: Any = copy.deepcopy(self.network) if self.average is None else self.average
        average.eval()
        modules = {"network": self.network, "average": average, **self.more}

        def run_epoch(epoch: int) -> dict[str, float]:
            values = self._epoch(recipe, average, epoch)
            with torch.no_grad():
                with using(str(recipe.place), stay=True):
                    values |= self._validated(recipe, average)
                with using(str(recipe.place)):
                    return {**values, **self.measure(average)}

        seconds = run_epochs(recipe, out, self.epochs, modules, self.optimizers, run_epoch)
        return average.half().float(), seconds

    def _epoch(self, recipe: Any, average: nn.Module, epoch: int) -> dict[str, float]:
        """Train for an epoch; mean values of its steps."""
        seed, count = recipe.seed * 1000 + epoch, self.batches.count
        generator = torch.Generator().manual_seed(seed)
        numbers = np.random.default_rng([recipe.seed, epoch])
        found = loaded(self.batches, generator, recipe)
        mean = _Mean()
        self.network.train()
        with using(str(recipe.place), stay=True), dropout_seed(recipe, seed):
            for number, batch in enumerate(steps.each(found, "steps", count)):
                done = epoch * count + number
                for optimizer in self.optimizers.values():
                    set_rate(optimizer, self.rate(done, self.epochs * count))
                step = Step(done, generator, numbers, Rng(recipe.seed).at(done))
                loss, values = _parts(self.cost(self.network, moved_to(batch, recipe.place), step))
                descend(
                    loss,
                    list(self.optimizers.values()),
                    self.network,
                    average,
                    self.decay(done),
                    recipe.scaler,
                    self.clipped,
                )
                mean.add(values)
        return mean.values()

    def _validated(self, recipe: Any, average: nn.Module) -> dict[str, float]:
        """Mean values of the moving average on unseen data."""
        if self.unseen is None:
            return {}
        generator = torch.Generator().manual_seed(UNSEEN_SEED)
        numbers = np.random.default_rng(UNSEEN_SEED)
        mean = _Mean()
        for number, batch in enumerate(loaded(self.unseen, generator, recipe)):
            step = Step(number, generator, numbers, Rng(UNSEEN_SEED).at("validation", number))
            mean.add(_parts(self.cost(average, moved_to(batch, recipe.place), step))[1])
        return {f"{VALIDATION}{name}": value for name, value in mean.values().items()}


@contextlib.contextmanager
def dropout_seed(recipe: NetworkRecipe, seed: int) -> Iterator[None]:
    """Seed what dropout draws from within this context, so that an epoch does not depend on those
    before it in the same process; the generators are as before after it."""
    devices = [recipe.place] if recipe.place.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


def at_place(train: F) -> F:
    """Decorator of `train` of a recipe: networks that it uses compute on the recipe's device, with
    as many threads as it says; what they return is on the CPU."""

    @functools.wraps(train)
    def placed(self: Any, out: Path) -> None:
        torch.set_num_threads(self.threads)
        with using(str(self.place)):
            train(self, out)

    return cast(F, placed)


class _Mean:
    """Mean values of steps, added up on their device."""

    def __init__(self) -> None:
        self.sums, self.count = dict[str, torch.Tensor](), 0

    def add(self, values: Values) -> None:
        self.count += 1
        for name, value in values.items():
            one = value.detach().double() if value.device.type == "cpu" else value.detach().float()
            self.sums[name] = self.sums[name] + one if name in self.sums else one

    def values(self) -> dict[str, float]:
        return {name: float(total) / self.count for name, total in self.sums.items()}


def _parts(found: Any) -> tuple[torch.Tensor, Values]:
    """The loss, and all values for the log, with it."""
    loss, values = found if isinstance(found, tuple) else (found, {})
    return loss, {"loss": loss, **values}
