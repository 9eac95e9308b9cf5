"""Sources that read a disk: ids, order, labels, what is refused."""

from __future__ import annotations

import io
import os
import pickle
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semcore import RunError
from semcore.media import MAX_FILE_BYTES
from semcore.testing import run_laws
from semcore.testing.internals import Trap
from semcore_image.codecs.hevc import register_heif
from semcore_image.sources.cifar10 import CIFAR10
from semcore_image.sources.folder import ImageFolder

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def save(path: Path, pixels: np.ndarray, **settings: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **settings)


def noise(seed: int, height: int = 32, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


class TestImageFolder:
    def test_ids_labels_and_order(self, tmp_path: Path):
        for index, name in enumerate(
            ["b.png", "a.png", "cats/x.png", "cats/y.PNG", ".hidden/z.png", "notes.txt"]
        ):
            if name.endswith("txt"):
                (tmp_path / name).write_text("no picture")
            else:
                save(tmp_path / name, noise(index))
        samples = ImageFolder(path=str(tmp_path), user="alice").samples()
        assert [sample.id for sample in samples] == ["a", "b", "cats/x", "cats/y"]
        assert [sample.label for sample in samples] == [None, None, "cats", "cats"]
        assert {sample.user for sample in samples} == {"alice"}
        assert np.array_equal(samples[0].image, noise(1))

    def test_ids_stay_unique_where_only_the_suffix_differs(self, tmp_path: Path):
        for name in ("a.png", "a.bmp", "b.png"):
            save(tmp_path / name, noise(0))
        assert [sample.id for sample in ImageFolder(path=str(tmp_path)).samples()] == [
            "a.bmp",
            "a.png",
            "b",
        ]

    def test_names_that_are_no_text_can_be_written_down(self, tmp_path: Path):
        odd = Path(os.fsdecode(b"sh\xffps/a\xfe"))
        try:
            save(tmp_path / odd.with_suffix(".png"), noise(0))
        except (OSError, UnicodeError):
            pytest.skip("this file system holds no such names")
        (sample,) = ImageFolder(path=str(tmp_path)).samples()
        assert (sample.id, sample.label) == ("sh\ufffdps/a\ufffd", "sh\ufffdps")

    @pytest.mark.parametrize(
        ("limit", "offset"), [(None, 0), (2, 0), (2, 3), (0, 1), (99, 4), (None, 9)]
    )
    def test_limit_and_offset_cut_the_same_list(
        self, tmp_path: Path, limit: int | None, offset: int
    ):
        for index in range(6):
            save(tmp_path / f"{index}.png", noise(index))
        everything = [sample.id for sample in ImageFolder(path=str(tmp_path)).samples()]
        some = [
            sample.id
            for sample in ImageFolder(path=str(tmp_path), limit=limit, offset=offset).samples()
        ]
        assert some == everything[offset:][:limit]

    def test_size_crops_the_centre_and_keeps_the_aspect(self, tmp_path: Path):
        pixels = np.zeros((64, 128, 3), np.uint8)
        pixels[:, 32:96] = 255  # what a centred square crop keeps
        save(tmp_path / "wide.png", pixels)
        (sample,) = ImageFolder(path=str(tmp_path), size=(16, 16)).samples()
        assert sample.image.shape == (16, 16, 3) and (sample.image[:, 1:-1] > 250).all()

    @pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tiff", "ppm", "heic"])
    def test_formats(self, tmp_path: Path, suffix: str):
        register_heif()
        save(tmp_path / f"grey.{suffix}", np.full((24, 40, 3), 100, np.uint8))
        (sample,) = ImageFolder(path=str(tmp_path)).samples()
        assert (
            sample.image.shape == (24, 40, 3) and np.abs(sample.image.astype(int) - 100).max() <= 2
        )

    def test_modes_become_rgb(self, tmp_path: Path):
        Image.fromarray(np.full((8, 8), 128 * 257, np.uint16)).save(tmp_path / "deep.png")
        Image.fromarray(np.full((8, 8), 7, np.uint8)).save(tmp_path / "grey.png")
        Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "transparent.png")
        Image.new("CMYK", (8, 8)).save(tmp_path / "z.jpg")
        means = [sample.image.mean() for sample in ImageFolder(path=str(tmp_path)).samples()]
        assert np.allclose(means, [128, 7, 255, 255], atol=1)

    def test_upright(self, tmp_path: Path):
        pixels = np.zeros((8, 16, 3), np.uint8)
        pixels[:, :8] = 255
        turned = Image.Exif()
        turned[0x0112] = 6  # to be turned by 90° clockwise
        save(tmp_path / "a.png", pixels, exif=turned)
        (sample,) = ImageFolder(path=str(tmp_path)).samples()
        assert (
            sample.image.shape == (16, 8, 3)
            and (sample.image[:8] == 255).all()
            and not sample.image[8:].any()
        )

    @pytest.mark.parametrize("kind", ["cut", "text"])
    def test_a_picture_that_cannot_be_read_is_named(self, tmp_path: Path, kind: str):
        file = io.BytesIO()
        Image.fromarray(noise(0)).save(file, "PNG")
        (tmp_path / "bad.png").write_bytes(
            {"cut": file.getvalue()[:600], "text": b"no picture"}[kind]
        )
        with pytest.raises(RunError, match=r"bad\.png cannot be read"):
            ImageFolder(path=str(tmp_path)).samples()

    @pytest.mark.parametrize("side", [8193, 9500, 13500])
    def test_a_picture_that_is_too_large_is_named_with_the_limit(self, tmp_path: Path, side: int):
        """Just above ours, where Pillow would warn, and where it would raise; its own setting stays
        as it was."""
        Image.new("1", (side, side)).save(tmp_path / "bad.png")
        before = Image.MAX_IMAGE_PIXELS
        with (
            warnings.catch_warnings(),
            pytest.raises(RunError, match=r"bad\.png cannot be read: .*67,108,864"),
        ):
            warnings.simplefilter("error")
            ImageFolder(path=str(tmp_path)).samples()
        assert before == Image.MAX_IMAGE_PIXELS

    @pytest.mark.slow
    def test_a_picture_at_the_limit_is_read(self, tmp_path: Path):
        Image.new("1", (2**13, 2**13)).save(tmp_path / "good.png")
        assert ImageFolder(path=str(tmp_path), size=(8, 8)).samples()[0].image.shape == (8, 8, 3)

    def test_a_file_that_is_too_large_is_not_read(self, tmp_path: Path):
        with open(tmp_path / "bad.png", "wb") as file:
            file.truncate(MAX_FILE_BYTES + 1)
        with pytest.raises(RunError, match=r"bad\.png cannot be read: it has 536,870,913 bytes"):
            ImageFolder(path=str(tmp_path)).samples()

    def test_a_name_does_not_choose_the_decoder(self, tmp_path: Path):
        (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
        with pytest.raises(RunError, match="cannot be read"):
            ImageFolder(path=str(tmp_path)).samples()

    def test_what_is_not_there_is_said(self, tmp_path: Path):
        with pytest.raises(RunError, match="there is no folder"):
            ImageFolder(path=str(tmp_path / "none")).samples()
        with pytest.raises(RunError, match="holds no pictures"):
            ImageFolder(path=str(tmp_path)).samples()


def binary_layout(root: Path, per_class: int = 3) -> np.ndarray:
    """CIFAR-10's binary version with `per_class` pictures of each class in test_batch.bin."""
    folder = root / "cifar-10-batches-bin"
    folder.mkdir()
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n\n")
    labels = np.repeat(np.arange(10), per_class)
    images = np.stack([noise(index) for index in range(labels.size)])
    records = np.concatenate(
        [labels[:, None], images.transpose(0, 3, 1, 2).reshape(labels.size, -1)], axis=1
    )
    (folder / "test_batch.bin").write_bytes(records.astype(np.uint8).tobytes())
    return images


class TestCifar10:
    def test_binary_version(self, tmp_path: Path):
        images = binary_layout(tmp_path)
        samples = CIFAR10(path=str(tmp_path)).samples()
        assert [sample.id for sample in samples[:11]] == [f"{name}/0000" for name in CLASSES] + [
            "airplane/0001"
        ]
        assert np.array_equal(samples[11].image, images[4])  # the second automobile
        assert len({sample.id for sample in samples}) == 30

    def test_folder_of_classes(self, tmp_path: Path):
        for index, name in enumerate(CLASSES):
            for number in range(2):
                save(tmp_path / "test" / name / f"{number:04d}.png", noise(10 * number + index))
        samples = CIFAR10(path=str(tmp_path)).samples()
        assert [sample.id for sample in samples] == [
            f"{name}/000{number}" for number in range(2) for name in CLASSES
        ]
        assert all(sample.label == sample.id.split("/")[0] for sample in samples)
        assert np.array_equal(samples[13].image, noise(13))

    @pytest.mark.parametrize(
        ("limit", "offset"), [(5, 0), (10, 0), (16, 7), (None, 4), (0, 0), (100, 25)]
    )
    def test_any_cut_is_balanced(self, tmp_path: Path, limit: int | None, offset: int):
        binary_layout(tmp_path)
        everything = [sample.id for sample in CIFAR10(path=str(tmp_path)).samples()]
        some = CIFAR10(path=str(tmp_path), limit=limit, offset=offset).samples()
        assert [sample.id for sample in some] == everything[offset:][:limit]
        counts = Counter({name: 0 for name in CLASSES} | Counter(sample.label for sample in some))
        assert max(counts.values()) - min(counts.values()) <= 1

    def test_pickles_are_never_opened(self, tmp_path: Path):
        folder = tmp_path / "cifar-10-batches-py"
        folder.mkdir()
        for name in (
            "test_batch",
            "batches.meta",
            *(f"data_batch_{number}" for number in range(1, 6)),
        ):
            (folder / name).write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
        with pytest.raises(RunError, match="pickle files, which are not opened"):
            CIFAR10(path=str(tmp_path)).samples()
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda folder: (folder / "test_batch.bin").write_bytes(b"x" * 100), "whole records"),
            (lambda folder: (folder / "test_batch.bin").write_bytes(b"\xff" * 3073), "label"),
            (lambda folder: (folder / "batches.meta.txt").unlink(), "unpack"),
        ],
    )
    def test_damaged_files_are_told(self, tmp_path: Path, change, message: str):
        binary_layout(tmp_path)
        change(tmp_path / "cifar-10-batches-bin")
        with pytest.raises(RunError, match=message):
            CIFAR10(path=str(tmp_path)).samples()

    def test_a_folder_without_it_says_what_it_looked_for(self, tmp_path: Path):
        with pytest.raises(RunError, match="neither test/<class>/ nor cifar-10-batches-bin/"):
            CIFAR10(path=str(tmp_path)).samples()


@pytest.mark.parametrize("source", [ImageFolder, CIFAR10])
def test_the_laws_of_the_kit(tmp_path: Path, source):
    save(tmp_path / "test" / "ship" / "0.png", noise(0))
    save(tmp_path / "test" / "truck" / "0.png", noise(1))
    verdicts = run_laws(source(path=str(tmp_path)))
    assert not [f"{one.law.name}: {one.message}" for one in verdicts if one.result == "broken"]
