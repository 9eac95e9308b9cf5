"""Channels as functions of tensors, and components by import."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import torch

from semcore import ChannelModel, ComponentError, Rng
from semcore.entrypoints import naming
from semcore.plugins import registry
from semcore.testing.build import build

CHANNELS = [one.name for one in naming.installed("channel")]
PACKAGES = ("semcore_channels", "semcore_image", "semcore_llm", "semcore_video")


def channel(name: str) -> Any:
    settings = registry.load("channel", name).test_settings or ({},)
    return build("channel", {"use": name, **settings[0]})


def unit(*shape: int) -> torch.Tensor:
    """Complex numbers of unit mean power."""
    return torch.randn(*shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", CHANNELS)
@pytest.mark.parametrize("shape", [(64,), (2, 64), (2, 1, 3, 64)])
def test_any_batch_shape_comes_back(name: str, shape: tuple[int, ...]) -> None:
    y, noise_var = channel(name)(unit(*shape), Rng(3))
    assert y.shape == noise_var.shape == shape
    assert y.dtype == torch.complex64
    assert noise_var.dtype == torch.float32
    assert (noise_var > 0).all()


@pytest.mark.parametrize("name", CHANNELS)
def test_it_is_what_transmit_returns(name: str) -> None:
    """A row's numbers do not depend on the shape of the batch."""
    one, x = channel(name), unit(4, 48)
    flat, var = one(x, Rng(5))
    shaped, _ = one(x.reshape(2, 2, 48), Rng(5))
    assert torch.equal(flat.reshape(2, 2, 48), shaped)
    assert torch.equal(var, one(x, Rng(5))[1])


@pytest.mark.parametrize("name", CHANNELS)
def test_without_an_address_every_call_draws_anew(name: str) -> None:
    one, x = channel(name), unit(2, 64)
    assert not torch.equal(one(x)[0], one(x)[0])


@pytest.mark.parametrize("name", CHANNELS)
def test_gradients_flow_back(name: str) -> None:
    x = unit(2, 64).requires_grad_()
    channel(name)(x, Rng(1))[0].abs().square().sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().sum(1) > 0).all()


def test_noise_has_its_variance() -> None:
    x = unit(40, 5000)
    y, noise_var = channel("awgn")(x, Rng(1), snr_db=7.0)
    assert torch.allclose(noise_var, torch.tensor(10**-0.7))
    assert (y - x).abs().square().mean().item() == pytest.approx(10**-0.7, rel=0.02)


def test_every_row_has_its_own_snr() -> None:
    one, x = channel("rayleigh"), unit(2, 3, 32)
    snrs = torch.tensor([[0.0, 5.0, 10.0], [10.0, 0.0, 5.0]])
    y, noise_var = one(x, Rng(1), snr_db=snrs)
    for place in [(0, 0), (0, 2), (1, 1)]:
        alone, var = one(x, Rng(1), snr_db=snrs[place])
        assert torch.equal(y[place], alone[place])
        assert torch.equal(noise_var[place], var[place])


def test_double_precision_comes_back_as_such() -> None:
    assert channel("awgn")(unit(8).to(torch.complex128))[0].dtype == torch.complex128


def test_what_is_no_symbol_is_refused() -> None:
    with pytest.raises(ComponentError, match=r"complex symbols \(\.\.\., n\), not torch.float32"):
        channel("awgn")(torch.zeros(3))
    budget = build("channel", {"use": "satellite", "tx_power_dbm": 55})
    with pytest.raises(ComponentError, match="Satellite has no SNR of its own to set"):
        budget(unit(2, 8), snr_db=3.0)


BASES = {"LearnedTransport", "ModuleCodec", "SionnaChannel"}
"""Base classes for authors, which are no components themselves."""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_offers_every_component_that_it_registers(package: str) -> None:
    """The names in the stub are those of the entry points, and each is that class."""
    module = importlib.import_module(package)
    entries = [
        entry for kind in naming.KINDS for entry in naming.installed(kind) if entry.root == package
    ]
    assert set(module.__all__) - BASES == {entry.attribute for entry in entries}
    for entry in entries:
        assert getattr(module, entry.attribute) is registry.load(entry.kind, entry.name)


def test_a_channel_is_found_by_import() -> None:
    from semcore_channels import AWGN

    assert isinstance(AWGN(), ChannelModel)
