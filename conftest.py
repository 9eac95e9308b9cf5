"""Settings of the test run."""

import os
import signal
import tempfile
import threading
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

# A test run in the background ignores Ctrl-C, and so would the commands whose Ctrl-C is tried.
if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Spinning OpenMP threads slow tests down tenfold where several processes share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What outlives a run must not outlive the tests, nor be found by them; workers inherit it.
os.environ.setdefault("SEMCORE_SHELF", tempfile.mkdtemp(prefix="semcore-shelf-"))

# Time says nothing about the code: a busy machine or a first compilation must not fail a test.
settings.register_profile("semcore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("semcore")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the cases that `default_cases` leaves to the slow suite."""
    seen: Counter[str] = Counter()
    for item in items:
        limit = item.get_closest_marker("default_cases")
        if limit is None:
            continue
        function = item.nodeid.partition("[")[0]
        if seen[function] >= limit.args[0]:
            item.add_marker(pytest.mark.slow)
        seen[function] += 1
