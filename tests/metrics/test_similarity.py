"""SSIM and MS-SSIM against sums over windows, torchmetrics and scikit-image; their memory."""

from __future__ import annotations

import importlib
import math
import tracemalloc
from types import ModuleType

import numpy as np
import pytest
import torch

from semcore.interfaces import Record
from semcore.metrics import similarity
from semcore.metrics.builtin import MSE, PSNR, SSIM
from semcore.metrics.similarity import SCALES, mean_squared_error, ms_ssim, ssim
from semcore.types import Ledger, Sample, Semantics
from semcore_image.metrics.ms_ssim import MSSSIM

C1, C2 = 6.5025, 58.5225  # (0.01 · 255)² and (0.03 · 255)²


def scene(seed: int, height: int, width: int) -> np.ndarray:
    """A picture with smooth parts, edges and texture, uint8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = np.stack(
        [np.sin(rows / 7 + phase) * np.cos(columns / (5 + phase)) for phase in range(3)], -1
    )
    picture = (
        128
        + 80 * waves
        + 30 * ((rows // 9 + columns // 11) % 2)[..., None]
        + rng.normal(0, 5, (height, width, 3))
    )
    return picture.clip(0, 255).astype(np.uint8)


def spoilt(picture: np.ndarray, seed: int = 9, by: float = 25.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, by, picture.shape)
    return (0.9 * picture + 10 + noise).clip(0, 255).astype(np.uint8)


def record(source: np.ndarray, result: np.ndarray) -> Record:
    return Record(
        Sample("a", image=source),
        Semantics("a", {}),
        Semantics("a", {}),
        Sample("a", image=result),
        Ledger(),
    )


def by_windows(source: np.ndarray, result: np.ndarray, border: str) -> tuple[float, float]:
    """Means of l·c·s and c·s: eq. 14 to 16 of the paper, one window after another."""
    side = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    weights = np.outer(side, side) / side.sum() ** 2
    x, y = (one.astype(np.float64) for one in (source, result))
    if border == "reflect":
        x, y = (np.pad(one, ((5, 5), (5, 5), (0, 0)), mode="reflect") for one in (x, y))
    whole, contrast = [], []
    for channel in range(x.shape[2]):
        for row in range(x.shape[0] - 10):
            for column in range(x.shape[1] - 10):
                a, b = (one[row : row + 11, column : column + 11, channel] for one in (x, y))
                ma, mb = (weights * a).sum(), (weights * b).sum()
                va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
                both = (weights * (a - ma) * (b - mb)).sum()
                contrast.append((2 * both + C2) / (va + vb + C2))
                whole.append(contrast[-1] * (2 * ma * mb + C1) / (ma**2 + mb**2 + C1))
    return float(np.mean(whole)), float(np.mean(contrast))


def doubles(source: np.ndarray, result: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(one).double().permute(2, 0, 1)[None] for one in (result, source)]


@pytest.mark.parametrize("border", ["reflect", "valid"])
@pytest.mark.parametrize("shape", [(11, 11), (12, 19), (23, 14)])
def test_ssim_is_the_mean_over_its_windows(
    shape: tuple[int, int], border: similarity.Border
) -> None:
    source = scene(1, *shape)
    assert ssim(source, spoilt(source), border) == pytest.approx(
        by_windows(source, spoilt(source), border), abs=1e-11
    )


@pytest.fixture(scope="module")
def torchmetrics() -> ModuleType:
    """Imported late: it takes seconds, and every process of the tests reads this file."""
    return importlib.import_module("torchmetrics.functional.image")


@pytest.mark.parametrize("shape", [(11, 40), (64, 48), (97, 181)])
@pytest.mark.parametrize("strip", [1, 2000, 2**18])
def test_ssim_is_that_of_torchmetrics_however_thin_its_strips_are(
    shape: tuple[int, int], strip: int, torchmetrics: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "STRIP", strip)
    source = scene(2, *shape)
    wanted = torchmetrics.structural_similarity_index_measure(
        *doubles(source, spoilt(source)), sigma=1.5, data_range=255.0
    )
    assert SSIM().value(record(source, spoilt(source))) == pytest.approx(float(wanted), abs=1e-10)


def test_ssim_of_valid_windows_is_that_of_scikit_image() -> None:
    skimage = pytest.importorskip("skimage.metrics")
    source = scene(3, 60, 83)
    wanted = skimage.structural_similarity(
        source,
        spoilt(source),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        channel_axis=2,
    )
    assert SSIM(border="valid").value(record(source, spoilt(source))) == pytest.approx(
        wanted, abs=1e-9
    )


def test_flat_parts_and_equal_pictures_lose_nothing_to_rounding() -> None:
    """White's variance is a difference of large squares and cancels: the value is exactly 1."""
    for value in (0, 1, 128, 254, 255):
        flat = np.full((40, 40, 3), value, np.uint8)
        assert ssim(flat, flat) == pytest.approx((1.0, 1.0), abs=1e-13)
    source = scene(4, 200, 200)
    assert ssim(source, source) == pytest.approx((1.0, 1.0), abs=1e-13) and ms_ssim(
        source, source
    ) == pytest.approx(1.0)


