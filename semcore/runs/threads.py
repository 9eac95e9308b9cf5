"""How many threads numerical libraries use: as many as the pipeline says, whatever the machine has.

Sums over several threads are rounded in another order. With a number that depended on the processors of a machine, or on how
many cells are computed at once, the same command would end in other last digits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def limited(threads: int) -> Iterator[None]:
    """PyTorch, and every BLAS and OpenMP that is loaded, use so many threads inside."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(threads):
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
