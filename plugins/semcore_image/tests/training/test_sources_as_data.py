"""A source of pictures is training data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semcore import RunError, Source
from semcore.commands import component
from semcore.training import claim, command_of
from semcore_image.sources.folder import ImageFolder
from semcore_image.sources.samples import SamplePictures
from semcore_image.training.data import load_split
from semcore_image.training.mini_classifier import MiniClassifierRecipe


def folder(root: Path, labels: tuple[str, ...] = ("b", "a"), count: int = 11) -> Path:
    for at, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((6, 8, 3), 100 * at + number, np.uint8)
            Image.fromarray(pixels).save(root / label / f"{number:02d}.png")
    return root


def test_a_source_gives_the_same_splits_as_its_folder(tmp_path: Path) -> None:
    place = str(folder(tmp_path / "set"))
    for split in ("train", "test"):
        ours, folders = (load_split(one, split, 4) for one in (ImageFolder(place), place))
        assert ours.images.equal(folders.images) and ours.facts.equal(folders.facts)
        assert ours.classes == folders.classes == ("a", "b")
    assert len(load_split(ImageFolder(place), "test")) == 2


@pytest.mark.slow
def test_drawn_pictures_are_data_too() -> None:
    train, test = (load_split(SamplePictures(limit=40), split) for split in ("train", "test"))
    assert len(train) == 30 and len(test) == 10 and "ship" in train.classes
    assert train.origin == "the source samples"


def test_pictures_without_labels_are_one_class(tmp_path: Path) -> None:
    place = folder(tmp_path / "set", ("only",)) / "only"
    split = load_split(ImageFolder(str(place)), "train", 4)
    assert split.classes == ("image folder",) and split.labels.tolist() == [0] * 10
    Image.new("RGB", (4, 4)).save(tmp_path / "set" / "loose.png")
    with pytest.raises(RunError, match="sample 'loose' has no label"):
        load_split(ImageFolder(str(tmp_path / "set")), "train")


def recipe(value: object) -> MiniClassifierRecipe:
    made: MiniClassifierRecipe = component("recipe", {"use": "mini-classifier", "data": value})
    return made


def test_a_path_stays_a_path_and_a_mapping_becomes_a_source(tmp_path: Path) -> None:
    assert recipe("samples").data == "samples"  # a folder, though a source has this name
    made = recipe({"use": "image-folder", "path": str(tmp_path / "set"), "limit": 3})
    assert isinstance(made.data, Source) and made.data.limit == 3


def test_a_training_is_known_by_its_samples(tmp_path: Path) -> None:
    one, two = (folder(tmp_path / name) for name in ("one", "two"))
    (tmp_path / "out").mkdir()

    def training(place: Path, **settings: object) -> str:
        source = {"use": "image-folder", "path": str(place), **settings}
        return claim(recipe(source), tmp_path / "out")

    known = training(one)
    assert known == training(two)
    with pytest.raises(RunError, match="data.limit"):
        training(one, limit=5)
    Image.new("RGB", (4, 4)).save(two / "a" / "00.png")
    with pytest.raises(RunError, match="data holds other files"):
        training(two)


def test_the_card_has_the_command_without_places(tmp_path: Path) -> None:
    place = folder(tmp_path / "set")
    made = recipe({"use": "image-folder", "path": str(place), "limit": 5})
    command = "semcore train mini-classifier data.use=image-folder data.path=set data.limit=5"
    assert command_of(made) == f"{command} --out DIR"
