"""Checkpoints of a training: safetensors and JSON, never pickles."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from torch import nn

from semcore.errors import RunError
from semcore.models.weights import read_tensors
from semcore.training.resume import RECORD

COUNTERS = "checkpoint.json"
BEST = "best.safetensors"


@dataclass(frozen=True)
class Held:
    """How far a training is.

    Fields:
        epochs: number of epochs that are done
        seconds: spent on them
        history: a row per epoch
        now: number of those that this call has done
    """

    epochs: int = 0
    seconds: float = 0.0
    history: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    now: int = 0

    def after(self, seconds: float, row: Mapping[str, Any]) -> Held:
        """The same, one epoch later."""
        return Held(self.epochs + 1, seconds, (*self.history, row), self.now + 1)


@dataclass(frozen=True)
class Watched:
    """By which value of its log an epoch is judged, and after how many without a better one a
    training ends; 0: never."""

    name: str
    better: Literal["lower", "higher"]
    early_stop: int

    @staticmethod
    def of(recipe: Any) -> Watched:
        """As a recipe says."""
        return Watched(
            getattr(recipe, "watches", "loss"),
            getattr(recipe, "better", "lower"),
            getattr(recipe, "early_stop", None) or 0,
        )

    def best(self, history: Sequence[Mapping[str, Any]]) -> int:
        """The number of the best epoch, the first of equals; 0: none."""
        sign = 1 if self.better == "higher" else -1
        known = [row for row in history if row.get(self.name, float("nan")) == row.get(self.name)]
        known = [row for row in known if self.name in row]
        return int(max(known, key=lambda row: sign * row[self.name])["epoch"]) if known else 0

    def ended(self, history: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it is time to stop."""
        return bool(self.early_stop) and len(history) - self.best(history) >= self.early_stop


def save(
    out: Path,
    training: str,
    held: Held,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Write the checkpoint of an epoch, and remove the one before."""
    state_file = out / f"checkpoint-{held.epochs}.safetensors"
    save_file(collect(modules, optimizers), state_file)
    counters = {
        "training": training,
        "epochs": held.epochs,
        "seconds": held.seconds,
        "file": state_file.name,
        "history": held.history,
    }
    temporary = (out / COUNTERS).with_suffix(".tmp")
    temporary.write_text(json.dumps(counters))
    # the counter names the tensors: whichever is missing, the pair stays whole
    temporary.replace(out / COUNTERS)
    (out / f"checkpoint-{held.epochs - 1}.safetensors").unlink(missing_ok=True)


def go_on(
    out: Path,
    training: str,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> Held:
    """Restore the last checkpoint of a training, if there is one.

    Raises:
        RunError: it is damaged, or of another training
    """
    counter_file = out / COUNTERS
    if not counter_file.exists():
        return Held()
    remedy = f"delete {out} to begin from the start, or name another folder with --out"
    try:
        counters = json.loads(counter_file.read_text())
        name = Path(str(counters["file"])).name
        held = Held(
            int(counters["epochs"]),
            float(counters["seconds"]),
            tuple(dict(row) for row in counters.get("history", ())),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{counter_file} is damaged ({error!r}); {remedy}") from error
    if counters.get("training") != training:
        raise RunError(f"{counter_file} is of another training than {out / RECORD}; {remedy}")
    try:
        restore(read_tensors(out / name, remedy), modules, optimizers)
    except (RuntimeError, ValueError, KeyError) as error:
        raise RunError(
            f"{out / name} does not fit the networks of this recipe; {remedy}"
        ) from error
    return held


def save_best(out: Path, modules: Mapping[str, nn.Module]) -> None:
    """Keep the weights of the best epoch so far."""
    temporary = out / f"{BEST}.tmp"
    save_file(collect(modules, {}), temporary)
    temporary.replace(out / BEST)


def restore_best(out: Path, modules: Mapping[str, nn.Module]) -> None:
    """Take the weights of the best epoch."""
    remedy = f"delete {out} to begin from the start, or name another folder with --out"
    restore(read_tensors(out / BEST, remedy), modules, {})


def collect(
    modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]
) -> dict[str, torch.Tensor]:
    """All tensors of modules and optimisers, as copies, by `name/...`."""
    tensors = {
        f"{name}/{k}": v for name, module in modules.items() for k, v in module.state_dict().items()
    }
    for name, optimizer in optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            tensors |= {
                f"{name}/{index}/{k}": v for k, v in entries.items() if isinstance(v, torch.Tensor)
            }
    return {k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in tensors.items()}


def restore(
    tensors: Mapping[str, torch.Tensor],
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Put the tensors of `collect` back into modules and optimisers."""
    for name, module in modules.items():
        prefix = f"{name}/"
        module.load_state_dict(
            {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
        )
    for name, optimizer in optimizers.items():
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in tensors.items():
            owner, _, rest = key.partition("/")
            if owner == name:
                index, entry = rest.split("/")
                state.setdefault(int(index), {})[entry] = value
        optimizer.load_state_dict(
            {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
        )
