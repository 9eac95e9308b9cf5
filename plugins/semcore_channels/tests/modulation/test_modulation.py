"""QAM against Sionna's mapper and demapper, and against its own definition."""

from __future__ import annotations

import pytest
import torch

from semcore_channels.modulation.base import Modulation
from semcore_channels.modulation.registry import BUILT_IN
from semcore_channels.sionna_rng import sionna_phy

EVERY = pytest.mark.parametrize("name", BUILT_IN)
QAMS = pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "bpsk"])


def random_bits(count):
    return torch.randint(0, 2, (3, count), generator=torch.Generator().manual_seed(0))


@QAMS
def test_labels_and_soft_bits_are_those_of_sionna(name):
    modulation, order = BUILT_IN[name], BUILT_IN[name].bits_per_symbol
    sionna_phy()
    from sionna.phy.mapping import Demapper, Mapper

    bits = random_bits(240 * order)
    symbols = modulation.modulate(bits)
    torch.testing.assert_close(symbols, Mapper("qam", order, device="cpu")(bits.float()))
    noise_var = torch.linspace(0.05, 2, 240).expand(3, -1)
    noise = torch.randn(
        symbols.shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(1)
    )
    received = symbols + noise_var.sqrt() * noise
    expected = Demapper("app", "qam", order, device="cpu")(received, noise_var)
    torch.testing.assert_close(
        modulation.demodulate(received, noise_var), expected, rtol=1e-3, atol=1e-3
    )


@EVERY
def test_unit_mean_power_and_recovery_without_noise(name):
    modulation, order = BUILT_IN[name], BUILT_IN[name].bits_per_symbol
    labels = torch.arange(2**order)
    bits = (labels.unsqueeze(1) >> torch.arange(order)) & 1
    symbols = modulation.modulate(bits)[:, 0]
    assert float(symbols.abs().square().mean()) == pytest.approx(1, abs=1e-6)
    assert len({complex(symbol) for symbol in symbols}) == 2**order
    soft = modulation.demodulate(symbols.unsqueeze(1), torch.full((2**order, 1), 1e-3))
    assert torch.equal((soft > 0).long(), bits)


@EVERY
def test_neighbours_differ_in_one_bit(name):
    modulation, order = BUILT_IN[name], BUILT_IN[name].bits_per_symbol
    bits = (torch.arange(2**order).unsqueeze(1) >> torch.arange(order)) & 1
    symbols = modulation.modulate(bits)[:, 0]
    distance = (symbols.unsqueeze(1) - symbols).abs()
    near = (distance < 1.01 * distance[distance > 1e-6].min()) & (distance > 1e-6)
    differing = (bits.unsqueeze(1) != bits).sum(-1)
    assert (differing[near] == 1).all()


def test_bpsk_is_that_of_the_standard():
    """TS 38.211, 5.1.2: d = ((1 - 2b) + j (1 - 2b)) / sqrt(2); log p(1)/p(0) = -2 sqrt(2) (Re y +
    Im y) / N0.
    """
    torch.testing.assert_close(
        BUILT_IN["bpsk"].modulate(torch.tensor([0, 1])), torch.tensor([1 + 1j, -1 - 1j]) / 2**0.5
    )
    received = torch.randn(200, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    noise_var = torch.linspace(0.1, 3, 200)
    expected = -2 * 2**0.5 * (received.real + received.imag) / noise_var
    torch.testing.assert_close(
        BUILT_IN["bpsk"].demodulate(received, noise_var), expected, rtol=1e-4, atol=1e-4
    )


@EVERY
def test_the_demapper_of_the_base_class_gives_the_same_soft_bits(name):
    modulation, order = BUILT_IN[name], BUILT_IN[name].bits_per_symbol
    symbols = modulation.modulate(random_bits(240 * order))
    noise_var = torch.linspace(0.2, 2, 240).expand(3, -1)
    noise = torch.randn(
        symbols.shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(1)
    )
    received = symbols + noise_var.sqrt() * noise
    expected = modulation.demodulate(received, noise_var)
    torch.testing.assert_close(
        Modulation.demodulate(modulation, received, noise_var), expected, rtol=1e-3, atol=1e-3
    )
