"""Settings of the test run."""

import os

# Spinning OpenMP threads slow tests down tenfold where several processes share the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
