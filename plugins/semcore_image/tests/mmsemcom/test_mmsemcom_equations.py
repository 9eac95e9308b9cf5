"""The equations of MMSemCom, each against its text: what is computed must be what the paper writes,
term by term."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from semcore import Candidates, Features, KnowledgeBase, Pictures, Sample, Semantics
from semcore_image.mmsemcom.features import FUSED, IMAGE, TEXT, FeatureSet, UsesMultiSem
from semcore_image.mmsemcom.networks import MultiSem, SmallBackbone
from semcore_image.mmsemcom.sampling import ClassDiffusion
from semcore_image.mmsemcom.selectors import Matching, Sequential, Simultaneous, distances
from semcore_image.training.class_diffusion import hybrid_loss

KB = KnowledgeBase()
EAST, NORTH, WEST, NEAR_EAST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.9, 0.1]
WANTED = Semantics(
    "x",
    {
        TEXT: Features(np.array([EAST], np.float32)),
        IMAGE: Features(np.array(NORTH, np.float32)),
        FUSED: Features(np.array(NORTH, np.float32)),
    },
)


@pytest.fixture
def choose(monkeypatch: Any) -> Any:
    """Selects among candidates of given features; returns the number of the chosen one."""

    def chosen(
        selector: Matching,
        text: list[list[float]],
        image: list[list[float]],
        sent: Semantics = WANTED,
    ) -> int:
        features = np.array(image, np.float32)
        read = FeatureSet(np.array(text, np.float32)[:, None, :], features, features)
        monkeypatch.setattr(UsesMultiSem, "candidate_features", lambda self, candidates: read)
        monkeypatch.setattr(
            UsesMultiSem,
            "received",
            lambda self, semantics: {name: one.values for name, one in semantics.streams.items()},
        )
        # The pictures' values fall with their number, so a tie that is broken by content takes the
        # last one.
        images = np.stack(
            [np.full((8, 8, 3), 200 - number, np.uint8) for number in range(len(text))]
        )
        picked: Sample = selector.select([Candidates(Pictures("x", "", images))], [sent], KB)[0]
        assert picked.image is not None
        return 200 - int(picked.image[0, 0, 0])

    return chosen


# ---------------------------------------------------------------------------------------------- eq.
# 20-25


def test_the_distance_adds_one_minus_the_cosine_and_the_euclidean_distance() -> None:
    """Eq. 20-22 for vectors of any length, computed by hand."""
    wanted = np.array([3.0, 4.0])
    found = distances(np.array([[4.0, 3.0], [6.0, 8.0], [-3.0, -4.0]]), wanted, "closest")
    np.testing.assert_allclose(found, [1 - 24 / 25 + 2**0.5, 0 + 5, 2 + 10])
    literal = distances(np.array([[4.0, 3.0], [6.0, 8.0], [-3.0, -4.0]]), wanted, "literal")
    np.testing.assert_allclose(literal, [24 / 25 + 2**0.5, 1 + 5, -1 + 10])


def test_sequential_asks_the_text_first(choose: Any) -> None:
    """Stage 1, eq. 20-22: the candidate with the very image features that were sent is out when its
    text is another."""
    text = [WEST, EAST, EAST]
    image = [NORTH, EAST, NEAR_EAST]
    assert choose(Sequential(keep=2), text, image) == 2
    assert (
        choose(Sequential(keep=3), text, image) == 0
    )  # all stay, so the image features decide alone


def test_sequential_then_takes_the_nearest_image_features(choose: Any) -> None:
    """Stage 2, eq. 23: among those that stay, the text no longer counts."""
    text = [EAST, NEAR_EAST, NORTH, WEST]
    image = [WEST, NORTH, NORTH, NORTH]
    assert choose(Sequential(keep=1), text, image) == 0
    assert choose(Sequential(keep=2), text, image) == 1


@pytest.mark.parametrize("keep", [1, 2, 3, 4])
def test_exactly_q_candidates_stay(choose: Any, keep: int) -> None:
    """With text distances that grow and image distances that shrink, the last of those that stay is
    the one taken."""
    text = [[1.0, step] for step in (0.0, 0.1, 0.2, 0.3, 0.4)]
    image = [[0.0, 1 + step] for step in (0.5, 0.4, 0.3, 0.2, 0.1)]
    assert choose(Sequential(keep=keep), text, image) == keep - 1


def test_candidates_as_near_as_the_last_stay_too(choose: Any) -> None:
    """Text cannot tell them apart, so the image features must be allowed to."""
    assert choose(Sequential(keep=1), [EAST, EAST, WEST], [WEST, NORTH, NORTH]) == 1


def test_text_distances_add_up_over_the_prompts(monkeypatch: Any) -> None:
    """Eq. 20: a candidate right in one of two prompts loses to one that is nearly right in both."""
    sent = Semantics("x", {TEXT: Features(np.array([EAST, EAST], np.float32))})
    text = np.array([[EAST, WEST], [NEAR_EAST, NEAR_EAST]], np.float32)
    read = FeatureSet(text, np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32))
    monkeypatch.setattr(UsesMultiSem, "candidate_features", lambda self, candidates: read)
    monkeypatch.setattr(
        UsesMultiSem, "received", lambda self, semantics: {TEXT: sent.streams[TEXT].values}
    )  # type: ignore[union-attr]
    images = np.stack([np.full((8, 8, 3), value, np.uint8) for value in (1, 2)])
    picked = Sequential(keep=1).select([Candidates(Pictures("x", "", images))], [sent], KB)[0]
    assert picked.image is not None and picked.image[0, 0, 0] == 2


def test_simultaneous_looks_at_the_fused_features_alone(choose: Any) -> None:
    """Eq. 24-25: neither the text nor the number of a candidate counts."""
    assert choose(Simultaneous(), [WEST, EAST, EAST], [NORTH, NEAR_EAST, EAST]) == 0
    assert choose(Simultaneous(), [EAST, EAST, WEST], [EAST, NEAR_EAST, NORTH]) == 2


def test_a_stage_whose_stream_was_lost_is_left_out(choose: Any) -> None:
    text, image = [WEST, EAST, EAST], [NORTH, EAST, NEAR_EAST]
    assert choose(Sequential(keep=2), text, image, WANTED.only([IMAGE])) == 0
    assert choose(Sequential(keep=1), [WEST, EAST, NORTH], image, WANTED.only([TEXT])) == 1


# ---------------------------------------------------------------------------------------------- eq.
# 8, 12-14


@pytest.fixture
def network() -> MultiSem:
    """A small network with random weights: trained ones hide what they do not use."""
    torch.manual_seed(0)
    net = MultiSem(
        SmallBackbone(8, 8), 0, inner=16, d_image=6, d_text=5, d_fusion=8, heads=2, classes=3
    )
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape) / 2)
    return net.eval()


def layer_norm(values: np.ndarray, layer: nn.LayerNorm) -> np.ndarray:
    mean, var = values.mean(-1, keepdims=True), values.var(-1, keepdims=True)
    return (values - mean) / np.sqrt(
        var + layer.eps
    ) * layer.weight.detach().numpy() + layer.bias.detach().numpy()


def linear(values: np.ndarray, layer: nn.Linear) -> np.ndarray:
    return values @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def softmax(values: np.ndarray) -> np.ndarray:
    shares = np.exp(values - values.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def test_image_features_are_two_layers_with_a_relu_between(network: MultiSem) -> None:
    """Eq. 8."""
    maps = torch.randn(3, 8, 2, 4)
    hidden = np.maximum(linear(maps.numpy().mean((2, 3)), network.first), 0)
    np.testing.assert_allclose(
        network.image_features(maps).detach().numpy(), linear(hidden, network.second), atol=1e-5
    )


def test_fused_features_are_attention_residuals_and_norms_as_written(network: MultiSem) -> None:
    """Eq. 12-14 recomputed in NumPy: projections, softmax over image feature and places, two
    residuals, two norms, a mean."""
    maps, text = torch.randn(2, 8, 2, 3), torch.randn(2, 3, 5)
    fused, shares = (one.detach().numpy() for one in network.fused(maps, text))

    # A place is (row, column), each from -1 to 1: rows first, as the map is laid out.
    places = np.array([(row, column) for row in (-1, 1) for column in (-1, 0, 1)], np.float32)
    first, last = network.place[0], network.place[2]
    assert isinstance(first, nn.Linear) and isinstance(last, nn.Linear)
    where = linear(np.maximum(linear(places, first), 0), last)
    regions = linear(maps.numpy().reshape(2, 8, 6).swapaxes(1, 2), network.region) + where
    picture = linear(network.image_features(maps).detach().numpy(), network.image)[:, None]
    keys, queries = np.concatenate([picture, regions], 1), linear(text.numpy(), network.text)

    weight, bias = (
        one.detach().numpy()
        for one in (network.attention.in_proj_weight, network.attention.in_proj_bias)
    )
    q, k, v = (
        (values @ weight[8 * part : 8 * part + 8].T + bias[8 * part : 8 * part + 8]).reshape(
            2, -1, 2, 4
        )
        for part, values in enumerate((queries, keys, keys))
    )
    each = softmax(np.einsum("bqhd,bkhd->bhqk", q, k) / 2)  # d_k = 4 per head
    seen = linear(
        np.einsum("bhqk,bkhd->bqhd", each, v).reshape(2, 3, 8), network.attention.out_proj
    )
    residual = layer_norm(seen + queries, network.norm)
    final = linear(np.maximum(linear(residual, network.forth), 0), network.back)
    np.testing.assert_allclose(
        fused, layer_norm(final + residual, network.last_norm).mean(1), atol=2e-5
    )
    np.testing.assert_allclose(shares, each.mean(1)[:, :, 1:].reshape(2, 3, 2, 3), atol=1e-5)


def test_attention_shares_sum_to_one_with_that_of_the_whole_picture(network: MultiSem) -> None:
    """What the places do not get, the picture's own feature gets; a feature that attracts all
    leaves the places nothing."""
    maps, text = torch.randn(2, 8, 2, 3), torch.randn(2, 3, 5)
    with torch.no_grad():
        shares = network.fused(maps, text)[1].sum((2, 3))
        assert ((shares > 0) & (shares < 1)).all()
        network.attention.in_proj_weight[8:16] = (
            0  # equal keys: 1 of 7 for the picture, 6 of 7 for the places
        )
        torch.testing.assert_close(
            network.fused(maps, text)[1].sum((2, 3)), torch.full((2, 3), 6 / 7)
        )


def test_what_a_prompt_looks_at_follows_the_prompt_and_the_picture(network: MultiSem) -> None:
    """Eq. 13: queries are the prompts, keys the picture. Equal queries look alike; moved content is
    looked at elsewhere."""
    maps, text = torch.randn(1, 8, 2, 3), torch.randn(1, 3, 5)
    with torch.no_grad():
        twice = network.fused(maps, text[:, [0, 0, 1]])[1][0]
        torch.testing.assert_close(twice[0], twice[1])
        assert not torch.allclose(twice[0], twice[2])
        nn.init.zeros_(network.place[2].weight)  # type: ignore[arg-type]
        nn.init.zeros_(network.place[2].bias)  # type: ignore[arg-type]
        turned = network.fused(maps.flip(3), text)[1]
        torch.testing.assert_close(turned, network.fused(maps, text)[1].flip(3))


# ---------------------------------------------------------------------------------------------- eq.
# 15-19

SIGNAL = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
"""Share of the picture in the power of step t, the product of 1 - beta (eq. 15, 16)."""


class Oracle(nn.Module):
    """A denoiser that knows the picture: one of constant colour, another with the semantics than
    without."""

    size, predicts = 8, "epsilon"

    def __init__(self, told: float, untold: float) -> None:
        super().__init__()
        self.pictures = {True: told, False: untold}

    def condition(self, labels: torch.Tensor, semantics: torch.Tensor | None = None) -> float:
        return self.pictures[semantics is not None]

    def forward(self, pictures: torch.Tensor, times: torch.Tensor, picture: float) -> torch.Tensor:
        share = float(SIGNAL[int(times[0])])
        return (pictures - share**0.5 * picture) / (1 - share) ** 0.5


@pytest.mark.parametrize(("guidance", "expected"), [(1.0, 0.2), (0.0, -0.1), (2.0, 0.5)])
def test_sampling_ends_at_the_picture_that_the_denoiser_knows(
    guidance: float, expected: float
) -> None:
    """Eq. 18, 19: from any noise, with the exact noise subtracted at every step, what is left is
    the picture.

    Guidance goes from what the class alone says (-0.1) towards what the features say (0.2), and
    beyond.
    """
    sampler = ClassDiffusion(Oracle(0.2, -0.1))  # type: ignore[arg-type]
    drawn = sampler.sample(
        torch.zeros(2, dtype=torch.long),
        torch.randn(2, 3, 8, 8),
        10,
        torch.ones(2, 4),
        guidance,
        half=False,
    )
    torch.testing.assert_close(
        drawn, torch.full((2, 3, 8, 8), expected / 2 + 0.5), atol=1e-3, rtol=0
    )


def test_the_loss_is_half_absolute_and_half_squared_error() -> None:
    """Eq. 17 for errors of 0, 1, 2 and 3: means 1.5 and 3.5."""
    assert float(hybrid_loss(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.ones(4))) == pytest.approx(
        (1.5 + 3.5) / 2
    )
