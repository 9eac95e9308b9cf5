"""The device of networks. There may be no GPU: `meta` stands for one, whose tensors have no values
and do not mix with those of the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from semcore.errors import ConfigError, RunError
from semcore.tensors import device as chosen
from semcore.tensors import named_device, on_device, placed, resolved, using, wrong_device
from semcore.testing.internals import computing_on


class Net(nn.Module):
    """One method inside another, and a tensor that is made on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.seen: list[str] = []

    @on_device
    def inner(self, x: torch.Tensor) -> torch.Tensor:
        made = self.layer(x) + torch.ones(2)
        self.seen.append(made.device.type)
        return made

    @on_device
    def outer(self, x: torch.Tensor, more: list[torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"all": self.inner(x) + self.layer(more[0])}


@pytest.fixture
def gpu() -> Any:
    """A pipeline whose device is `meta`; what comes back from it stays there."""
    with computing_on("meta"):
        yield torch.device("meta")


def test_modules_tensors_and_what_they_make_meet_on_the_device(gpu: torch.device) -> None:
    network = Net()
    found = network.outer(torch.zeros(4, 3), [torch.zeros(4, 3)])
    assert found["all"].device == gpu and network.seen == ["meta"]
    assert {one.device for one in network.parameters()} == {gpu}


def test_a_tensor_that_is_left_behind_is_an_error(gpu: torch.device) -> None:
    """Or the test above could not fail."""
    network = placed(Net())
    with pytest.raises((RuntimeError, NotImplementedError)):
        network.layer(torch.zeros(4, 3)).tolist()


def test_results_are_on_the_cpu_and_a_module_returns_to_it() -> None:
    network = Net().to("meta")
    network.to_empty(device="cpu")
    nn.init.ones_(network.layer.weight), nn.init.zeros_(network.layer.bias)
    assert network.inner(torch.ones(1, 3)).tolist() == [[4, 4]]
    assert chosen().type == "cpu"
    with using("cpu"):
        assert network.outer(torch.ones(1, 3), [torch.ones(1, 3)])["all"].tolist() == [[7, 7]]


@pytest.mark.parametrize("name", ["auto", "cpu", "mps", "cuda", "cuda:3"])
def test_names_of_devices(name: str) -> None:
    assert named_device(name) and resolved(name) in (name, "cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "CUDA", "cuda:-1", "meta", 0, None])
def test_other_names_are_refused(name: Any) -> None:
    assert not named_device(name) and "must be auto, cpu, cuda" in wrong_device(name)


def test_a_pipeline_has_one_device_and_its_id_none(bench: Any) -> None:
    first = bench.run("source.limit=3")
    assert first.computed and bench.run("device=auto", "source.limit=3").computed == 0
    experiment = bench.load("device=cuda:1")
    setup = experiment.resolve(experiment.cells[0])
    assert setup.device == "cuda:1" and setup.needs.gpus == 1
    assert "device" not in setup.config
    with pytest.raises(ConfigError, match="device=gpu.*device must be auto, cpu, cuda"):
        bench.load("device=gpu")
    with pytest.raises(ConfigError, match="device cannot be swept: no result depends on it"):
        bench.load("device=cpu,cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_refused_before_a_run(bench: Any) -> None:
    with pytest.raises(RunError, match="device is cuda, and PyTorch finds no GPU with CUDA"):
        bench.run("device=cuda", "source.limit=4")
