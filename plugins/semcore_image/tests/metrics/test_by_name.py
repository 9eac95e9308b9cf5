"""Metrics of other libraries by name: the library's own values, and what is refused beforehand."""

from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest
import torch

from semcore import ConfigError, Decibels, Ledger, Mean, Record, RunError, Sample, Score, Semantics
from semcore.testing import run_laws
from semcore.testing.internals import build
from semcore_image.metrics.by_name import no_downloads

torchmetrics = pytest.importorskip(
    "torchmetrics", reason="pip install 'semcore-image[torchmetrics]'"
)
UQI = "image.UniversalImageQualityIndex"


def record(side: int = 48, seed: int = 1) -> Record:
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 256, (side, side, 3), np.uint8)
    result = np.clip(source + rng.normal(0, 20, source.shape), 0, 255).astype(np.uint8)
    sent = Semantics("a", {})
    return Record(Sample("a", image=source), sent, sent, Sample("a", image=result), Ledger())


def made(name: str, **settings: Any) -> Any:
    return build("metric", {"use": "torchmetrics", "name": name, **settings})


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 255


def test_the_value_is_that_of_the_library() -> None:
    one, two = record(seed=1), record(seed=2)
    for name, settings, args in [
        (UQI, {}, {}),
        ("image.PeakSignalNoiseRatio", {"interval": "decibels", "unit": "dB"}, {"data_range": 1.0}),
        ("image.SpectralAngleMapper", {"better": "lower"}, {}),
    ]:
        theirs = getattr(torchmetrics.image, name.partition(".")[2])(**args)
        wanted = [
            float(theirs(tensor(one.result.image), tensor(one.source.image))) for one in (one, two)
        ]
        assert made(name, **settings).measure([one, two]) == pytest.approx(wanted, rel=1e-6)


def test_it_keeps_the_laws_of_metrics() -> None:
    for metric in (made(UQI), made(UQI, interval="score", low=-1.0, high=1.0)):
        broken = [one for one in run_laws(metric) if one.result == "broken"]
        assert not broken, [(one.law.name, one.message) for one in broken]


def test_the_signature_has_all_that_was_said() -> None:
    plain, other = made(UQI), made(UQI, args={"kernel_size": [7, 7]}, unit="x")
    assert plain.better == "higher" and plain.statistic == Mean(None, None)
    assert len({plain.signature, other.signature, made(UQI, low=-1.0).signature}) == 3
    assert '"kernel_size": [7, 7]' in other.signature and "unit=x" in other.signature
    psnr = made("image.PeakSignalNoiseRatio", interval="decibels")
    assert psnr.statistic == Decibels()
    assert made(UQI, interval="score", low=-1.0, high=1.0).statistic == Score(-1.0, 1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "image.PeakSignalNoisRatio"}, "did you mean 'image.PeakSignalNoiseRatio'?"),
        ({"name": "UniversalImageQualityIndex"}, f"did you mean '{UQI}'"),
        ({"name": "image.TotalVariation"}, "it is updated with img, and semcore compares"),
        ({"name": UQI, "interval": "score"}, "low is missing: the interval of a score needs"),
        ({"name": UQI, "interval": "share", "low": 0.0}, "not used with interval: share"),
        ({"name": UQI, "low": 1.0, "high": 0.0}, "low must be below high"),
    ],
)
def test_what_cannot_be_measured_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(**settings)
    assert message in str(caught.value)


def test_a_direction_that_the_library_does_not_say_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cls = torchmetrics.image.UniversalImageQualityIndex
    monkeypatch.setattr(cls, "higher_is_better", None)
    with pytest.raises(ConfigError, match="does not say which values are better; set better"):
        made(UQI)
    assert made(UQI, better="higher").better == "higher"


def test_a_value_outside_of_the_ends_is_an_error() -> None:
    with pytest.raises(RunError, match=r"gives 0\.\d+, outside of 0\.999\.\.1\.0"):
        made(UQI, interval="score", low=0.999, high=1.0).measure([record()])


def test_wrong_arguments_and_missing_weights_are_named_beforehand(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchvision")
    assert "Unexpected keyword arguments" in made(UQI, args={"kernal": 3}).missing()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    lacking = made(
        "image.LearnedPerceptualImagePatchSimilarity", args={"net_type": "squeeze"}
    ).missing()
    assert "fetch https://download.pytorch.org/models/squeezenet1_1" in lacking
    assert str(tmp_path) in lacking and not made(UQI).missing()


def test_nothing_is_fetched_inside_and_anything_outside() -> None:
    with no_downloads(), pytest.raises(RunError, match="it would be fetched from localhost"):
        socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo("localhost", 80)


def test_metrics_of_pyiqa_by_name() -> None:
    pyiqa = pytest.importorskip("pyiqa", reason="pip install 'semcore-image[pyiqa]'")
    metric = build("metric", {"use": "pyiqa", "name": "fsim", "interval": "mean"})
    one, theirs = record(), pyiqa.create_metric("fsim", device="cpu")
    wanted = float(theirs(tensor(one.result.image), tensor(one.source.image)))
    assert metric.measure([one]) == pytest.approx([wanted], rel=1e-6)
    assert metric.better == "higher"
    assert build("metric", {"use": "pyiqa", "name": "niqe"}).better == "lower"
    with pytest.raises(ConfigError, match="did you mean 'ssim'"):
        build("metric", {"use": "pyiqa", "name": "sim"})
    with pytest.raises(ConfigError, match="it compares sets of pictures"):
        build("metric", {"use": "pyiqa", "name": "fid"})
    lacking = build("metric", {"use": "pyiqa", "name": "lpips"}).missing()
    assert "wants a file that is not here" in lacking
