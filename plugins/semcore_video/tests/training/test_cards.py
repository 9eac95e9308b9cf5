"""Model cards of recipes that learn from videos: they state the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semcore import ComponentError, Recipe, Sample
from semcore.media import mp4
from semcore_video.sources.talking_samples import TalkingSamples
from semcore_video.speech.grid import GRID_WORDS
from semcore_video.training.data import data_summary
from semcore_video.training.face_basis import FaceBasisRecipe
from semcore_video.training.lip_fit import LipFitRecipe
from semcore_video.training.mean_face import MeanFaceRecipe
from semcore_video.training.visemes import VisemesRecipe

pytest.importorskip("mediapipe", reason="pip install 'semcore-video[face]'")
pytest.importorskip("dlib", reason="pip install 'semcore-video[metrics]'")
FRAMES = 20


@pytest.fixture(scope="module")
def talking() -> list[Sample]:
    samples = TalkingSamples(limit=3, size=(128, 128)).samples()
    return list(samples)


def short(sample: Sample) -> Sample:
    """Some frames of a sample."""
    assert sample.video is not None and sample.audio is not None and sample.sample_rate_hz
    first, last = (round(sample.sample_rate_hz * frame / 25) for frame in (20, 20 + FRAMES))
    return replace(sample, video=sample.video[20 : 20 + FRAMES], audio=sample.audio[first:last])


def spelled(sentence: str) -> str:
    """The name of a GRID clip with the given sentence."""
    words = sentence.split()
    return "".join(
        next(sign for sign, word in column.items() if word == said)
        for column, said in zip(GRID_WORDS, words, strict=True)
    )


@pytest.mark.parametrize("recipe", [FaceBasisRecipe, LipFitRecipe, MeanFaceRecipe, VisemesRecipe])
@pytest.mark.default_cases(1)
def test_too_little_to_learn_from_is_refused(
    tmp_path: Path, talking: list[Sample], recipe: type[Recipe]
) -> None:
    nobody = replace(short(talking[1]), video=np.full((FRAMES, 64, 64, 3), 90, np.uint8))
    folder = written(tmp_path / "clips", [short(talking[0]), nobody], ["ann", "ben"])
    with pytest.raises(ComponentError, match=rf"{recipe.__name__}\.data: "):
        recipe(data=str(folder)).train(tmp_path / "out")


def written(folder: Path, talking: list[Sample], names: list[str]) -> Path:
    folder.mkdir()
    for sample, name in zip(talking, names, strict=True):
        data = mp4(sample)
        assert data
        (folder / f"{name}.mp4").write_bytes(data)
    return folder


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(FaceBasisRecipe, marks=pytest.mark.slow),
        LipFitRecipe,
        MeanFaceRecipe,
        pytest.param(VisemesRecipe, marks=pytest.mark.slow),
    ],
)
@pytest.mark.default_cases(1)
def test_a_card_states_the_data_that_was_used(
    tmp_path: Path, talking: list[Sample], recipe: type[Recipe]
) -> None:
    if recipe is VisemesRecipe:  # needs whole sentences
        folder = written(
            tmp_path / "my clips", talking, [spelled(sample.text or "") for sample in talking]
        )
    else:
        folder = written(tmp_path / "my clips", list(map(short, talking)), ["ann", "ben", "cem"])
    recipe(data=str(folder)).train(tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "'data=my clips' --out DIR\n" in card and str(tmp_path) not in card
    assert data_summary(str(folder)) in card.replace("\n", " ")
    assert ("GRID" in card) == (recipe is VisemesRecipe)


def test_other_videos_under_the_same_names_are_other_data(
    tmp_path: Path, talking: list[Sample]
) -> None:
    talking = list(map(short, talking))
    one = data_summary(str(written(tmp_path / "a", talking, ["ann", "ben", "cem"])))
    louder = [replace(talking[0], audio=np.clip(2 * talking[0].audio, -1, 1)), *talking[1:]]
    (tmp_path / "b").mkdir()
    assert "3 videos" in one and "`a`" in one and "GRID" not in one
    assert one.replace("`a`", "`clips`") != data_summary(
        str(written(tmp_path / "b" / "clips", louder, ["ann", "ben", "cem"]))
    )
