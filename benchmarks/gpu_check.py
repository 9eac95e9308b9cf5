"""The shipped networks on a GPU: `make gpu-check`, or `--device cpu` for the same rows on a CPU.

One table: rows per second of the forward pass, of a training step and of generating, at several
batch sizes, with the largest memory of the device; and how far results are from those of the CPU.
It fails where a network does not run on the device, or where its results differ by more than
rounding.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from semcore import Rng
from semcore.tensors import resolved, using, wrong_device
from semcore_channels import AWGN
from semcore_image import DeepJSCC, LaMoSC
from semcore_image.jscc.transport import WITT
from semcore_image.mmsemcom import sampling
from semcore_image.models.weights import load_mini
from semcore_image.training.learned_codec import through

CODECS = {"deepjscc": DeepJSCC(), "witt": WITT(), "lamosc": LaMoSC()}
TOLERANCE = 0.02
"""Largest difference to the CPU in float32, of pictures and embeddings in -1..1."""


def pictures(count: int) -> torch.Tensor:
    """Random pictures, float32 (count, 3, 32, 32); the same on every machine."""
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def step(name: str, place: torch.device, count: int) -> Callable[[], Any]:
    """A training step of a codec through a channel, at mixed precision on a GPU."""
    network = copy.deepcopy(CODECS[name].network).to(place).train().requires_grad_(True)
    adam = torch.optim.AdamW(network.parameters(), 1e-4)
    images = pictures(count).to(place)
    text = torch.zeros(count, 128, device=place) if network.reads_text else None

    def once() -> float:
        adam.zero_grad()
        with torch.autocast(place.type, torch.bfloat16, enabled=place.type != "mps"):
            decoded = through(network, AWGN(), images, [5.0, 15.0], Rng(1), text)
        loss = (decoded - images).square().mean()
        loss.backward()
        adam.step()
        return loss.item()

    return once


def forward(name: str, place: torch.device, count: int) -> Callable[[], Any]:
    """Encode, transmit over a channel on the CPU, decode."""
    network, images = copy.deepcopy(CODECS[name].network).to(place), pictures(count).to(place)
    text = torch.zeros(count, 128, device=place) if network.reads_text else None

    def once() -> torch.Tensor:
        with torch.inference_mode():
            return through(network, AWGN(), images, [10.0], Rng(1), text).cpu()

    return once


def drawn(name: str, count: int) -> Callable[[], Any]:
    """Generate pictures on the device of the pipeline, in float32."""
    noise = torch.Generator().manual_seed(2)
    if name == "mini-diffusion":
        net = load_mini(name)
        start = torch.randn(count, *net.latent_shape, generator=noise)
        return lambda: net.sample(["a red car"] * count, start, steps=10)
    net = sampling.load(name)
    start, labels = torch.randn(count, *net.shape, generator=noise), torch.zeros(count).long()
    return lambda: net.sample(labels, start, steps=10, half=False)


def seconds(once: Callable[[], Any], place: torch.device) -> tuple[float, Any]:
    """Time of a call after one that warms up, and what it returns."""
    once()
    wait(place)
    began = time.perf_counter()
    made = once()
    wait(place)
    return time.perf_counter() - began, made


def wait(place: torch.device) -> None:
    """Until the device has done everything."""
    if place.type == "cuda":
        torch.cuda.synchronize(place)
    elif place.type == "mps":
        torch.mps.synchronize()


def peak(place: torch.device) -> str:
    """Largest memory of the device since the last call, MB; unknown of a CPU."""
    if place.type == "cuda":
        most = torch.cuda.max_memory_allocated(place) / 1e6
        torch.cuda.reset_peak_memory_stats(place)
        return f"{most:.0f}"
    return f"{torch.mps.driver_allocated_memory() / 1e6:.0f}" if place.type == "mps" else "-"


def rows(place: torch.device, sizes: list[int]) -> list[tuple[str, str, int, Any]]:
    """What is measured: network, work, batch size, function."""
    found: list[tuple[str, str, int, Any]] = []
    for size in sizes:
        for name in CODECS:
            found.append((name, "forward", size, lambda n=name, s=size: forward(n, place, s)))
            found.append((name, "train step", size, lambda n=name, s=size: step(n, place, s)))
        for name in ("mini-diffusion", "class-diffusion"):
            found.append((name, "generate", size, lambda n=name, s=size: drawn(n, s)))
        found.append(
            ("mini-clip", "forward", size, lambda s=size: lambda: load_mini(
                "mini-clip").encode_image(pictures(s)))
        )  # fmt: skip
    return found


def compare(place: torch.device) -> list[str]:
    """Networks whose results on the device differ from those of the CPU by more than rounding."""
    cpu, wrong = torch.device("cpu"), []
    works: dict[str, Callable[[torch.device], torch.Tensor]] = {
        name: lambda where, n=name: forward(n, where, 4)() for name in CODECS
    }
    works["mini-clip"] = lambda where: load_mini("mini-clip").encode_image(pictures(4))
    works["mini-diffusion"] = lambda where: drawn("mini-diffusion", 2)()
    works["class-diffusion"] = lambda where: drawn("class-diffusion", 2)()
    for name, work in works.items():
        with using("cpu"):
            there = work(cpu)
        with using(str(place)):
            here = work(place)
        apart = float((there.float() - here.float()).abs().max())
        print(f"{name:16} largest difference to the CPU {apart:.1e}", flush=True)
        if not apart <= TOLERANCE:
            wrong.append(name)
    return wrong


def main() -> int:
    """Measure, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch-sizes", default="1,16,128")
    given = parser.parse_args()
    if reason := wrong_device(given.device):
        print(f"device {reason}", file=sys.stderr)
        return 2
    place = torch.device(resolved(given.device))
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    name = torch.cuda.get_device_name(place) if place.type == "cuda" else place.type
    print(f"PyTorch {torch.__version__} on {name}")
    sizes = [int(text) for text in given.batch_sizes.split(",")]
    if place.type == "cpu":
        torch.set_num_threads(1)
        print("no GPU was found or wanted: these are the rows of one thread of the CPU")
    wrong = compare(place) if place.type != "cpu" else []
    print(f"{'network':16} {'work':10} {'batch':>5} {'rows/s':>9} {'peak MB':>8}")
    with using(str(place)):
        for network, work, size, made in rows(place, sizes):
            spent, _ = seconds(made(), place)
            print(
                f"{network:16} {work:10} {size:5} {size / spent:9.1f} {peak(place):>8}", flush=True
            )
    for network in wrong:
        print(f"{network}: results differ from those of the CPU", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
