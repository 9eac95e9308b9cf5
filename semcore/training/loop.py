"""What trainings share: learning-rate schedule, moving average, resumable epochs, export, and
symbols over a channel."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from semcore import steps
from semcore.component.base import Component
from semcore.config.fields import written
from semcore.config.setup import components_in
from semcore.entrypoints.naming import name_of
from semcore.fingerprint.origin import FILES
from semcore.interfaces import ChannelModel, Recipe
from semcore.rng import Rng
from semcore.tensors import at_snr, own_snr, symbols_of
from semcore.training.checkpoints import Watched, go_on, restore_best, save, save_best
from semcore.training.report import plot, report_epoch
from semcore.training.resume import claim


def one_cycle(step: int, total: int, warm_up: float = 0.15) -> float:
    """Factor on the peak learning rate: linear rise over `warm_up` of all steps, then cosine down
    to 0."""
    rise = warm_up * total
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (total - rise)))


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Scale every parameter group's own `peak` learning rate by `factor`."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


@torch.no_grad()
def move_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """average ← decay · average + (1 − decay) · model, statistics of normalisation layers
    included."""
    for slow, fast in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - decay)
        else:
            slow.copy_(fast)


def descend(
    loss: torch.Tensor,
    optimizers: Sequence[torch.optim.Optimizer],
    model: nn.Module,
    average: nn.Module,
    decay: float,
    scaler: torch.amp.GradScaler | None = None,
    clipped: Sequence[torch.Tensor] | None = None,
) -> None:
    """One step down the gradient, and the moving average after it.

    Args:
        loss: a scalar
        optimizers: of the parameters
        model: the network
        average: its moving average
        decay: of the average
        scaler: of losses in float16 (`NetworkRecipe.scaler`)
        clipped: parameters whose gradients are clipped to a norm of 1; None: those of `model`
    """
    for optimizer in optimizers:
        optimizer.zero_grad()
    scaler = scaler if scaler is not None and scaler.is_enabled() else None
    (loss if scaler is None else scaler.scale(loss)).backward()
    if scaler is not None:
        for optimizer in optimizers:
            scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters() if clipped is None else clipped, 1.0)
    for optimizer in optimizers:
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)  # leaves out a step whose gradients overflow
    if scaler is not None:
        scaler.update()
    move_average(average, model, decay)


def warming(done: int, most: float = 0.998) -> float:
    """The decay of a moving average after `done` steps: short at first, so that it does not
    remember the beginning."""
    return min(most, (1 + done) / (10 + done))


def drawn_db(snr_db: tuple[float, float], count: int, generator: torch.Generator) -> list[float]:
    """SNRs of a step, dB: one at random in each of as many equal parts of a range, so that every
    step sees all of it."""
    low, high = snr_db
    parts = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    snrs: list[float] = (low + (high - low) * parts).tolist()
    return snrs


def by_row(snrs_db: Sequence[float], rows: int) -> torch.Tensor:
    """The SNR of each row, float32 (rows,), where as many equal parts of the rows have one each."""
    counts = torch.tensor(_parts(rows, len(snrs_db)))
    return torch.repeat_interleave(torch.tensor(snrs_db), counts, output_size=rows)


def at_snrs(
    channel: ChannelModel, values: torch.Tensor, snrs_db: Sequence[float], rng: Rng
) -> tuple[torch.Tensor, torch.Tensor]:
    """Symbols (rows, n) over the channel, each row at its SNR of `by_row`: what arrives, and the
    noise variance left in it. The channel computes on the CPU, where its numbers are drawn."""
    parts = values.cpu().split(_parts(len(values), len(snrs_db)))
    received = [
        at_snr(channel, snr).transmit(symbols_of(part), rng.at(number))
        for number, (part, snr) in enumerate(zip(parts, snrs_db, strict=True))
    ]
    arrived = torch.cat([one.values for one in received]).to(values.device)
    return arrived, torch.cat([one.noise_var for one in received]).to(values.device)


def _parts(rows: int, count: int) -> list[int]:
    return [len(part) for part in torch.arange(rows).tensor_split(count)]


def run_epochs(
    recipe: Recipe,
    out: Path,
    epochs: int,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    run_epoch: Callable[[int], Mapping[str, float]],
) -> float:
    """Run epochs `0..epochs-1`, each ended by a checkpoint in `out`; go on from the last one.
    Returns all seconds spent.

    An epoch must draw its randomness from generators seeded by its number, so that an interrupted
    training gives what an uninterrupted one gives. Checkpoints are safetensors and JSON, never
    pickles.

    Raises:
        RunError: `out` holds a training of another recipe, or of other settings, data or source; or
            its checkpoint is damaged
    """
    training = claim(recipe, out)
    out.mkdir(parents=True, exist_ok=True)
    watched = Watched.of(recipe)
    held = go_on(out, training, modules, optimizers)
    for epoch in range(held.epochs, epochs):
        if watched.ended(held.history):
            break
        start = time.perf_counter()
        with steps.stage(f"epoch {epoch + 1}/{epochs}", what="steps"):
            log = dict(run_epoch(epoch))
        seconds = held.seconds + time.perf_counter() - start
        row = {"epoch": epoch + 1, "seconds": round(seconds), **log}
        held = held.after(seconds, row)
        if watched.early_stop and watched.best(held.history) == epoch + 1:
            save_best(out, modules)  # before the counter: an epoch that is repeated writes it again
        save(out, training, held, modules, optimizers)
        report_epoch(out, epochs, held.history, held.now)
    if watched.early_stop and held.history:
        restore_best(out, modules)
    plot(out, held.history)
    return held.seconds


def write_model(folder: Path, config: Mapping[str, object], model: nn.Module, card: str) -> None:
    """Write config.json, model.safetensors (float16) and README.md, the form in which a model is
    shipped."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    state = {k: v.cpu() for k, v in model.state_dict().items()}
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "model.safetensors")
    # safetensors writes files that only their owner may read
    (folder / "model.safetensors").chmod(0o644)
    (folder / "README.md").write_text(card)


