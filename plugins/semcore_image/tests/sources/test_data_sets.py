"""Data sets in the layouts in which they are published, made here at a small size."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semcore import SourceError, digest
from semcore_image.sources.celeba import CelebA
from semcore_image.sources.cifar10 import CIFAR10
from semcore_image.sources.cifar100 import CIFAR100
from semcore_image.sources.folder import ImageFolder
from semcore_image.sources.stl10 import STL10

FINE = [f"fine{number:02d}" for number in range(10)]
COARSE = ["animals", "things"]


def cifar100(root: Path) -> np.ndarray:
    """The binary version, with ten fine and two coarse classes; returns the pictures (H, W, 3)."""
    place = root / "cifar-100-binary"
    place.mkdir()
    pictures = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), np.uint8)
    fine = np.arange(30, dtype=np.uint8) % 10
    data = np.concatenate([np.stack([fine // 5, fine], 1), pictures.reshape(30, -1)], 1)
    for split in ("train", "test"):
        (place / f"{split}.bin").write_bytes(data.astype(np.uint8).tobytes())
    (place / "fine_label_names.txt").write_text("\n".join(FINE) + "\n\n")
    (place / "coarse_label_names.txt").write_text("\n".join(COARSE) + "\n")
    return pictures.transpose(0, 2, 3, 1)


def test_cifar100_has_fine_or_coarse_labels(tmp_path: Path) -> None:
    pictures = cifar100(tmp_path)
    samples = CIFAR100(str(tmp_path)).samples()
    assert [one.id for one in samples][:3] == ["fine00/0000", "fine01/0000", "fine02/0000"]
    assert np.array_equal(samples[11].image, pictures[11]) and samples[11].label == "fine01"
    coarse = CIFAR100(str(tmp_path / "cifar-100-binary"), label="coarse").samples()
    assert [one.label for one in coarse][:4] == ["animals", "things"] * 2
    assert np.array_equal(coarse[1].image, pictures[5])


def test_pickles_of_cifar100_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "cifar-100-python").mkdir()
    for path in (tmp_path, tmp_path / "cifar-100-python"):
        with pytest.raises(SourceError, match="not opened; unpack .* cifar-100-binary.tar.gz"):
            CIFAR100(str(path)).samples()


def test_damaged_files_of_cifar100_are_named(tmp_path: Path) -> None:
    cifar100(tmp_path)
    (tmp_path / "cifar-100-binary" / "test.bin").write_bytes(b"\0" * 5000)
    with pytest.raises(SourceError, match="not whole records; unpack cifar-100-binary.tar.gz"):
        CIFAR100(str(tmp_path)).samples()
    (tmp_path / "test" / "a").mkdir(parents=True)
    with pytest.raises(SourceError, match="do not say their groups") as caught:
        CIFAR100(str(tmp_path), label="coarse").samples()
    assert caught.value.setting == "label"


@pytest.mark.parametrize("kind", [ImageFolder, CIFAR10, CIFAR100])
def test_a_shuffle_is_a_permutation_before_offset_and_limit(tmp_path: Path, kind: type) -> None:
    for name in "abc":
        (tmp_path / "test" / name).mkdir(parents=True)
        for number in range(5):
            pixels = np.full((4, 4, 3), 50 * ord(name) % 256 + number, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "test" / name / f"{number}.png")

    def order(**settings: int) -> list[str]:
        return [one.id for one in kind(path=str(tmp_path), **settings).samples()]

    assert Counter(order(shuffle=1)) == Counter(order())
    assert order() != order(shuffle=1) == order(shuffle=1) != order(shuffle=2)
    assert order(shuffle=1, offset=3, limit=4) == order(shuffle=1)[3:7]
    source = kind(path=str(tmp_path), shuffle=1)
    for one in source.samples():  # a picture keeps its id
        match = next(other for other in kind(path=str(tmp_path)).samples() if other.id == one.id)
        assert np.array_equal(one.image, match.image) and one.label == match.label


def stl10(root: Path) -> np.ndarray:
    """The binary version; returns the pictures of `unlabeled` (H, W, 3)."""
    place = root / "stl10_binary"
    place.mkdir()
    pictures = np.random.default_rng(1).integers(0, 256, (4, 96, 96, 3), np.uint8)
    stored = pictures.transpose(0, 3, 2, 1)  # planes, columns, rows
    for split in ("test", "unlabeled"):
        (place / f"{split}_X.bin").write_bytes(stored.tobytes())
    (place / "test_y.bin").write_bytes(bytes([2, 1, 2, 1]))
    (place / "class_names.txt").write_text("airplane\nbird\n")
    return pictures


def test_stl10_is_read_from_its_files(tmp_path: Path) -> None:
    pictures = stl10(tmp_path)
    samples = STL10(str(tmp_path)).samples()
    assert [one.id for one in samples] == [
        f"{name}/000{number}" for number in range(2) for name in ("airplane", "bird")
    ]
    assert [one.label for one in samples] == ["airplane", "bird"] * 2
    assert np.array_equal(samples[0].image, pictures[1])
    unlabeled = STL10(str(tmp_path / "stl10_binary"), split="unlabeled", offset=1).samples()
    assert [one.id for one in unlabeled] == [f"unlabeled/00000{at}" for at in (1, 2, 3)]
    assert all(one.label is None for one in unlabeled)
    assert np.array_equal(unlabeled[1].image, pictures[2])


def test_stl10_says_what_is_wrong(tmp_path: Path) -> None:
    stl10(tmp_path)
    with pytest.raises(SourceError, match="train_X.bin, train_y.bin and class_names.txt"):
        STL10(str(tmp_path), split="train").samples()
    with pytest.raises(SourceError, match="no class 'cow'; there are airplane, bird"):
        STL10(str(tmp_path), classes=("cow",)).samples()
    with pytest.raises(SourceError, match="have no classes"):
        STL10(str(tmp_path), split="unlabeled", classes=("bird",)).samples()
    with open(tmp_path / "stl10_binary" / "test_X.bin", "ab") as file:
        file.write(b"\0")
    with pytest.raises(SourceError, match="not a whole number of pictures"):
        STL10(str(tmp_path)).samples()


def celeba(root: Path, ending: str = ".txt") -> None:
    place = root / "img_align_celeba"
    place = place if ending == ".txt" else place / "img_align_celeba"  # as one archive has it
    place.mkdir(parents=True)
    names = [f"{number:06d}.jpg" for number in range(1, 7)]
    for number, name in enumerate(names):
        Image.new("RGB", (178, 218), (40 * number, 0, 0)).save(place / name)
    if ending == ".txt":
        parts = "".join(f"{name} {number // 2}\n" for number, name in enumerate(names))
        header, sign = "6\nSmiling Young\n", " "
    else:
        parts = "image_id,partition\n"
        parts += "".join(f"{name},{number // 2}\n" for number, name in enumerate(names))
        header, sign = "image_id,Smiling,Young\n", ","
    (root / f"list_eval_partition{ending}").write_text(parts)
    rows = [
        sign.join([name, "1" if at % 2 else "-1", "-1"]) + "\n" for at, name in enumerate(names)
    ]
    (root / f"list_attr_celeba{ending}").write_text(header + "".join(rows))
    (root / "identity_CelebA.txt").write_text(
        "".join(f"{name} {100 + number}\n" for number, name in enumerate(names))
    )


@pytest.mark.parametrize("ending", [".txt", ".csv"])
def test_celeba_is_split_and_labelled_by_its_lists(tmp_path: Path, ending: str) -> None:
    celeba(tmp_path, ending)
    samples = CelebA(str(tmp_path), label="Smiling").samples()
    assert [(one.id, one.label) for one in samples] == [
        ("000005", "not-Smiling"), ("000006", "Smiling"),
    ]  # fmt: skip
    assert samples[0].image.shape == (218, 178, 3)
    assert [one.id for one in CelebA(str(tmp_path), split="train").samples()] == [
        "000001", "000002",
    ]  # fmt: skip
    (only,) = CelebA(
        str(tmp_path), split="valid", label="identity", limit=1, size=(64, 64)
    ).samples()
    assert (only.id, only.label, only.image.shape) == ("000003", "102", (64, 64, 3))
    assert len(CelebA(str(tmp_path), split="all").samples()) == 6


def test_celeba_says_what_is_wrong(tmp_path: Path) -> None:
    celeba(tmp_path)
    with pytest.raises(SourceError, match="no attribute 'Smile' .*there are identity, Smiling"):
        CelebA(str(tmp_path), label="Smile").samples()
    (tmp_path / "img_align_celeba" / "000005.jpg").unlink()
    with pytest.raises(SourceError, match="1 of the 2 pictures are missing .*000005.jpg"):
        CelebA(str(tmp_path)).samples()
    (tmp_path / "list_eval_partition.txt").unlink()
    with pytest.raises(SourceError, match="neither list_eval_partition.txt nor"):
        CelebA(str(tmp_path)).samples()


def test_samples_of_a_data_set_are_known_by_their_content(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        cifar100(tmp_path / name)

    def known(name: str, **settings: object) -> str:
        return digest(CIFAR100(str(tmp_path / name), **settings).samples())

    assert known("one") == known("two") != known("one", label="coarse")
    assert known("one") != known("one", shuffle=3)
    file = tmp_path / "two" / "cifar-100-binary" / "test.bin"
    file.write_bytes(file.read_bytes()[:-1] + b"\x07")
    assert known("one") != known("two")
