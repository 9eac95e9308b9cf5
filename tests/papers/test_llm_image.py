"""The LLM-image paper end to end with the shipped mini models: its figures and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ..support.examples import mean, results

ROOT = Path(__file__).parents[2]


pytestmark = pytest.mark.docs


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, float], dict[str, Any]]:
    out = tmp_path_factory.mktemp("demo")
    found = results(
        "llm_image_uma.yaml",
        out,
        "source.limit=3",
        "workflow=semantic,conventional",
        "channel.block_snr_db=-3,6",
    )
    return {
        (one["settings"]["workflow"], one["settings"]["channel.block_snr_db"]): one for one in found
    }


def test_text_is_lost_at_low_and_whole_at_high_snr(
    demo: dict[tuple[str, float], dict[str, Any]],
) -> None:
    """Fig. 3."""
    assert mean(demo["semantic", -3], "bleu") < 0.2
    assert mean(demo["semantic", 6], "bleu") == 1


def test_the_semantic_link_is_above_at_low_snr_and_below_at_high_snr(
    demo: dict[tuple[str, float], dict[str, Any]],
) -> None:
    """Fig. 2."""
    assert mean(demo["semantic", -3], "ssim") > mean(demo["conventional", -3], "ssim")
    assert (
        mean(demo["semantic", 6], "ssim")
        < mean(demo["conventional", 6], "ssim")
        == pytest.approx(1, abs=1e-6)
    )


def test_a_caption_costs_one_slot(demo: dict[tuple[str, float], dict[str, Any]]) -> None:
    """Table I: 128 subcarriers, 14 symbols, two of them pilots; cyclic prefixes of 9 samples."""
    for snr in (-3, 6):
        assert mean(demo["semantic", snr], "channel-uses") == (128 + 9) * 14
        uses = {
            post["kind"]: post["channel_uses"]
            for post in demo["semantic", snr]["ledger"]
            if post["stream"] == "frame"
        }
        assert (uses["pilots"], uses["cyclic-prefix"]) == (3 * 128 * 2, 3 * 9 * 14)
    raw = demo["conventional", 6]
    assert mean(raw, "payload-bits") == 64 * 64 * 24
    slots = mean(raw, "channel-uses") / ((128 + 9) * 14)
    assert slots == int(slots) >= 64 * 64 * 24 / (128 * 12)


def test_the_compression_ratio_of_a_kodak_sized_picture_is_in_the_thousands(tmp_path: Path) -> None:
    """Table II: 5.916 Mb / 1.392 kb = 4250."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, 12, 3), dtype=np.uint8)
    (tmp_path / "pictures").mkdir()
    Image.fromarray(pixels).resize((768, 512), Image.Resampling.BICUBIC).save(
        tmp_path / "pictures" / "kodak-sized.png"
    )
    source = f"source={{use: image-folder, path: '{tmp_path / 'pictures'}'}}"
    [one] = results(
        "llm_image_uma.yaml",
        tmp_path / "run",
        source,
        "workflow=semantic",
        "channel.block_snr_db=6",
        "generator.candidates=1",
    )
    assert mean(one, "bleu") == 1
    bits = sum(post["bits"] for post in one["ledger"] if post["kind"] == "data")
    assert mean(one, "compression-ratio") == 512 * 768 * 24 / bits > 4250


def test_each_picture_is_captioned_once_for_the_whole_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semcore_image.captioning.mini import MiniCaptionEncoder

    described: list[str] = []
    inner = MiniCaptionEncoder._describe
    monkeypatch.setattr(
        MiniCaptionEncoder,
        "_describe",
        lambda self, sample: described.append(sample.id) or inner(self, sample),
    )
    results("llm_image_uma.yaml", tmp_path, "source.limit=2", "workflow=semantic",
            "channel.block_snr_db=0,3,6", "generator.candidates=1",
            "generator.steps=2")  # fmt: skip
    assert sorted(described) == ["airplane-01", "automobile-01"]


def test_references_travel_cost_and_guide(tmp_path: Path) -> None:
    """A mix: captions over Rayleigh, and a generator that starts from reference pictures."""
    few = ("source.limit=3", "generator.steps=4", "generator.candidates=1", "channel.snr_db=20")
    none, all_ = results("captions_with_references.yaml", tmp_path, *few, "kb.threshold_db=0,90")
    uses = {
        one["settings"]["kb.threshold_db"]: sum(
            p["channel_uses"] for p in one["ledger"] if p["stream"] == "reference"
        )
        for one in (none, all_)
    }
    assert [segment["updates"] for segment in all_["segments"]] == [1, 1, 1]
    assert (
        sum(segment["updates"] for segment in none["segments"]) == 1
    )  # the first picture meets an empty knowledge base
    assert 0 < uses[0] < uses[90]
    assert mean(all_, "ssim") > mean(none, "ssim")