def has_snr(channel: ChannelModel) -> bool:
    """Whether `at_snr` can set the SNR of a channel."""
    return bool(own_snr(channel))


def measured_at(channel: ChannelModel) -> str:
    """What the SNRs are that `at_snr` sets, for a model card."""
    return (
        "SNR of a slot after fading (`block_snr_db`)"
        if own_snr(channel) == "block_snr_db"
        else "Es/N0 before fading (`snr_db`)"
    )


def command_of(recipe: Recipe) -> str:
    """The command that trains a recipe, for its card; of a folder of data the name stands for its
    path."""
    given = getattr(recipe, "data", "")
    if isinstance(given, Component):
        path = Path(str(getattr(given, "path", ""))).expanduser()
        named = {"path": path.resolve().name} if path.name and path.exists() else {}
        data = _asked("data", dataclasses.replace(given, **named), recipe)
    else:
        folder = Path(given).expanduser().resolve().name
        data = [shlex.quote(f"data={folder}")] if given else []
    files = _own_files(recipe)
    own = [shlex.quote(f"plugins=[{', '.join(f'./{name}' for name in files)}]")] if files else []
    command = ["semcore train", name_of(type(recipe)), *own, *data, *asked(recipe), "--out DIR"]
    return " ".join(command)


def _own_files(recipe: Recipe) -> list[str]:
    """Names of the files under `plugins` that register the recipe, or components in it."""
    modules = dict.fromkeys(type(one).__module__ for one in components_in(recipe))
    places = [getattr(sys.modules.get(name), "__file__", None) or "" for name in modules]
    return [
        Path(place).name
        for name, place in zip(modules, places, strict=True)
        if name.startswith(FILES)
    ]


def asked(recipe: Recipe, without: Sequence[str] = ("data",)) -> list[str]:
    """The settings of a recipe that are not its defaults, as the command line takes them, for a
    model card.

    Args:
        without: settings that are left out, such as the folder of the data, which others have
            elsewhere
    """
    return [
        text
        for name in _fields(recipe)
        if name not in without
        for text in _asked(name, getattr(recipe, name), recipe)
    ]


def _asked(path: str, value: Any, owner: Component) -> list[str]:
    usual = next(
        field.default
        for field in dataclasses.fields(owner)
        if field.name == path.rpartition(".")[2]
    )
    if isinstance(value, Component):
        inner = [
            text
            for name in _fields(value)
            for text in _asked(f"{path}.{name}", getattr(value, name), value)
        ]
        return [f"{path}.use={name_of(type(value))}", *inner]
    return [] if value == usual else [shlex.quote(f"{path}={written(value)}")]


def _fields(component: Component) -> list[str]:
    return [field.name for field in dataclasses.fields(component)]
