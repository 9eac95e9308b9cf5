"""Selectors and metrics, with networks of known answers in place of the trained ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from semcore import Candidates, KnowledgeBase, Ledger, Record, Sample, Semantics, Text
from semcore.testing import run_laws
from semcore_image.metrics.class_accuracy import ClassAccuracy
from semcore_image.metrics.clip import ClipImage, ClipScore
from semcore_image.models import clip
from semcore_image.selection.clip_score import ClipScoreSelector
from semcore_image.selection.first import First

EMPTY = KnowledgeBase()
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class ColourClip:
    """The space is RGB: a picture lies at its mean colour, a text at the colour that it names."""

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.normalize(images.mean((2, 3)), dim=-1)

    def encode_text(self, texts: list[str]) -> torch.Tensor:
        named = [
            next((COLOURS[word] for word in text.split() if word in COLOURS), (1, 1, 1))
            for text in texts
        ]
        return torch.nn.functional.normalize(torch.tensor(named, dtype=torch.float32), dim=-1)


class ColourClassifier:
    classes = ("red", "green", "blue")

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean((2, 3))


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"mini-clip": ColourClip(), "mini-classifier": ColourClassifier()}
    monkeypatch.setattr("semcore_image.models.weights.load_mini", lambda name, _=None: made[name])


def plain(colour: tuple[int, int, int], id: str = "a", side: int = 32, **fields: object) -> Sample:
    return Sample(id, image=np.full((side, side, 3), colour, np.uint8), **fields)


def said(caption: str | None) -> Semantics:
    return Semantics("a", {} if caption is None else {"caption": Text(caption)})


def record(
    source: Sample, result: Sample, caption: str | None = None, arrived: str | None = None
) -> Record:
    return Record(source, said(caption), said(arrived), result, Ledger())


SHADES = tuple(plain((255, value, value), side=20 + value // 10) for value in (200, 100, 0, 150))


class TestSelectors:
    @pytest.mark.parametrize("selector", [First(), ClipScoreSelector()], ids=str)
    @pytest.mark.parametrize("caption", [None, "", "something red"])
    def test_it_keeps_one_of_the_candidates(self, selector, caption: str | None):
        batch = [said(caption)] * 3
        candidates = [Candidates(SHADES[:count]) for count in (1, 2, 4)]
        kept = selector.select(candidates, batch, EMPTY)
        assert len(kept) == 3
        assert all(
            any(one is sample for sample in given.samples)
            for one, given in zip(kept, candidates, strict=True)
        )

    def test_the_nearest_to_what_arrived_whatever_the_order(self):
        for order in itertools.permutations(SHADES):
            (kept,) = ClipScoreSelector().select(
                [Candidates(order)], [said("something red")], EMPTY
            )
            assert kept is SHADES[2]

    @pytest.mark.parametrize("selector", [First(), ClipScoreSelector()], ids=str)
    def test_without_a_caption_the_first(self, selector):
        assert selector.select([Candidates(SHADES)], [said(None)], EMPTY) == [SHADES[0]]

    def test_candidates_without_a_picture_are_passed_over(self):
        candidates = Candidates((Sample("a", text="words"), SHADES[0], SHADES[2]))
        assert ClipScoreSelector().select([candidates], [said("red")], EMPTY) == [SHADES[2]]
        assert ClipScoreSelector().select(
            [Candidates(candidates.samples[:2])], [said("red")], EMPTY
        ) == [SHADES[0]]
        alone = Candidates(candidates.samples[:1])
        assert ClipScoreSelector().select([alone], [said("red")], EMPTY) == list(alone.samples)

    def test_a_choice_does_not_depend_on_the_batch(self):
        given = [Candidates(SHADES), Candidates(SHADES[::-1]), Candidates(SHADES[1:])]
        batch = [said("red"), said("blue"), said(None)]
        together = ClipScoreSelector().select(given, batch, EMPTY)
        alone = [
            ClipScoreSelector().select([one], [got], EMPTY)[0]
            for one, got in zip(given, batch, strict=True)
        ]
        assert all(x is y for x, y in zip(together, alone, strict=True))


class TestClipScore:
    @pytest.mark.parametrize(
        ("colour", "score"), [((255, 0, 0), 100), ((0, 255, 0), 0), ((255, 255, 0), 100 / 2**0.5)]
    )
    def test_it_is_a_hundred_times_the_cosine_with_the_sent_caption(self, colour, score: float):
        one = record(plain((9, 9, 9)), plain(colour), caption="red", arrived="blue")
        assert ClipScore().measure([one]) == pytest.approx([score], abs=1e-3)

    def test_against_the_source_s_own_text(self):
        one = record(plain((9, 9, 9), text="green"), plain((0, 255, 0)), caption="red")
        assert ClipScore(against="source").measure([one]) == pytest.approx([100])
        assert ClipScore(against="sent").measure([one]) == pytest.approx([0])

    def test_none_where_there_is_nothing_to_compare(self):
        pictures = record(plain((9, 9, 9)), plain((9, 9, 9)))
        words = record(plain((9, 9, 9)), Sample("a", text="red"), caption="red")
        assert ClipScore().measure([pictures, words]) == [None, None]
        assert ClipScore(against="source").measure([pictures]) == [None]


class TestClipImage:
    def test_it_is_the_cosine_of_the_pictures(self):
        pairs = [
            ((255, 0, 0), (255, 0, 0)),
            ((255, 0, 0), (0, 255, 0)),
            ((255, 0, 0), (255, 255, 0)),
        ]
        records = [record(plain(one), plain(other, side=50)) for one, other in pairs]
        assert ClipImage().measure(records) == pytest.approx([1, 0, 2**-0.5], abs=1e-5)

    def test_none_without_two_pictures(self):
        assert ClipImage().measure([record(Sample("a", text="x"), plain((1, 1, 1)))]) == [None]


class TestClassAccuracy:
    def test_the_label_counts_and_without_one_what_the_source_shows(self):
        red, green = (255, 0, 0), (0, 255, 0)
        records = [
            record(plain(green, label="red"), plain(red)),
            record(plain(red, label="red"), plain(green)),
            record(plain(green), plain(green)),
            record(plain(green, label="zebra"), plain(red)),
            record(plain(green, label="red"), Sample("a", text="x")),
            record(Sample("a", text="x"), plain(red)),
        ]
        assert ClassAccuracy().measure(records) == [100, 0, 100, 0, None, None]


@pytest.mark.parametrize(
    "metric", [ClipScore(), ClipImage(), ClassAccuracy()], ids=lambda metric: type(metric).__name__
)
def test_the_signature_names_the_model_and_its_weights(metric, monkeypatch: pytest.MonkeyPatch):
    signatures = set()
    for digest in ("0123456789ab", "ba9876543210"):
        for module in ("models.clip", "metrics.class_accuracy"):
            monkeypatch.setattr(
                f"semcore_image.{module}.mini_digest", lambda name, digest=digest: digest
            )
        signature = type(metric)().signature
        assert "mini-c" in signature and digest in signature
        signatures.add(signature)
    assert len(signatures) == 2


def test_what_a_score_is_taken_against_is_part_of_the_signature(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clip, "mini_digest", lambda name: "0123456789ab")
    assert ClipScore().signature != ClipScore(against="source").signature


@pytest.mark.parametrize(
    "component",
    [ClipScoreSelector(), ClipScore(), ClipScore(against="source"), ClipImage(), ClassAccuracy()],
    ids=str,
)
def test_the_laws_of_the_kit(component):
    assert not [
        f"{one.law.name}: {one.message}" for one in run_laws(component) if one.result == "broken"
    ]
