"""The number of threads of numerical libraries, and the device, as the pipeline sets them.

Sums over several threads are rounded in another order. With a number that depended on the
processors of a machine, or on how many cells are computed at once, the same command would end in
other last digits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from semcore.errors import RunError
from semcore.tensors import using, wrong_device


@contextlib.contextmanager
def limited(threads: int, device: str = "cpu") -> Iterator[None]:
    """Within it, PyTorch, BLAS and OpenMP use this number of threads, and networks this device.

    Raises:
        RunError: this machine has no such device
    """
    import torch
    from threadpoolctl import threadpool_limits

    need_device(device)
    before = torch.get_num_threads()
    with threadpool_limits(threads), using(device):
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def need_device(name: str) -> None:
    """
    Raises:
        RunError: this machine has no such device
    """
    if reason := wrong_device(name):
        raise RunError(f"device {reason}")
