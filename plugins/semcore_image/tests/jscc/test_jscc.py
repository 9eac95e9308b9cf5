"""Learned codecs: power, sizes, independence of the batch, graceful degradation, training over any
channel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from semcore import ComponentError, Picture, Rng, Semantics
from semcore.testing.internals import build
from semcore_channels.flat import AWGN, Rayleigh
from semcore_channels.transports.walsh import Walsh
from semcore_image.jscc.deepjscc import DeepJscc
from semcore_image.jscc.lamosc import Lamosc
from semcore_image.jscc.network import JsccNetwork
from semcore_image.jscc.transport import WITT, DeepJSCC, LaMoSC
from semcore_image.jscc.witt import Witt
from semcore_image.sources.samples import SamplePictures
from semcore_image.training.card import model_card
from semcore_image.training.class_diffusion import ClassDiffusionRecipe
from semcore_image.training.learned_codec import through

WITT_SETTINGS = {"latent": 8, "widths": [8, 16], "depths": [1, 2], "heads": [2, 4], "window": 4}
LAMOSC_SETTINGS = {"latent": 8, "width": 16, "blocks": 1, "text": 128}
PICTURES = [one.image for one in SamplePictures(limit=6).samples() if one.image is not None]


def networks() -> list[JsccNetwork]:
    torch.manual_seed(0)
    return [DeepJscc(8, 16, 1), Witt(**WITT_SETTINGS), Lamosc(**LAMOSC_SETTINGS)]


def batch(pictures: list[np.ndarray] = PICTURES) -> list[Semantics]:
    return [
        Semantics(str(index), {"picture": Picture(pixels)}) for index, pixels in enumerate(pictures)
    ]


def psnr(pictures: list[np.ndarray], arrived: list[Semantics]) -> float:
    errors = [
        np.mean((pixels.astype(float) - one.streams["picture"].pixels) ** 2)
        for pixels, one in zip(pictures, arrived, strict=True)
    ]
    return float(np.mean(10 * np.log10(255**2 / np.asarray(errors))))


def over(
    transport: DeepJSCC, channel: AWGN | Rayleigh, pictures: list[np.ndarray] = PICTURES
) -> float:
    ready = transport.adapted_to(channel)
    received = channel.transmit(ready.send(batch(pictures), Rng(1)), Rng(1))
    return psnr(pictures, ready.receive(received))


@pytest.mark.parametrize("network", networks(), ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("size", [(32, 32), (50, 37), (5, 9)])
def test_symbols_have_unit_power_and_the_number_that_the_cbr_says(
    network: JsccNetwork, size: tuple[int, int]
) -> None:
    images = torch.rand(3, 3, *size, generator=torch.Generator().manual_seed(1))
    text = torch.randn(3, 128) if network.reads_text else None
    symbols = network.encode(images, torch.tensor([0.0, 10.0, 20.0]), text)
    assert symbols.shape == (3, network.uses(size)) and symbols.dtype == torch.complex64
    torch.testing.assert_close(symbols.abs().square().mean(1), torch.ones(3))
    assert network.decode(symbols, torch.full(symbols.shape, 0.1), size).shape == images.shape
    assert network.uses((32, 32)) == 3072 // 12


@pytest.mark.parametrize("network", networks(), ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    "channel",
    [{"use": "awgn"}, {"use": "rayleigh"}, {"use": "tdl", "model": "A", "snr_db": 10}],
    ids=lambda one: one["use"],
)
def test_a_network_learns_through_a_channel(
    network: JsccNetwork, channel: dict[str, object]
) -> None:
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    text = torch.randn(4, 128) if network.reads_text else None
    decoded = through(network, build("channel", channel), images, [5.0, 15.0], Rng(3), text)  # type: ignore[arg-type]
    decoded.square().mean().backward()
    gradients = [
        one.grad
        for name, one in network.named_parameters()
        if "encoder.leave" in name or "narrow" in name
    ]
    assert gradients and all(one is not None and bool(one.abs().sum() > 0) for one in gradients)


@pytest.mark.parametrize("transport", [DeepJSCC, WITT, LaMoSC])
@pytest.mark.default_cases(1)
def test_shipped_weights_send_pictures_that_one_can_see(transport: type) -> None:
    """Better than what a receiver could draw that heard nothing: the mean colour."""
    blind = psnr(
        PICTURES,
        [Semantics("", {"picture": Picture(np.full_like(one, one.mean()))}) for one in PICTURES],
    )
    curve = [over(transport(), AWGN(snr_db=snr)) for snr in (0.0, 10.0, 20.0)]
    assert blind + 3 < curve[0] < curve[1] < curve[2], (blind, curve)


def test_more_snr_is_better_and_a_fade_is_no_cliff() -> None:
    curve = [over(DeepJSCC(), AWGN(snr_db=snr)) for snr in (0.0, 4.0, 8.0, 12.0, 16.0, 20.0)]
    assert all(0 < later - earlier < 5 for earlier, later in zip(curve, curve[1:], strict=False)), (
        curve
    )
    assert curve[0] > over(DeepJSCC(), Rayleigh(snr_db=0.0)) > 5
    assert over(DeepJSCC(cbr=1 / 6), AWGN(snr_db=10.0)) > over(
        DeepJSCC(), AWGN(snr_db=10.0)
    )  # twice the symbols


def test_a_transmitter_that_is_told_the_wrong_snr_pays_for_it() -> None:
    right = over(DeepJSCC(), AWGN(snr_db=20.0))
    assert DeepJSCC(snr_db=0.0).adapted_to(AWGN(snr_db=20.0)) == DeepJSCC(snr_db=0.0)
    assert over(DeepJSCC(snr_db=0.0), AWGN(snr_db=20.0)) < right - 0.5
    assert Walsh(DeepJSCC()).adapted_to(AWGN(snr_db=3.0)) == Walsh(DeepJSCC(snr_db=3.0))


@pytest.mark.parametrize(("transport", "network"), [(WITT, Witt), (LaMoSC, Lamosc)])
def test_weights_of_a_folder_are_used(transport: type, network: type, tmp_path: Path) -> None:
    torch.manual_seed(1)
    settings = WITT_SETTINGS if network is Witt else LAMOSC_SETTINGS
    (tmp_path / "config.json").write_text(json.dumps(settings))
    save_file(network(**settings).half().state_dict(), tmp_path / "model.safetensors")
    made = transport(weights=str(tmp_path))
    symbols = made.send(batch(), Rng(1))
    assert symbols.layout.lengths == (256,) * 6
    arrived = made.receive(AWGN(snr_db=10.0).transmit(symbols, Rng(1)))
    assert [one.streams["picture"].pixels.shape for one in arrived] == [(32, 32, 3)] * 6
    torch.testing.assert_close(made.send(batch()[2:3], Rng(1)).values[0], symbols.values[2])
    with pytest.raises(
        ComponentError, match="cbr is 0.166667, and the weights .* trained for 0.083333"
    ):
        _ = transport(weights=str(tmp_path), cbr=1 / 6).network


def test_what_is_not_shipped_says_how_to_get_it() -> None:
    with pytest.raises(
        ComponentError,
        match="cbr: weights are only shipped for 1/12; train others .`semcore train witt`.",
    ):
        WITT(cbr=1 / 6)
    with pytest.raises(
        ComponentError, match="cbr: weights are only shipped for 1/6, 1/12; train others"
    ):
        DeepJSCC(cbr=1 / 3)


def test_a_card_says_the_command_that_trains_its_weights() -> None:
    recipe = ClassDiffusionRecipe(
        "CIFAR10", AWGN(), photographs=None, semantics=True, epochs=9, seed=9
    )
    card = model_card("t", "s", recipe, [], "")
    command = next(line for line in card.splitlines() if "semcore train" in line)
    assert command == (
        "semcore train class-diffusion data=CIFAR10 channel.use=awgn seed=9 photographs=null "
        "semantics=true epochs=9 --out DIR"
    )
