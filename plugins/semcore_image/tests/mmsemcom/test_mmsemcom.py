"""MMSemCom: shapes of its features, what selection finds, candidate sets that are kept, and the
accounts of the paper."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from semcore import (
    Candidates,
    Features,
    KnowledgeBase,
    Pictures,
    Rng,
    RunError,
    Sample,
    Semantics,
    user_cache,
)
from semcore.analysis import read_run
from semcore.commands import main
from semcore_channels.flat import AWGN
from semcore_channels.transports.analog import Analog
from semcore_image.metrics.lpips import LPIPS
from semcore_image.mmsemcom import generator as generating
from semcore_image.mmsemcom import networks
from semcore_image.mmsemcom.encoder import MultiSemEncoder
from semcore_image.mmsemcom.features import FUSED, IMAGE, TEXT
from semcore_image.mmsemcom.generator import ClassDiffusionGenerator
from semcore_image.mmsemcom.selectors import Genie, Sequential, Simultaneous, distances
from semcore_image.sources.samples import SamplePictures
from semcore_image.sources.stl10 import STL10

KB = KnowledgeBase()
SOURCE = SamplePictures(limit=20)
SAMPLES = list(SOURCE.samples())
IMAGES = np.stack([one.image for one in SAMPLES if one.image is not None])


@pytest.fixture(autouse=True)
def own_shelf(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SEMCORE_SHELF", str(tmp_path / "shelf"))


def candidates(key: str, images: np.ndarray = IMAGES) -> Candidates:
    return Candidates(Pictures(key, "", images))


# ----------------------------------------------------------------------------------------- features


@pytest.mark.parametrize(
    ("send", "shapes"),
    [
        ("both", {TEXT: (3, 128), IMAGE: (32,)}),
        ("fused", {FUSED: (64,)}),
        ("image", {IMAGE: (32,)}),
    ],
)
def test_features_have_the_dimensions_of_the_paper(
    send: Any, shapes: dict[str, tuple[int, ...]]
) -> None:
    got = MultiSemEncoder(send=send).encode(SAMPLES[:2], KB)
    for one in got:
        assert {name: stream.form for name, stream in one.streams.items()} == shapes


@pytest.mark.parametrize(("send", "data_bytes"), [("both", 4 * (3 * 128 + 32)), ("fused", 4 * 64)])
def test_the_ledger_counts_c1_and_c2(send: Any, data_bytes: int) -> None:
    """Eq. 31 and 32: two real numbers of 4 bytes in a channel use of data."""
    spans = Analog().send(MultiSemEncoder(send=send).encode(SAMPLES[:1], KB), Rng(0)).layout.spans
    assert 8 * sum(span.uses["data"] for span in spans) == data_bytes


def test_attention_is_a_distribution_over_picture_and_positions() -> None:
    network = networks.load(None)
    maps = network.maps(torch.from_numpy(IMAGES[:3]).permute(0, 3, 1, 2).float() / 255)
    fused, weights = network.fused(
        maps, torch.randn(3, 3, 128, generator=torch.Generator().manual_seed(0))
    )
    assert fused.shape == (3, 64) and weights.shape == (3, 3, 4, 4)
    assert (weights > 0).all() and (
        weights.sum((2, 3)) < 1
    ).all()  # the picture's own feature has the rest
    views = MultiSemEncoder(send="fused").views(SAMPLES[0])
    assert len(views) == 3 and all(one.shape == (32, 32, 3) for one in views.values())


# ---------------------------------------------------------------------------------------- selection


@pytest.mark.parametrize(
    ("send", "selector"),
    [
        ("both", Sequential(keep=5)),
        pytest.param("fused", Simultaneous(), marks=pytest.mark.slow),
        pytest.param("image", Sequential(), marks=pytest.mark.slow),
    ],
)
def test_a_picture_is_found_again_by_what_arrived_of_it(send: Any, selector: Any) -> None:
    encoder = MultiSemEncoder(send=send)
    sent = encoder.encode(SAMPLES, KB)
    arrived = Analog().receive(AWGN(snr_db=20.0).transmit(Analog().send(sent, Rng(1)), Rng(1)))
    chosen = selector.select([candidates(one.id) for one in SAMPLES], arrived, KB)
    right = [
        np.array_equal(one.image, sample.image) for one, sample in zip(chosen, SAMPLES, strict=True)
    ]
    assert np.mean(right) >= 0.9


def test_the_literal_distance_prefers_what_points_elsewhere() -> None:
    """Cosine similarity is largest for the same direction, so adding it to a distance punishes
    it."""
    wanted = np.array([1.0, 0.0])
    same, opposite = np.array([1.0, 0.0]), np.array([-1.0, 0.0])
    assert distances(same, wanted, "closest") == pytest.approx(0) and distances(
        opposite, wanted, "closest"
    ) == pytest.approx(4)
    assert distances(same, wanted, "literal") == pytest.approx(1) and distances(
        opposite, wanted, "literal"
    ) == pytest.approx(1)


def test_no_selector_beats_the_genie_and_it_is_marked() -> None:
    others = IMAGES[10:]
    sent = MultiSemEncoder().encode(SAMPLES[:10], KB)

    def error(chosen: list[Sample]) -> float:
        return float(
            np.mean(
                [
                    np.mean((one.image.astype(float) - IMAGES[i]) ** 2)
                    for i, one in enumerate(chosen)
                ]
            )
        )  # type: ignore[union-attr]

    sets = [candidates(one.id, others) for one in SAMPLES[:10]]
    assert error(Genie(SOURCE).select(sets, sent, KB)) <= error(Sequential().select(sets, sent, KB))
    assert Genie.genie and not Sequential.genie


# --------------------------------------------------------------------------------------- candidates


def small(count: int, **settings: Any) -> ClassDiffusionGenerator:
    return ClassDiffusionGenerator(candidates=count, steps=2, **settings)


def drawn(generator: ClassDiffusionGenerator, sent: Semantics, seed: int = 1) -> np.ndarray:
    pictures = generator.generate([sent], KB, Rng(seed))[0].samples
    assert isinstance(pictures, Pictures)
    return pictures.images


@pytest.mark.slow
def test_a_set_is_drawn_once_and_more_begin_with_the_same(monkeypatch: Any) -> None:
    calls: list[range] = []
    draw = ClassDiffusionGenerator._drawn

    def counted(
        self: Any, label: int, numbers: range, rng: Rng, features: Any = None
    ) -> np.ndarray:
        calls.append(numbers)
        return draw(self, label, numbers, rng, features)

    monkeypatch.setattr(ClassDiffusionGenerator, "_drawn", counted)
    bird, other = (
        dataclasses.replace(one, key=key)
        for one, key in zip(MultiSemEncoder().encode([SAMPLES[0]] * 2, KB), "ab", strict=True)
    )
    few = drawn(small(7), bird)
    assert sorted(map(len, calls)) == [5, 25]
    np.testing.assert_array_equal(
        drawn(small(7), other), few
    )  # another sample, another process' memory: from the shelf
    more = drawn(small(40), bird)
    assert sorted(map(len, calls)) == [5, 25, 125]  # the parts that were there are not drawn again
    np.testing.assert_array_equal(more[:7], few)
    origins = [small(count).generate([bird], KB, Rng(1))[0].origin for count in (7, 40, 7)]
    assert (
        origins[0] == origins[2] != origins[1]
    )  # what is chosen of the one is not what is chosen of the other
    assert not np.array_equal(drawn(small(7), bird, seed=2), few)


@pytest.mark.slow
def test_an_interrupted_set_goes_on_with_the_next_part(monkeypatch: Any) -> None:
    sent = MultiSemEncoder().encode(SAMPLES[:1], KB)[0]
    whole = drawn(small(40), sent)
    files = sorted(user_cache().folder.rglob("*.npz"))
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-40])  # a torn file counts as none
    np.testing.assert_array_equal(drawn(small(40), sent), whole)


def test_parts_cover_every_number_once() -> None:
    for count in (1, 5, 6, 155, 156, 5000):
        parts = list(generating._parts(count))
        assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
        assert parts[-1][0] < count <= parts[-1][1]


@pytest.mark.slow
def test_features_steer_what_is_drawn() -> None:
    """With the same noise, pictures that received features steer come nearer to the source than
    those of the class alone."""
    sent = MultiSemEncoder().encode(SAMPLES[:10], KB)
    errors = {}
    for steer in ("none", "image"):
        made = ClassDiffusionGenerator(
            weights="class-diffusion-open", candidates=5, steps=10, steer=steer
        )  # type: ignore[arg-type]
        some = [drawn(made, one) for one in sent]
        errors[steer] = np.mean(
            [np.mean((images.astype(float) - IMAGES[i]) ** 2) for i, images in enumerate(some)]
        )
    assert errors["image"] < errors["none"]


# ------------------------------------------------------------------------------------ real variants


def test_the_real_tier_runs_on_tiny_random_weights_and_files_of_stl10(
    tmp_path: Path, clip: Path
) -> None:
    """A residual network of timm and a CLIP of open_clip at 96 x 96: what ResNet-50 and ViT-B/32 go
    through."""
    binary = tmp_path / "stl10_binary"
    binary.mkdir()
    rng = np.random.default_rng(0)
    (binary / "class_names.txt").write_text("airplane\nbird\n")
    (binary / "test_X.bin").write_bytes(rng.integers(0, 256, (4, 3, 96, 96), np.uint8).tobytes())
    (binary / "test_y.bin").write_bytes(np.array([1, 2, 1, 2], np.uint8).tobytes())
    samples = STL10(str(tmp_path)).samples()
    assert [one.id for one in samples] == [
        "airplane/0000",
        "bird/0000",
        "airplane/0001",
        "bird/0001",
    ]
    assert samples[0].image is not None and samples[0].image.shape == (96, 96, 3)

    prompts = (("an airplane", "a bird"), ("white", "yellow"))
    width = MultiSemEncoder(model=str(clip), prompts=prompts).clip.texts(["a bird"]).shape[1]
    config = {
        "backbone": {"model": "resnet10t"},
        "size": [96, 96],
        "positions": 0,
        "inner": 16,
        "d_image": 32,
        "d_text": width,
        "d_fusion": 64,
        "heads": 4,
        "classes": 2,
    }
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file(networks.build(**config).state_dict(), folder / "model.safetensors")  # type: ignore[arg-type]
    settings: dict[str, Any] = {"model": str(clip), "prompts": prompts, "features": str(folder)}
    sent = MultiSemEncoder(**settings).encode(samples, KB)
    assert [stream.form for stream in sent[0].streams.values()] == [(2, width), (32,)]
    images = np.stack([one.image for one in samples if one.image is not None])
    chosen = Sequential(**settings).select(
        [candidates(one.id, images) for one in samples], sent, KB
    )
    assert [
        np.array_equal(one.image, sample.image) for one, sample in zip(chosen, samples, strict=True)
    ] == [True] * 4


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(RunError, match="must hold stl10_binary with test_X.bin"):
        STL10(str(tmp_path)).samples()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(RunError, match="fetch https://.*alexnet.* to "):
        _ = LPIPS()._measure


@pytest.mark.slow
def test_lost_streams_leave_what_arrived() -> None:
    whole = MultiSemEncoder().encode(SAMPLES[:1], KB)[0]
    for kept in ([TEXT], [IMAGE], []):
        made = drawn(small(4), whole.only(kept))
        assert made.shape == (4, 32, 32, 3)
    strange = dataclasses.replace(whole, streams={IMAGE: Features(np.full(7, np.nan, np.float32))})
    assert ClassDiffusionGenerator(candidates=1).class_of(strange) is None


# ----------------------------------------------------------------------------------------- examples

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
FEW = [
    f"workflows.{one}.generator.candidates=5"
    for one in ("sequential", "simultaneous", "without-clip", "sequential-two-users")
]
EQUAL = ("sequential", "sequential-two-users", "deepjscc", "witt", "lamosc")
BUDGET = (
    "channel.snr_db=null",
    "channel.tx_power_dbm=20",
    "channel.noise_power_dbm=-31",
    "channel.distance_m=50",
)


@pytest.mark.docs
@pytest.mark.parametrize(
    ("name", "overrides", "uses"),
    [
        ("sequential", ["generator.candidates=5", "channel.snr_db=10"], {"": 208}),
        ("simultaneous", ["generator.candidates=5", "channel.distance_m=50"], {"": 32}),
        (
            "comparison",
            [*FEW, f"workflow={','.join(EQUAL)}", "channel.use=awgn", "channel.snr_db=10"],
            {**dict.fromkeys(EQUAL, 256), "sequential": 208, "sequential-two-users": 208},
        ),
        (
            "comparison",
            [*FEW, "workflow=simultaneous,without-clip", "channel.use=rayleigh", *BUDGET],
            {"simultaneous": 32, "without-clip": 16},
        ),
        (
            "growth",
            ["generator.candidates=1"],
            dict.fromkeys(
                ("known", "known-bound", "unseen", "unseen-bound", "open", "steered"), 208
            ),
        ),
    ],
)
def test_the_examples_run_and_use_the_channel_as_they_say(
    name: str, overrides: list[str], uses: dict[str, int], tmp_path: Path
) -> None:
    pipeline = EXAMPLES / f"mmsemcom_{name}.yaml"
    with pytest.raises(SystemExit) as ended:
        main(
            [
                "run",
                str(pipeline),
                "--limit",
                "2",
                "--out",
                str(tmp_path / "run"),
                "--no-report",
                *overrides,
            ]
        )
    assert ended.value.code == 0
    results = [result for result in read_run(tmp_path / "run").results if result is not None]
    found = {
        result["settings"].get("workflow", ""): result["metrics"]["channel-uses"]["mean"]
        for result in results
    }
    assert found == uses
    assert all(result["metrics"]["psnr"]["mean"] > 4 for result in results)
    assert {flow for flow in uses if "bound" in flow} == {
        result["settings"]["workflow"] for result in results if result["genie"]
    }  # a bound says that it is one