@pytest.mark.parametrize("border", ["reflect", "valid"])
@pytest.mark.parametrize("shape", [(11, 30), (22, 25), (45, 47)])
def test_ms_ssim_is_the_product_of_its_scales(
    shape: tuple[int, int], border: similarity.Border
) -> None:
    """Eq. 7 of the paper: c·s of all scales but the last, l·c·s of the last, with exponents."""
    source = scene(5, *shape)
    x, y = source.astype(np.float64), spoilt(source).astype(np.float64)
    scales = [one for number, one in enumerate(SCALES) if min(shape) >> number >= 11]
    wanted = 1.0
    for number, exponent in enumerate(scales):
        last = number == len(scales) - 1
        wanted *= by_windows(x, y, border if last else "valid")[0 if last else 1] ** (
            exponent / sum(scales)
        )
        x, y = (
            [
                one[i : len(one) // 2 * 2 : 2, j : one.shape[1] // 2 * 2 : 2]
                for i in (0, 1)
                for j in (0, 1)
            ]
            for one in (x, y)
        )
        x, y = sum(x) / 4, sum(y) / 4
    assert MSSSIM(border=border).value(record(source, spoilt(source))) == pytest.approx(
        wanted, abs=1e-10
    )


@pytest.mark.parametrize(("shape", "scales"), [((32, 48), 2), ((44, 44), 3), ((176, 190), 5)])
def test_ms_ssim_is_that_of_torchmetrics_where_that_has_a_value(
    shape: tuple[int, int], scales: int, torchmetrics: ModuleType
) -> None:
    source = scene(6, *shape)
    betas = tuple(one / sum(SCALES[:scales]) for one in SCALES[:scales])
    wanted = torchmetrics.multiscale_structural_similarity_index_measure(
        *doubles(source, spoilt(source)), sigma=1.5, data_range=255.0, betas=betas
    )
    assert MSSSIM().value(record(source, spoilt(source))) == pytest.approx(float(wanted), abs=1e-6)


@pytest.mark.parametrize("border", ["reflect", "valid"])
def test_ms_ssim_has_a_value_at_every_size(border: similarity.Border) -> None:
    """STL-10's 96 pixels had none: as many scales as fit were more than torchmetrics takes."""
    metric = MSSSIM(border=border)
    whole = scene(7, 200, 200)
    for side in (*range(11, 121), 160, 161, 175, 176, 177, 199, 200):
        source = whole[:side, : min(side + side % 3, 200)]
        worse, bad = (metric.value(record(source, spoilt(source, by=by))) for by in (60.0, 8.0))
        assert (
            worse is not None
            and bad is not None
            and 0 <= worse < bad < metric.value(record(source, source)) == pytest.approx(1)
        )
    assert metric.value(record(whole[:10], whole[:10])) is None


def test_the_border_is_in_the_signature() -> None:
    for metric in (SSIM, MSSSIM):
        assert "reflect" in metric().signature and "valid" in metric(border="valid").signature
        assert metric().signature != metric(border="valid").signature


def test_the_squared_error_is_exact_in_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    source, result = np.random.default_rng(0).integers(0, 256, (2, 61, 43, 3), dtype=np.uint8)
    wanted = float(np.mean((source.astype(float) - result) ** 2))
    for strip in (1, 100, 2**18):
        monkeypatch.setattr(similarity, "STRIP", strip)
        assert mean_squared_error(source, result) == wanted == MSE().value(record(source, result))
    assert PSNR().value(record(source, result)) == pytest.approx(
        10 * math.log10(255**2 / wanted), abs=1e-12
    )


@pytest.mark.parametrize("metric", [PSNR(), SSIM(), MSSSIM()], ids=lambda one: type(one).__name__)
@pytest.mark.default_cases(1)
def test_a_large_picture_takes_little_more_memory_than_itself(metric: PSNR | SSIM | MSSSIM) -> None:
    """Full high definition, 6 MB of pixels; in double precision at once it took 11.6 GB."""
    source = np.zeros((1080, 1920, 3), np.uint8)
    source[::3] = 200
    tracemalloc.start()
    try:
        metric.value(record(source, source[::-1].copy()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 150e6
