"""The detector of drawn scenes: what it finds, its metric and its recipe."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from semcore import Ledger, Record, Sample, Semantics
from semcore.testing import run_laws
from semcore_image.metrics.scene_accuracy import SceneAccuracy
from semcore_image.models.scene_judge import (
    BOX,
    CELLS,
    SceneJudge,
    groups,
    judged,
    objects,
)
from semcore_image.models.weights import WEIGHTS, load_mini
from semcore_image.scenes.world import COLOURS, KINDS
from semcore_image.sources.scenes import Scenes
from semcore_image.training import scene_judge as recipe
from semcore_image.training.scenes import SceneBatches, draw, unseen

NOTHING = torch.zeros(10)
SAMPLES = tuple(Scenes(limit=40, seed=3).samples())


def cells(*found: tuple[int, int, str, str, float, float]) -> torch.Tensor:
    """What a network says that is sure of (row, column, kind, colour, dx, dy)."""
    said = torch.full((BOX + len(KINDS) + len(COLOURS), CELLS, CELLS), -9.0)
    for row, column, kind, colour, dx, dy in found:
        said[0, row, column] = 5.0
        said[1:BOX, row, column] = torch.tensor([dx, dy, 2.0])
        said[BOX + KINDS.index(kind), row, column] = 9.0
        said[BOX + len(KINDS) + COLOURS.index(colour), row, column] = 9.0
    return said


class TestDecoding:
    def test_an_object_is_found_where_it_is(self):
        (found,) = objects(cells((1, 2, "cat", "red", 0.25, 0)))
        assert (found.x, found.y, found.side) == pytest.approx((22, 12, 16))
        seen = judged([found], NOTHING)
        assert (seen.kind, seen.colour, seen.count, seen.objects) == ("cat", "red", 1, 1)
        assert seen.place == "at the top"

    def test_cells_that_share_an_object_count_together(self):
        """Each of two cells is unsure whether the centre, on their border, is its own."""
        said = cells((1, 1, "cat", "red", 0.5, 0), (1, 2, "cat", "red", -0.5, 0))
        said[0][said[0] > 0] = -1.5
        (found,) = objects(said)
        assert (found.x, found.y) == pytest.approx((16, 12))
        alone = cells((1, 1, "cat", "red", 0.5, 0))
        alone[0][alone[0] > 0] = -1.5
        assert not objects(alone)

    def test_neighbours_are_two(self):
        found = objects(cells((1, 1, "cat", "red", 0, 0), (1, 3, "cat", "red", -0.4, 0)))
        assert len(found) == 2 and len(groups(found)) == 1

    def test_an_unsure_neighbour_follows_its_group(self):
        said = cells((1, 1, "cat", "red", 0, 0), (1, 3, "dog", "red", 0, 0))
        assert len(groups(objects(said))) == 2
        said[BOX + KINDS.index("cat"), 1, 3] = 8.0
        seen = judged(objects(said), NOTHING)
        assert (seen.kind, seen.count) == ("cat", 2)

    def test_nothing(self):
        seen = judged(objects(cells()), NOTHING)
        assert (seen.kind, seen.colour, seen.count, seen.place) == ("", "", 0, "")

    def test_the_main_objects_are_the_largest(self):
        said = cells((0, 0, "cat", "red", 0, 0), (6, 6, "dog", "blue", 0, 0))
        said[3, 0, 0] = 1.4
        seen = judged(objects(said), NOTHING)
        assert (seen.kind, seen.colour, seen.count) == ("dog", "blue", 1)
        assert seen.place == "at the bottom right"


def test_drawn_scenes_are_addressed():
    def images(epoch: int) -> list[torch.Tensor]:
        batches = SceneBatches(5, 2, 4, lambda scenes: scenes.images)
        plans = batches.plans(torch.Generator().manual_seed(5000 + epoch))
        return [batches.prepared(plan) for plan in plans]

    first, again, other = images(0), images(0), images(1)
    assert len(first) == 2 and all(map(torch.equal, first, again))
    every = [*first, *other]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(every, 2))
    assert torch.equal(unseen(2).images, unseen(2).images)
    assert not torch.equal(unseen(2).images, unseen(2, "measured").images)
    assert first[0].shape == (4, 3, 64, 64) and first[0].dtype == torch.uint8


def test_what_it_says_of_unseen_scenes():
    judge: SceneJudge = load_mini("scene-judge")
    pictures = torch.from_numpy(np.stack([one.image for one in SAMPLES])).permute(0, 3, 1, 2)
    source, said = Scenes(seed=3), judge.judge(pictures)
    right = [recipe.whole(one, source.description(at)) for at, one in enumerate(said)]
    assert np.mean(right) >= 0.95


def test_the_card_states_what_is_needed_of_a_judge():
    card = (WEIGHTS / "scene-judge" / "README.md").read_text(encoding="utf-8")
    for fact in ("kind", "colour", "count", "place"):
        found = re.search(rf"\| {fact} of the main objects \| ([0-9.]+)%", card)
        assert found and float(found.group(1)) >= 99


class TestMetric:
    @staticmethod
    def record(source: Sample, result: Sample) -> Record:
        nothing = Semantics(source.id, {})
        return Record(source, nothing, nothing, result, Ledger())

    @pytest.mark.parametrize("of", ["all", "kind", "colour", "count", "place", "background"])
    def test_a_scene_shows_itself(self, of: str):
        metric = SceneAccuracy(of=of)
        found = metric.measure([self.record(one, one) for one in SAMPLES[:8]])
        bare = [Sample(one.id, image=one.image) for one in SAMPLES[:8]]
        assert found.count(100.0) >= 7
        assert metric.measure([self.record(one, one) for one in bare]) == [100.0] * 8

    def test_another_scene_is_another(self):
        pairs = zip(SAMPLES[:8], SAMPLES[8:16], strict=True)
        assert SceneAccuracy().measure([self.record(a, b) for a, b in pairs]) == [0.0] * 8

    def test_without_a_picture_there_is_no_value(self):
        first = SAMPLES[0]
        bare = Sample(first.id, text=first.text)
        assert SceneAccuracy().measure([self.record(first, bare)]) == [None]
        other = Sample(first.id, text="a griffin")
        assert SceneAccuracy().measure([self.record(other, first)]) == [None]

    @pytest.mark.slow
    def test_laws(self):
        assert not [one.law.name for one in run_laws(SceneAccuracy()) if one.result == "broken"]


@pytest.mark.slow
def test_a_short_training_goes_on_and_writes_what_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recipe, "MEASURED", 3)
    monkeypatch.setattr(
        recipe, "unseen", lambda count, purpose="": draw(np.random.default_rng(1), 3)
    )
    short = recipe.SceneJudgeRecipe(epochs=2, steps=1, batch_size=2)
    for _ in range(2):  # the second finds all epochs done
        short.train(tmp_path)
    model: SceneJudge = load_mini("scene-judge", str(tmp_path))
    assert len(model.judge(torch.zeros(2, 3, 64, 64))) == 2
    assert "semcore train scene-judge" in (tmp_path / "README.md").read_text()
