"""The laws of semcore's kit, for settings of every kind."""

from __future__ import annotations

from semcore.testing import conformance
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.tr38901.cells import UMa
from semcore_channels.transports.analog import Analog
from semcore_channels.transports.ldpc import LDPC

SLOT = {"subcarriers": 24, "ofdm_symbols": 8, "pilot_symbols": (1, 6)}

test_awgn = conformance(AWGN(snr_db=5.0), AWGN(snr_db=-12.0))
test_rayleigh = conformance(
    *(Rayleigh(5.0, coherence=coherence) for coherence in ("symbol", "block", "frame"))
)
test_uma = conformance(
    UMa(block_snr_db=5.0, **SLOT), UMa(snr_db=5.0, csi="perfect", los="never", **SLOT)
)
test_ldpc = conformance(
    LDPC(rate=0.75, modulation="16qam", on_error="erase"),
    LDPC(rate=1 / 3, modulation="256qam", iterations=8),
)
test_analog = conformance(Analog(repetition=3, mmse=False), Analog(repetition=2))
