"""Sionna without its global state: imported late, its random generator seeded and restored."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from types import ModuleType

from semcore import Rng

_lock = threading.RLock()


@functools.cache
def sionna_phy() -> ModuleType:
    """The module `sionna.phy`.

    Its import seeds PyTorch's default generators at random; here they keep their state.
    """
    import torch

    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        import sionna.phy
    return sionna.phy


@contextlib.contextmanager
def sionna_rng(rng: Rng) -> Iterator[None]:
    """Inside this block, what Sionna draws on the CPU comes from the address `rng`.

    Sionna's blocks take no generator: all draw from one global generator per device. It is seeded
    here and gets its state back afterwards. One thread at a time, because the generator is shared.
    """
    with _lock:
        generator = sionna_phy().config.torch_rng("cpu")
        state = generator.get_state()
        generator.manual_seed(rng.integer())
        try:
            yield
        finally:
            generator.set_state(state)
