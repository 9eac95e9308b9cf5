"""Checkpoints of other programs: tensors under other names, perhaps as a pickle."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semcore.errors import RunError
from semcore.models.weights import read_tensors

if TYPE_CHECKING:
    import torch

PICKLES = (".pth", ".pt", ".bin", ".ckpt", ".pkl", ".tar")
"""Endings of files that PyTorch writes as pickles."""
REMEDY = (
    "opening a pickle can run any code that its author put there: where you trust it, convert it "
    "once to safetensors (`torch.load(FILE, weights_only=True)`, then "
    "`safetensors.torch.save_file`)"
)


def is_pickle(file: str | Path) -> bool:
    """Whether a file is a pickle by the ending of its name."""
    return Path(file).suffix.lower() in PICKLES


def read_checkpoint(
    file: Path, names: Mapping[str, str | None] | None = None, allow_pickle: bool = False
) -> dict[str, torch.Tensor]:
    """The tensors of another program's checkpoint, under the names that they have here.

    Args:
        file: safetensors; or a pickle, where that is allowed
        names: beginning of a name there -> what it is here; None: such tensors are left out. The
            longest beginning that fits counts; a name that none fits stays as it is
        allow_pickle: whether PyTorch may open a pickle (with `weights_only=True`: tensors and plain
            containers alone); a warning says so each time

    Raises:
        RunError: the file is of no use, or a pickle that may not be opened; or two of its tensors
            get the same name
    """
    if not is_pickle(file):
        held = read_tensors(file)
    elif not allow_pickle:
        raise RunError(f"{file} is a pickle, and is not opened: {REMEDY}")
    else:
        held = _unpickled(file)
    found: dict[str, torch.Tensor] = {}
    for name, tensor in held.items():
        own = renamed(name, names or {})
        if own is None:
            continue
        if own in found:
            raise RunError(f"{file}: two of its tensors would be called {own!r} here")
        found[own] = tensor
    return found


def renamed(name: str, names: Mapping[str, str | None]) -> str | None:
    """The name of a tensor here; None if it is left out."""
    fitting = [start for start in names if name.startswith(start)]
    if not fitting:
        return name
    start = max(fitting, key=len)
    new = names[start]
    return None if new is None else new + name[len(start) :]


def _unpickled(file: Path) -> dict[str, torch.Tensor]:
    import torch

    warnings.warn(
        f"{file} is a pickle, and is opened because `allow_pickle` says so. PyTorch reads tensors "
        "and plain containers of it alone (weights_only=True); convert it to safetensors, and "
        "switch this off",
        stacklevel=4,
    )
    try:
        held: Any = torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RunError(f"there is no file {file}") from error
    except Exception as error:  # whatever a broken or hostile pickle makes of the reader
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise RunError(f"{file} cannot be read as tensors alone: {first}") from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(held, Mapping) and isinstance(held.get(key), Mapping):
            held = held[key]
    if not isinstance(held, Mapping) or not all(
        isinstance(one, torch.Tensor) for one in held.values()
    ):
        raise RunError(f"{file} holds no mapping of names to tensors")
    return {str(name): tensor for name, tensor in held.items()}
