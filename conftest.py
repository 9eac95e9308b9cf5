"""Settings of the test run."""

import os
import tempfile

from hypothesis import HealthCheck, settings

# Spinning OpenMP threads slow tests down tenfold where several processes share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# What outlives a run must not outlive the tests, nor be found by them; workers inherit it.
os.environ.setdefault("SEMCORE_SHELF", tempfile.mkdtemp(prefix="semcore-shelf-"))

# How long an example takes says nothing about the code: a busy machine or a first compilation must not fail a test.
settings.register_profile("semcore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("semcore")
