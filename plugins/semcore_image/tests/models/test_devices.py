"""Networks of pictures on another device than the CPU: `meta`, or a fake GPU, stands for one, whose
tensors do not mix with those of the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from semcore import Rng
from semcore.testing.internals import computing_on
from semcore_channels import AWGN
from semcore_image import DeepJSCC, LaMoSC
from semcore_image.jscc.deepjscc import DeepJscc
from semcore_image.jscc.network import PictureNetwork
from semcore_image.jscc.transport import WITT
from semcore_image.mmsemcom import networks, sampling
from semcore_image.models import weights
from semcore_image.models.weights import ASSEMBLE
from semcore_image.training.learned_codec import through

PICTURES = torch.zeros(2, 3, 32, 32)


@pytest.fixture
def gpu() -> Any:
    """A pipeline whose device is `meta`; what comes back from it stays there."""
    with computing_on("meta"):
        yield torch.device("meta")
    weights._load_mini.cache_clear()  # what stays there is of no use to others


CALLS: dict[str, Callable[[], Any]] = {
    "pictures by mini-clip": lambda: ASSEMBLE["mini-clip"]("mini-clip").encode_image(PICTURES),
    "texts by mini-clip": lambda: ASSEMBLE["mini-clip"]("mini-clip").encode_text(["a cat"]),
    "map of mini-clip": lambda: ASSEMBLE["mini-clip"]("mini-clip").image_map(PICTURES),
    "mini-classifier": lambda: ASSEMBLE["mini-classifier"]("mini-classifier").classify(PICTURES),
    "features of multisem": lambda: _multisem(),
    "mini-diffusion": lambda: ASSEMBLE["mini-diffusion"]("mini-diffusion").sample(
        ["a cat"], torch.zeros(1, 8, 8, 8), steps=1
    ),
    "class-diffusion": lambda: sampling._load.__wrapped__("class-diffusion", "").sample(
        torch.zeros(2, dtype=torch.int64), torch.zeros(2, 3, 32, 32), steps=1, half=False
    ),
}


def _multisem() -> torch.Tensor:
    network = networks._load.__wrapped__(None, "")
    maps = network.maps(PICTURES)
    assert network.image_features(maps).device.type == "meta"
    return network.fused(maps, torch.zeros(2, 3, 128))[0]


@pytest.mark.parametrize("name", CALLS)
def test_a_network_computes_on_the_device(name: str, gpu: torch.device) -> None:
    found = CALLS[name]()
    assert found.device == gpu


@pytest.mark.parametrize(
    "codec", [DeepJSCC(), WITT(), LaMoSC()], ids=lambda one: type(one).__name__
)
def test_a_codec_computes_on_the_device_of_its_tensors(codec: Any) -> None:
    network: PictureNetwork = codec.network.to("meta")
    images, text = PICTURES.to("meta"), torch.zeros(2, 128, device="meta")
    symbols = network.encode(images, torch.zeros(2, device="meta"), text)
    noise_var = torch.zeros(symbols.shape, device="meta")
    decoded = network.decode(symbols, noise_var, (32, 32))
    assert symbols.device == decoded.device == images.device and decoded.shape == images.shape


def test_a_training_step_works_with_tensors_of_a_gpu() -> None:
    """Forward and channel on tensors without values, whose devices are checked; the channel
    computes on the CPU. The backward pass would need the driver."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        with torch.device("cuda"):
            network = DeepJscc(8, 16, 1)
        images = torch.zeros(2, 3, 32, 32, device="cuda")
        decoded = through(network, AWGN(), images, [3.0, 5.0], Rng(1))
        loss = (decoded - images).square().mean()
        assert loss.device.type == "cuda" and decoded.shape == images.shape
        assert loss.requires_grad
