"""Every component of the package keeps the laws of its interface."""

from __future__ import annotations

from semcore.testing import conformance
from semcore_channels.analog import Analog
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.ldpc import LDPC
from semcore_channels.uma import UMa

test_awgn = conformance(AWGN(snr_db=5.0))
test_rayleigh = conformance(Rayleigh(snr_db=5.0))
test_slow_rayleigh = conformance(Rayleigh(snr_db=10.0, coherence="frame"))
test_uma = conformance(UMa(snr_db=5.0))
test_uma_with_equal_slots = conformance(UMa(block_snr_db=5.0, csi="perfect"))
test_ldpc = conformance(LDPC(iterations=8))
test_analog = conformance(Analog())
