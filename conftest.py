"""Settings of the test run."""

import os
import tempfile

# Spinning OpenMP threads slow tests down tenfold where several processes share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# What outlives a run must not outlive the tests, nor be found by them; workers inherit it.
os.environ.setdefault("SEMCORE_SHELF", tempfile.mkdtemp(prefix="semcore-shelf-"))
