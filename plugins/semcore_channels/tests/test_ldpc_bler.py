"""Block error rates of the 5G code against Sionna's own tutorial (500 block errors a point)."""

from __future__ import annotations

import math

import pytest
import torch

from semcore_channels.coding import code_for
from semcore_channels.modulation import demodulate, modulate

ITERATIONS = 20
BLER = {
    (512, 1.0): 4.44e-1, (512, 1.5): 1.49e-1, (512, 2.0): 2.34e-2,
    (1000, 1.0): 4.62e-1, (1000, 1.5): 7.44e-2, (1000, 2.0): 2.81e-3,
}  # fmt: skip
"""(coded bits, Eb/N0 in dB) -> block error rate at rate 1/2, QPSK, AWGN, 20 iterations of belief propagation."""


def block_errors(n: int, ebn0_db: float, count: int) -> int:
    """Wrong blocks among `count`; with QPSK at rate 1/2, Es/N0 = Eb/N0."""
    generator = torch.Generator().manual_seed(n + int(10 * ebn0_db))
    noise_var = 10 ** (-ebn0_db / 10)
    code = code_for(n // 2, n, 2, ITERATIONS)
    bits = torch.randint(0, 2, (count, n // 2), generator=generator, dtype=torch.uint8)
    symbols = modulate(code.encode(bits), 2)
    received = symbols + noise_var**0.5 * torch.randn(symbols.shape, dtype=torch.complex64, generator=generator)
    decoded = code.decode(demodulate(received, torch.full(symbols.shape, noise_var), 2))
    return int((decoded != bits).any(dim=1).sum())


def check(n: int, ebn0_db: float, count: int) -> None:
    """The two rates, both measured, must agree within the 95 % interval of their difference."""
    table, ours = BLER[n, ebn0_db], block_errors(n, ebn0_db, count) / count
    pooled = (ours * count + 500) / (count + 500 / table)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / count + table / 500))
    assert abs(ours - table) < 1.96 * deviation, f"{ours:.2e} against {table:.2e}, deviation {deviation:.1e}"


@pytest.mark.parametrize(("n", "ebn0_db"), BLER)
def test_block_error_rate(n, ebn0_db):
    check(n, ebn0_db, {1.0: 200, 1.5: 300, 2.0: 700}[ebn0_db])


@pytest.mark.slow
@pytest.mark.parametrize(("n", "ebn0_db"), BLER)
def test_block_error_rate_with_many_blocks(n, ebn0_db):
    check(n, ebn0_db, {1.0: 2000, 1.5: 5000, 2.0: 20000}[ebn0_db])
