"""Memory that is given back to the system when it is freed."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1
"""Parameters of glibc's mallopt(3)."""
LARGE, SPARE = 2**21, 2**24
"""Bytes of a block from which it is mapped on its own, and free bytes at the end of the heap that
are kept."""


@functools.cache
def return_large_blocks() -> None:
    """Let glibc map large blocks one by one, so that frames and features go back to the system when
    they are freed.

    By default glibc takes blocks of up to 32 MiB from its heap after the first of that size was
    freed. Small ones between them keep the heap from shrinking, and a run over hundreds of segments
    grows by hundreds of megabytes. Other C libraries, and a threshold that the environment sets,
    stay as they are.
    """
    if "MALLOC_MMAP_THRESHOLD_" in os.environ:
        return
    with contextlib.suppress(OSError, AttributeError, TypeError):  # a C library without mallopt
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MMAP_THRESHOLD, LARGE)
        mallopt(TRIM_THRESHOLD, SPARE)
