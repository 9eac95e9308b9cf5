"""The number of threads of numerical libraries, as the pipeline sets it.

Sums over several threads are rounded in another order. With a number that depended on the
processors of a machine, or on how many cells are computed at once, the same command would end in
other last digits.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def limited(threads: int) -> Iterator[None]:
    """Within it, PyTorch, BLAS and OpenMP use this number of threads."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(threads):
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
