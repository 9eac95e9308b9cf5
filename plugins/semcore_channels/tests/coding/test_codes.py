"""The code: its encoder is Sionna's bit for bit, and its decoder loses no more blocks than belief
propagation.
"""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
import torch

from semcore_channels.coding.codes import Code, SionnaCode, code_for, gold_sequence
from semcore_channels.coding.graph import Graph
from semcore_channels.coding.scheme import Blocks, Scheme
from semcore_channels.modulation.qam import QAM

ITERATIONS = 20
BLER = {
    (128, 1.0): 4.92e-1, (128, 1.5): 3.13e-1, (128, 2.0): 1.47e-1, (128, 3.0): 2.18e-2,
    (512, 1.0): 4.44e-1, (512, 1.5): 1.49e-1, (512, 2.0): 2.34e-2,
    (1000, 1.0): 4.62e-1, (1000, 1.5): 7.44e-2, (1000, 2.0): 2.81e-3,
    (2000, 1.0): 4.69e-1, (2000, 1.5): 2.45e-2,
}  # fmt: skip
"""(coded bits, Eb/N0 in dB) -> block error rate at rate 1/2, QPSK, AWGN, 20 iterations: Sionna's
tutorial, 500 errors each.
"""


def transmit(
    code: Code, bits_per_symbol: int, snr_db: float, count: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random bits, and the soft bits that arrive."""
    generator = torch.Generator().manual_seed(seed)
    noise_var = 10 ** (-snr_db / 10)
    bits = torch.randint(0, 2, (count, code.k), generator=generator, dtype=torch.uint8)
    symbols = QAM(bits_per_symbol).modulate(code.encode(bits))
    received = symbols + noise_var**0.5 * torch.randn(
        symbols.shape, dtype=torch.complex64, generator=generator
    )
    return bits, QAM(bits_per_symbol).demodulate(received, torch.full(symbols.shape, noise_var))


def errors(code: Code, bits: torch.Tensor, soft: torch.Tensor) -> int:
    return int((code.decode(soft) != bits).any(dim=1).sum())


def half_rate(n: int, decoder: str) -> Code:
    return code_for(Blocks(1, n // 2, n, 2), 2, ITERATIONS, decoder)


def against_the_table(n: int, ebn0_db: float, count: int, decoder: str) -> tuple[float, float]:
    """How many standard deviations we are above the table (both are measured), and our rate.

    Here Es/N0 = Eb/N0.
    """
    code, table = half_rate(n, decoder), BLER[n, ebn0_db]
    ours = errors(code, *transmit(code, 2, ebn0_db, count, n + int(10 * ebn0_db))) / count
    pooled = (ours * count + 500) / (count + 500 / table)
    return (ours - table) / math.sqrt(pooled * (1 - pooled) * (1 / count + table / 500)), ours


@pytest.mark.parametrize(("n", "ebn0_db"), BLER)
@pytest.mark.default_cases(4)
def test_no_more_blocks_are_lost_than_published(n, ebn0_db):
    above, ours = against_the_table(n, ebn0_db, 2000, "min-sum")
    assert above < 2.58, f"{ours:.2e} against {BLER[n, ebn0_db]:.2e}"
    assert (
        ours > BLER[n, ebn0_db] / 20 or BLER[n, ebn0_db] < 0.01
    )  # nor is the noise less than it should be


@pytest.mark.parametrize(
    ("n", "ebn0_db"), [(512, 1.5), pytest.param(1000, 1.0, marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_belief_propagation_loses_as_many_as_published(n, ebn0_db):
    assert abs(against_the_table(n, ebn0_db, 300, "belief-propagation")[0]) < 2.58


@pytest.mark.slow
@pytest.mark.parametrize(("n", "ebn0_db"), BLER)
def test_no_more_blocks_are_lost_than_published_with_many_blocks(n, ebn0_db):
    assert against_the_table(n, ebn0_db, 50_000, "min-sum")[0] < 2.58


@dataclass(frozen=True)
class Point:
    """A code in its waterfall."""

    rate: str
    bits: int
    order: int
    snr_db: float


POINTS = [
    Point("1/2", 64, 2, 2.0),
    Point("1/5", 120, 2, -3.2),
    Point("1/2", 1536, 2, 1.1),
    Point("8/9", 1000, 2, 6.6),
    Point("1/3", 2048, 2, -1.2),
    Point("2/3", 4096, 2, 3.1),
    Point("1/2", 3780, 6, 10.4),
    Point("3/4", 1200, 8, 18.9),
]
MANY = [
    Point(one.rate, one.bits, one.order, one.snr_db + offset)
    for one in POINTS
    for offset in (-0.4, -0.2, 0.0, 0.2, 0.4)
] + [Point("1/5", 3000, 2, -4.3), Point("8/9", 8000, 4, 12.0), Point("1/2", 8448, 2, 0.95)]


def paired(point: Point, count: int) -> tuple[int, int]:
    """Blocks that only our decoder loses, and blocks that only belief propagation loses, on the
    same noise.
    """
    scheme = Scheme(Fraction(point.rate), point.order)
    blocks = scheme.blocks(scheme.uses(point.bits))
    ours, theirs = (
        code_for(blocks, point.order, ITERATIONS, decoder)
        for decoder in ("min-sum", "belief-propagation")
    )
    bits, soft = transmit(ours, point.order, point.snr_db, count, 7)
    lost = [(code.decode(soft) != bits).any(dim=1) for code in (ours, theirs)]
    return int((lost[0] & ~lost[1]).sum()), int((lost[1] & ~lost[0]).sum())


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_belief_propagation_loses_no_fewer_blocks(point):
    mine, theirs = paired(point, 150)
    assert mine <= theirs + 3 * math.sqrt(mine + theirs)


@pytest.mark.slow
@pytest.mark.parametrize("point", MANY, ids=str)
def test_belief_propagation_loses_no_fewer_blocks_anywhere_in_the_waterfall(point):
    mine, theirs = paired(point, 600)
    assert mine <= theirs + 2.58 * math.sqrt(mine + theirs)


TEN_PERCENT = {
    ("1/3", 2): -1.1,
    ("1/2", 2): 1.2,
    ("2/3", 2): 3.2,
    ("1/2", 4): 6.4,
    ("2/3", 4): 8.96,
    ("1/2", 6): 10.6,
}
"""(rate, bits per symbol) -> Es/N0 in dB where belief propagation loses a block of 6144 coded bits
in ten.
"""


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "order"), TEN_PERCENT)
def test_a_tenth_of_long_blocks_is_lost_where_it_should(rate, order):
    k = int(6144 * Fraction(rate))
    code = code_for(Blocks(1, k, 6144, 2 if k <= 3824 else 1), order, ITERATIONS)
    snr_db = TEN_PERCENT[rate, order]
    worse, better = (
        errors(code, *transmit(code, order, snr_db + off, 1000, 5)) / 1000 for off in (-0.6, 0.05)
    )
    assert better < 0.1 < worse


RATES, ORDERS = ("1/5", "0.3", "1/3", "1/2", "0.67", "2/3", "8/9"), (1, 2, 4, 6, 8)


@pytest.mark.parametrize(
    ("rate", "order"),
    [  # every rate and every order in each run, every pair in `make test-slow`
        pytest.param(
            rate, order, marks=() if at % len(ORDERS) == ORDERS.index(order) else pytest.mark.slow
        )
        for at, rate in enumerate(RATES)
        for order in ORDERS
    ],
)
@pytest.mark.default_cases(2)
def test_the_encoder_is_that_of_sionna(rate, order):
    """Both base graphs, every lifting set, filler bits, punctured parity, and the interleaver."""
    for bits in (32, 100, 293, 1000, 3820, 5000, 9000):
        scheme = Scheme(Fraction(rate), order)
        blocks = scheme.blocks(scheme.uses(bits))
        ours, theirs = (
            code_for(blocks, order, ITERATIONS, decoder)
            for decoder in ("min-sum", "belief-propagation")
        )
        assert not isinstance(ours, SionnaCode) and isinstance(theirs, SionnaCode)
        word = torch.randint(
            0, 2, (3, blocks.k), generator=torch.Generator().manual_seed(bits), dtype=torch.uint8
        )
        assert torch.equal(ours.encode(word), theirs.encode(word))
        assert torch.equal(ours.decode(20 * (2 * ours.encode(word).float() - 1)), word)


def test_words_do_not_depend_on_each_other():
    code = half_rate(512, "min-sum")
    bits, soft = transmit(code, 2, 1.5, 40, 0)
    together = code.decode(soft)
    assert torch.equal(together, torch.cat([code.decode(one) for one in soft.split(7)]))
    damaged = soft.clone()
    damaged[3], damaged[4], damaged[5] = math.nan, math.inf, 0
    keep = [at for at in range(40) if at not in (3, 4, 5)]
    assert torch.equal(code.decode(damaged)[keep], together[keep])


def test_gradients_flow_through_belief_propagation():
    code = half_rate(128, "belief-propagation")
    assert isinstance(code, SionnaCode)
    bits, soft = transmit(code, 2, 3.0, 4, 0)
    soft.requires_grad_()
    beliefs = code.beliefs(soft)
    assert torch.equal((beliefs > 0).to(torch.uint8), code.decode(soft.detach()))
    torch.nn.functional.binary_cross_entropy_with_logits(beliefs, bits.float()).backward()
    assert soft.grad is not None and torch.isfinite(soft.grad).all() and (soft.grad != 0).any()


@pytest.mark.parametrize("base_graph", [1, 2])
def test_the_graph_is_that_of_sionna(base_graph):
    """Of every lifting size."""
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    largest = {1: 8448, 2: 3840}[base_graph]
    for k in (
        *range(24, 700, 37),
        192,
        193,
        560,
        561,
        640,
        641,
        *range(700, largest, 311),
        largest,
    ):
        n = k * 5 // (2 if base_graph == 1 else 1)
        theirs = LDPC5GEncoder(k, n, bg=f"bg{base_graph}", device="cpu", check_input=False)
        ours = Graph.of_code(k, n, base_graph)
        assert (ours.lifting, ours.information) == (theirs.z, theirs.k_ldpc // theirs.z)
        rows = theirs.pcm.tocsr()
        for row in range(len(ours.starts) - 1):
            part = slice(ours.starts[row], ours.starts[row + 1])
            places = ours.columns[part] * ours.lifting + ours.shifts[part]
            assert places.tolist() == sorted(rows[row * ours.lifting].indices.tolist())
        sent = -(-(2 * theirs.z + n + theirs.k_filler) // theirs.z)
        assert len(ours.starts) - 1 >= sent - ours.information


@pytest.mark.parametrize("c_init", [1, 2, 2**31 - 1, 11_259_375])
def test_the_scrambling_is_the_gold_sequence_of_sionna(c_init):
    from sionna.phy.nr.utils import generate_prng_seq

    for length in (1, 27, 28, 31, 1000):
        expected = np.asarray(generate_prng_seq(length, c_init=c_init))
        assert np.array_equal(gold_sequence(length, c_init), expected)


def test_compiled_codes_do_not_load_sionna():
    """Its import takes seconds, in every process of a run."""
    script = (
        "import sys\n"
        "from semcore_channels.coding.codes import code_for\n"
        "from semcore_channels.coding.scheme import Blocks\n"
        "code_for(Blocks(1, 600, 1200, 2), 2, 20)\n"
        "sys.exit('sionna.phy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_code_keeps_kilobytes():
    """A run may use another code for every length of a stream."""
    for n in (12_000, 12_006, 12_012):
        code = code_for(Blocks(1, 6000, n, 1), 2, ITERATIONS)
        transmit(code, 2, 3.0, 1, 0)
        held = [*vars(code).values(), *vars(code.graph).values()]
        assert sum(one.nbytes for one in held if hasattr(one, "nbytes")) < 200_000
