"""CompressAI's networks as codecs, small ones with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semcore import ConfigError, RunError
from semcore.testing import run_laws
from semcore.testing.internals import build
from semcore_image.codecs.compressai import CompressAI

WEIGHTS = "net.safetensors"


def picture(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, rows + columns], -1).astype(np.uint8)


def test_only_safetensors_are_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="weights must be a .safetensors file"):
        build("codec", {"use": "compressai", "weights": "net.pth.tar"})
    lacking = build("codec", {"use": "compressai", "weights": str(tmp_path / WEIGHTS)}).missing()
    assert "is not a file" in lacking or "pip install 'semcore-image[compressai]'" in lacking


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Name -> weights of a small network."""
    pytest.importorskip("compressai", reason="pip install 'semcore-image[compressai]'")
    import torch
    from compressai.models import FactorizedPrior, ScaleHyperprior
    from safetensors.torch import save_file

    files = {}
    for name, cls in (
        ("bmshj2018-factorized", FactorizedPrior),
        ("bmshj2018-hyperprior", ScaleHyperprior),
    ):
        with torch.random.fork_rng():
            torch.manual_seed(1)
            network = cls(8, 12)
        files[name] = tmp_path_factory.mktemp(name) / WEIGHTS
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, files[name])
    return files


@pytest.mark.parametrize("name", ["bmshj2018-factorized", "bmshj2018-hyperprior"])
def test_what_it_encodes_is_decoded_as_by_the_network(weights: Any, name: str) -> None:
    import torch

    codec = CompressAI(str(weights[name]), name)
    pixels = picture(96, 80)
    data = codec.encode(pixels)
    decoded = codec.decode(data, (96, 80))
    assert decoded is not None and decoded.shape == pixels.shape
    padded = np.pad(pixels, ((0, 32), (0, 48), (0, 0)), mode="edge")
    batch = torch.from_numpy(padded.astype(np.float32)).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        made = codec._network.compress(batch)
        theirs = codec._network.decompress(**made)["x_hat"][0, :, :96, :80]
    wanted = (theirs.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    assert np.array_equal(decoded, wanted)
    spent = sum(len(one[0]) for one in made["strings"])
    assert len(data) == spent + 9 + 4 * (len(made["strings"]) - 1)
    assert codec.decode(data, (80, 96)) is None and codec.decode(data[:3]) is None


@pytest.mark.parametrize("name", ["bmshj2018-factorized", "bmshj2018-hyperprior"])
def test_it_keeps_the_laws_of_codecs(weights: Any, name: str) -> None:
    """But one: random weights give no picture back."""
    verdicts = run_laws(CompressAI(str(weights[name]), name))
    broken = {one.law.name: one.message for one in verdicts if one.result == "broken"}
    assert broken.keys() == {"a-picture-comes-back"}, broken


def test_weights_of_another_network_are_refused(weights: Any) -> None:
    codec = CompressAI(str(weights["bmshj2018-factorized"]), "bmshj2018-hyperprior")
    with pytest.raises(RunError, match="are not of bmshj2018-hyperprior"):
        codec.encode(picture(64, 64))
