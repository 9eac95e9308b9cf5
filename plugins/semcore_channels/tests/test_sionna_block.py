"""Blocks of Sionna as they come, as channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import torch

import semcore
from semcore.testing import conformance
from semcore_channels import SionnaChannel
from semcore_channels.sionna_rng import sionna_phy


@dataclass(frozen=True)
class SionnaAWGN(SionnaChannel):
    """Sionna's Gaussian noise.

    Fields:
        snr_db: Es/N0
    """

    snr_db: float = 6.0

    def through(self, x: torch.Tensor) -> tuple[torch.Tensor, float, Mapping[str, float]]:
        from sionna.phy.channel import AWGN

        noise_var = 10 ** (-self.snr_db / 10)
        y = AWGN(device="cpu")(x, torch.tensor(noise_var))
        return y, noise_var, {"snr_db": self.snr_db}


@dataclass(frozen=True)
class Flat(SionnaChannel):
    """Sionna's Rayleigh fading, constant over a row, with perfect channel knowledge.

    Fields:
        snr_db: Es/N0 before fading
    """

    snr_db: float = 10.0

    def through(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, Mapping[str, float]]:
        from sionna.phy.channel import GenerateFlatFadingChannel

        noise_var = 10 ** (-self.snr_db / 10)
        h = GenerateFlatFadingChannel(1, 1, device="cpu")(1).reshape(())
        noise = torch.empty(2, len(x)).normal_(
            generator=sionna_phy().config.torch_rng("cpu"), std=0.5**0.5
        )
        y = h * x + noise_var**0.5 * torch.complex(*noise)
        gain = h.abs().square()
        report = {"snr_db": self.snr_db + 10 * float(gain.log10())}
        return y / h, noise_var / gain, report


test_awgn_keeps_the_laws = conformance(SionnaAWGN)
test_fading_keeps_the_laws = conformance(Flat)


def test_sionnas_generator_has_its_own_state_again() -> None:
    generator = sionna_phy().config.torch_rng("cpu")
    before = generator.get_state()
    x = torch.complex(*torch.full((2, 4, 8), 0.5**0.5))
    one = SionnaAWGN()(x, semcore.Rng(1))
    assert torch.equal(generator.get_state(), before)
    assert torch.equal(one[0], SionnaAWGN()(x, semcore.Rng(1))[0])
    assert not torch.equal(one[0], SionnaAWGN()(x, semcore.Rng(2))[0])


@dataclass(frozen=True)
class Cuts(SionnaChannel):
    """Returns fewer symbols than it is given."""

    def through(self, x: torch.Tensor) -> tuple[torch.Tensor, float, Mapping[str, float]]:
        return x[1:], 1.0, {}


def test_a_wrong_shape_is_named() -> None:
    with pytest.raises(
        semcore.ComponentError, match=r"Cuts.through returns .* \(7,\) for .*\(8,\)"
    ):
        Cuts()(torch.ones(1, 8, dtype=torch.complex64))
