"""Pictures from disk."""

from __future__ import annotations

import functools
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from PIL import Image

from semcore.errors import RunError
from semcore.interfaces import Source
from semcore.pictures import check_file, read_picture, written
from semcore.types import Sample
from semcore_image.codecs import register_heif
from semcore_image.pixels import fit

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "HEIF")
SUFFIXES = frozenset(".png .jpg .jpeg .webp .bmp .gif .tif .tiff .ppm .pgm .heic .heif".split())

BINARY = "cifar-10-batches-bin"
WANTED = (
    "name the folder above them, and unpack cifar-10-binary.tar.gz there: the Python version, cifar-10-batches-py, is pickle "
    "files, which are not opened"
)

Lazy = tuple[str, Callable[[], np.ndarray]]
"""An id, and what reads its picture."""

Side = Annotated[int, Ge(1)]
Count = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class ImageFolder(Source):
    """The pictures of a folder and its subfolders, sorted by path.

    The id is the path below the folder without its suffix; where two files differ in nothing but the suffix,
    it is kept. The label is the name of the subfolder that a picture lies in. Pictures become 8-bit RGB,
    upright as their EXIF data says, their transparent parts on white; of an animation the first frame is
    taken. Hidden files are left out.

    Errors: RunError if the folder is missing or empty, or if a picture cannot be read or is larger than 67
    megapixels or 512 MiB.

    Fields:
        path: folder of .png .jpg .jpeg .webp .bmp .gif .tif .tiff .ppm .pgm .heic .heif files
        limit: take at most this many; null: all
        offset: leave out this many first
        size: (height, width) that each picture is brought to, by a centred crop to the aspect and Lanczos
            resampling;
            null: as they are
        user: who sends them; the pictures of one user are a sequence and share a knowledge base
    """

    tried_with = ({"path": "{folder}"},)

    path: str
    limit: Count | None = None
    offset: Count = 0
    size: tuple[Side, Side] | None = None
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        root = Path(self.path).expanduser()
        if not root.is_dir():
            raise RunError(f"source image-folder: there is no folder {root}; set source.path")
        names = sorted(path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
        names = [name for name in names if not any(part.startswith(".") for part in name.parts)]
        if not names:
            raise RunError(f"source image-folder: {root} holds no pictures ({' '.join(sorted(SUFFIXES))})")
        stems = Counter(name.with_suffix("") for name in names)
        chosen = itertools.islice(names, self.offset, None if self.limit is None else self.offset + self.limit)
        return [
            Sample(
                written((name.with_suffix("") if stems[name.with_suffix("")] == 1 else name).as_posix()),
                self.user,
                image=self._read(root / name),
                label=written(name.parent.name) or None,
            )
            for name in chosen
        ]

    def _read(self, path: Path) -> np.ndarray:
        picture = read_file(path)
        return np.array(fit(picture, self.size) if self.size else picture)


def read_file(path: Path) -> Image.Image:
    """A picture file as RGB.

    Raises:
        RunError: it cannot be read
    """
    if path.suffix.lower() in {".heic", ".heif"}:
        register_heif()
    try:
        return read_picture(path, FORMATS)
    except Exception as error:  # a malformed file can raise anything; every one means that it cannot be read
        raise RunError(f"the picture {path} cannot be read: {error}; mend or remove it") from error


@dataclass(frozen=True)
class CIFAR10(Source):
    """CIFAR-10, 32×32 pictures of ten classes, taken evenly from the classes.

    The order is: the first picture of each class (classes in alphabetical order), then the second of each,
    and so on; `offset` and `limit` cut from that order, so that any `limit` holds every class equally often,
    give or take one. The id is class/name.

    `path` may hold `<split>/<class>/*.png|jpg`, or `cifar-10-batches-bin` (the binary version). The Python
    version is pickle files, which can do anything when they are opened, and are not.

    Errors: RunError if `path` holds neither or a file is damaged.

    Fields:
        path: folder of the data set
        split: train or test
        limit: take at most this many; null: all
        offset: leave out this many first
        user: who sends them; the pictures of one user are a sequence and share a knowledge base
    """

    reference: ClassVar[str] = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
    cites: ClassVar[tuple[str, ...]] = ("krizhevsky2009learning",)
    tried_with = ({"path": "{folder}"},)

    path: str
    split: Literal["train", "test"] = "test"
    limit: Count | None = None
    offset: Count = 0
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        root = Path(self.path).expanduser()
        if (root / self.split).is_dir():
            classes = self._folders(root / self.split)
        elif (root / BINARY).is_dir():
            classes = self._arrays(*read_binary(root / BINARY, self.split))
        else:
            raise RunError(f"source cifar10: {root} holds neither {self.split}/<class>/ nor {BINARY}/; {WANTED}")
        rounds = itertools.zip_longest(*(classes[label] for label in sorted(classes)))
        order = (item for one_of_each in rounds for item in one_of_each if item is not None)
        chosen = itertools.islice(order, self.offset, None if self.limit is None else self.offset + self.limit)
        return [Sample(id, self.user, image=load(), label=id.partition("/")[0]) for id, load in chosen]

    @staticmethod
    def _folders(root: Path) -> dict[str, list[Lazy]]:
        classes = {folder.name: folder for folder in root.iterdir() if folder.is_dir()}
        return {
            label: [
                (f"{label}/{path.stem}", functools.partial(_pixels, path))
                for path in sorted(folder.iterdir())
                if path.suffix.lower() in SUFFIXES
            ]
            for label, folder in classes.items()
        }

    @staticmethod
    def _arrays(images: np.ndarray, labels: Sequence[int], names: Sequence[str]) -> dict[str, list[Lazy]]:
        classes: dict[str, list[Lazy]] = defaultdict(list)
        for image, label in zip(images, labels, strict=True):
            name = names[label]
            classes[name].append((f"{name}/{len(classes[name]):04d}", image.copy))
        return classes


def _pixels(path: Path) -> np.ndarray:
    return np.array(read_file(path))


def read_binary(folder: Path, split: str) -> tuple[np.ndarray, list[int], list[str]]:
    """CIFAR-10's binary version: a record is one byte of label and 3072 of pixels, planes R, G, B.

    Returns:
        pictures uint8 (N, 32, 32, 3), labels, names of the classes
    """
    files = [f"data_batch_{number}.bin" for number in range(1, 6)] if split == "train" else ["test_batch.bin"]
    try:
        for file in files:
            check_file(folder / file)
        data = b"".join((folder / file).read_bytes() for file in files)
        names = (folder / "batches.meta.txt").read_text().split()
    except OSError as error:
        raise RunError(f"source cifar10: {error}; unpack cifar-10-binary.tar.gz again") from error
    if not data or len(data) % 3073:
        raise RunError(f"source cifar10: the files of {folder} are not whole records; unpack cifar-10-binary.tar.gz again")
    records = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    labels = records[:, 0].tolist()
    if max(labels) >= len(names):
        raise RunError(f"source cifar10: a label in {folder} exceeds the {len(names)} classes of batches.meta.txt")
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels, names


@dataclass(frozen=True)
class STL10(Source):
    """STL-10, 96×96 pictures of ten classes, read by torchvision and taken evenly from the classes as those of `cifar10`.

    Errors: RunError if `path` does not hold the folder stl10_binary with the split's files.

    Fields:
        path: folder that holds stl10_binary
        split: train or test
        classes: take these alone; null: all
        limit: take at most this many; null: all
        offset: leave out this many first
        user: who sends them; the pictures of one user are a sequence and share a knowledge base
    """

    reference: ClassVar[str] = (
        "A. Coates, H. Lee, A. Y. Ng, An analysis of single-layer networks in unsupervised feature learning, 2011"
    )
    cites: ClassVar[tuple[str, ...]] = ("coates2011analysis",)
    tried_with = ({"path": "{folder}"},)

    path: str
    split: Literal["train", "test"] = "test"
    classes: tuple[str, ...] | None = None
    limit: Count | None = None
    offset: Count = 0
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        from torchvision.datasets import STL10 as Files

        class Unchecked(Files):
            """Files of one split are enough, and may be a part of the published ones."""

            def _check_integrity(self) -> bool:
                return True

        root = Path(self.path).expanduser()
        try:
            data = Unchecked(str(root), split=self.split)
        except (OSError, RuntimeError, ValueError) as error:
            raise RunError(
                f"source stl10: {root} must hold stl10_binary with {self.split}_X.bin, {self.split}_y.bin and "
                f"class_names.txt: {error}"
            ) from error
        queues: dict[str, list[Sample]] = {name: [] for name in sorted(self.classes or data.classes)}
        for pixels, label in zip(data.data, data.labels, strict=True):
            name = data.classes[label]
            if name in queues:
                image = np.ascontiguousarray(pixels.transpose(1, 2, 0))
                queues[name].append(Sample(f"{name}/{len(queues[name]):04d}", self.user, image=image, label=name))
        rounds = itertools.zip_longest(*queues.values())
        order = (item for one_of_each in rounds for item in one_of_each if item is not None)
        return list(itertools.islice(order, self.offset, None if self.limit is None else self.offset + self.limit))
