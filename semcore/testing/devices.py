"""Networks on a device that stands for a GPU, where there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from semcore.tensors import devices


@contextlib.contextmanager
def computing_on(name: str) -> Iterator[None]:
    """Within it, networks compute on a device of this name, such as `meta`, and leave results
    there: tensors of `meta` have no values, and fail where they meet those of the CPU."""
    chosen, returned = devices._chosen.set(name), devices.back
    devices.back = lambda value: value
    try:
        yield
    finally:
        devices.back = returned
        devices._chosen.reset(chosen)
