"""Pictures from disk."""

from __future__ import annotations

import functools
import itertools
import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from PIL import Image

from semcore.component.digest import digest
from semcore.errors import RunError, SourceError
from semcore.interfaces import Source
from semcore.media.pictures import check_file, read_picture, written
from semcore.types import OnDemand, Sample
from semcore_image.codecs.base import register_heif
from semcore_image.pixels import fit

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
"""Pillow's names of the formats that are read; HEIF is one more, which is registered when a file is one."""
SUFFIXES = frozenset(
    ".png .apng .jpg .jpeg .jpe .jfif .webp .bmp .dib .gif .tif .tiff .ppm .pgm .pbm .pnm .heic .heif .hif .avif".split()
)
FOREIGN = frozenset(".jxl .jp2 .j2k .jpx .psd .tga .exr .hdr .dng .cr2 .cr3 .nef .arw .raf .orf .rw2".split())
"""Of pictures in formats that are not read: they are named, for nobody wants them to be left out in silence."""

BINARY = "cifar-10-batches-bin"
WANTED = (
    "name the folder above them, and unpack cifar-10-binary.tar.gz there: the Python version, cifar-10-batches-py, is pickle "
    "files, which are not opened"
)

Side = Annotated[int, Ge(1)]
Count = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class Entry:
    """A picture that is read when it is needed.

    Fields:
        id: of the sample
        read: gives its pixels, uint8 (H, W, 3), or raises OSError with the reason why it cannot
        label: its class
        name: the file below the folder of the source, for messages
    """

    id: str
    read: Callable[[], np.ndarray]
    label: str | None
    name: str = ""


def on_demand(entries: Sequence[Entry], user: str, root: Path, skip: bool = False) -> OnDemand:
    """The samples of pictures, each of which is read when it is needed, and once now: a run must not stop in the middle.

    Args:
        user: who sends them
        root: folder of the source
        skip: whether pictures that cannot be read are left out, and counted

    Raises:
        SourceError: naming every picture that cannot be read, unless they are left out; or there is not one that can
    """
    kept, digests, wrong = list[Entry](), list[str](), list[tuple[str, str]]()

    def sample(entry: Entry) -> Sample:
        return Sample(entry.id, user, image=entry.read(), label=entry.label)

    for entry in entries:
        try:
            digests.append(digest(sample(entry)))
            kept.append(entry)
        except OSError as error:
            wrong.append((entry.name, str(error)))
    if wrong and not (skip and kept):
        reasons = [f"the picture {root / name} cannot be read: {reason}" for name, reason in wrong]
        raise SourceError(reasons, hint="repair or remove it" if skip else "repair or remove it, or set on_error: skip")
    return OnDemand([(entry.id, user) for entry in kept], lambda at: sample(kept[at]), digests, wrong)


@dataclass(frozen=True)
class ImageFolder(Source):
    """The pictures of a folder and its subfolders, sorted by path, each read when it is needed.

    The id is the path below the folder without its suffix; where two files differ in nothing but the suffix,
    it is kept. The label is the name of the subfolder that a picture lies in. Pictures become 8-bit sRGB, by
    their embedded colour profile if they have one, upright as their EXIF data says, their transparent parts on
    white; of an animation the first frame is taken. The content of a file says what it is, not its name. Hidden
    files are left out. A picture whose values are floating-point numbers or 32-bit ones cannot be read: nothing
    says which of them are black and white.

    Errors: SourceError, which `semcore check` finds, if the folder is missing or empty, or if a picture cannot be
    read or is larger than 67 megapixels or 512 MiB.

    Fields:
        path: folder of .png .jpg .jpeg .jpe .jfif .webp .avif .heic .heif .bmp .gif .tif .tiff .ppm .pgm .pbm files
        limit: take at most this many; null: all
        offset: leave out this many first
        size: (height, width) that each picture is brought to, by a centred crop to the aspect and Lanczos
            resampling;
            null: as they are
        user: who sends them; the pictures of one user are a sequence and share a knowledge base
        on_error: what becomes of a picture that cannot be read, after `limit` and `offset` have chosen: `stop`,
            nothing is run; `skip`, it is left out, and result and report say how many were
    """

    test_settings = ({"path": "{folder}"},)

    path: str
    limit: Count | None = None
    offset: Count = 0
    size: tuple[Side, Side] | None = None
    user: str = ""
    on_error: Literal["stop", "skip"] = "stop"

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        names = sorted(pictures_below(root))
        if not names:
            raise SourceError([f"{root} holds no pictures ({' '.join(sorted(SUFFIXES))})"])
        stems = Counter(name.with_suffix("") for name in names)
        chosen = itertools.islice(names, self.offset, None if self.limit is None else self.offset + self.limit)
        entries = [
            Entry(
                written((name.with_suffix("") if stems[name.with_suffix("")] == 1 else name).as_posix()),
                functools.partial(_pixels, root / name, self.size),
                written(name.parent.name) or None,
                written(name.as_posix()),
            )
            for name in chosen
        ]
        return on_demand(entries, self.user, root, self.on_error == "skip")


def folder(path: str) -> Path:
    """The folder at a path.

    Raises:
        SourceError: it is not there, or is not a folder; a path that is meant as a pattern is named as such
    """
    root = Path(path).expanduser()
    if root.is_dir():
        return root
    if root.exists():
        raise SourceError([f"{root} is a file, and a folder is wanted"], hint=f"write {root.parent}")
    if any(sign in path for sign in "*?["):
        above = next((one for one in root.parents if not any(sign in str(one) for sign in "*?[")), Path("."))
        raise SourceError(
            [f"{path} is a pattern, and a folder is wanted"], hint=f"write {above}: its pictures are found, in subfolders too"
        )
    inside = f" in {Path.cwd()}" if not root.is_absolute() else ""
    raise SourceError([f"there is no folder {root}{inside}"])


def pictures_below(root: Path) -> Iterator[Path]:
    """The pictures below a folder by their names, relative to it, without hidden files and folders.

    Raises:
        SourceError: a folder cannot be looked into
    """

    def stop(error: OSError) -> None:
        raise SourceError([f"the folder {error.filename} cannot be read: {error.strerror}"])

    for place, folders, files in os.walk(root, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES | FOREIGN:
                yield Path(place, name).relative_to(root)


def read_file(path: Path) -> Image.Image:
    """A picture file as RGB.

    Raises:
        RunError: it cannot be read
    """
    try:
        return _decoded(path)
    except OSError as error:
        raise RunError(f"the picture {path} cannot be read: {error}; repair or remove it") from error


def _decoded(path: Path) -> Image.Image:
    """A picture file as RGB; OSError with the reason if it cannot be read."""
    if path.suffix.lower() in FOREIGN:
        raise OSError(f"files of the format {path.suffix} are not read; convert it to PNG")
    try:
        formats: tuple[str, ...] = FORMATS
        if _is_heif(path):
            register_heif()
            formats = (*FORMATS, "HEIF")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that are damaged, where the picture is not
            return read_picture(path, formats)
    except OSError as error:
        raise OSError(error.strerror or str(error)) from error
    except Exception as error:  # a malformed file can raise anything; every one means that it cannot be read
        raise OSError(f"it is damaged: {type(error).__name__}: {error}") from error


def _is_heif(path: Path) -> bool:
    """Whether a file is made of the boxes of ISO/IEC 14496-12, as HEIF and AVIF are."""
    check_file(path)
    with open(path, "rb") as file:
        return file.read(12)[4:8] == b"ftyp"


def _pixels(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    picture = _decoded(path)
    return np.array(fit(picture, size) if size else picture)


@dataclass(frozen=True)
class CIFAR10(Source):
    """CIFAR-10, 32×32 pictures of ten classes, taken evenly from the classes.

    The order is: the first picture of each class (classes in alphabetical order), then the second of each,
    and so on; `offset` and `limit` cut from that order, so that any `limit` holds every class equally often,
    give or take one. The id is class/name.

    `path` may hold `<split>/<class>/*.png|jpg`, or `cifar-10-batches-bin` (the binary version). The Python
    version is pickle files, which can do anything when they are opened, and are not.

    Errors: SourceError if `path` holds neither or a file is damaged.

    Fields:
        path: folder of the data set
        split: train or test
        limit: take at most this many; null: all
        offset: leave out this many first
        user: who sends them; the pictures of one user are a sequence and share a knowledge base
    """

    reference: ClassVar[str] = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
    cites: ClassVar[tuple[str, ...]] = ("krizhevsky2009learning",)
    test_settings = ({"path": "{folder}"},)

    path: str
    split: Literal["train", "test"] = "test"
    limit: Count | None = None
    offset: Count = 0
    user: str = ""

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        if (root / self.split).is_dir():
            classes = self._folders(root / self.split)
        elif (root / BINARY).is_dir():
            classes = self._arrays(*read_binary(root / BINARY, self.split))
        else:
            raise SourceError([f"{root} holds neither {self.split}/<class>/ nor {BINARY}/"], hint=WANTED)
        rounds = itertools.zip_longest(*(classes[label] for label in sorted(classes)))
        order = (item for one_of_each in rounds for item in one_of_each if item is not None)
        chosen = itertools.islice(order, self.offset, None if self.limit is None else self.offset + self.limit)
        return on_demand(list(chosen), self.user, root)

    @staticmethod
    def _folders(root: Path) -> dict[str, list[Entry]]:
        classes = {place.name: place for place in root.iterdir() if place.is_dir()}
        return {
            label: [
                Entry(f"{label}/{path.stem}", functools.partial(_pixels, path), label, f"{root.name}/{label}/{path.name}")
                for path in sorted(place.iterdir())
                if path.suffix.lower() in SUFFIXES and not path.is_dir()
            ]
            for label, place in classes.items()
        }

    @staticmethod
    def _arrays(images: np.ndarray, labels: Sequence[int], names: Sequence[str]) -> dict[str, list[Entry]]:
        classes: dict[str, list[Entry]] = defaultdict(list)
        for image, label in zip(images, labels, strict=True):
            name = names[label]
            classes[name].append(Entry(f"{name}/{len(classes[name]):04d}", image.copy, name))
        return classes


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
        raise SourceError([str(error)], hint="unpack cifar-10-binary.tar.gz again") from error
    if not data or len(data) % 3073:
        raise SourceError([f"the files of {folder} are not whole records"], hint="unpack cifar-10-binary.tar.gz again")
    records = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    labels = records[:, 0].tolist()
    if max(labels) >= len(names):
        raise SourceError([f"a label in {folder} exceeds the {len(names)} classes of batches.meta.txt"])
    return records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels, names


@dataclass(frozen=True)
class STL10(Source):
    """STL-10, 96×96 pictures of ten classes, read by torchvision and taken evenly from the classes as those of `cifar10`.

    Errors: SourceError if `path` does not hold the folder stl10_binary with the split's files.

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
    test_settings = ({"path": "{folder}"},)

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
            files = f"{self.split}_X.bin, {self.split}_y.bin and class_names.txt"
            raise SourceError([f"{root} must hold stl10_binary with {files}: {error}"]) from error
        queues: dict[str, list[Entry]] = {name: [] for name in sorted(self.classes or data.classes)}
        for pixels, label in zip(data.data, data.labels, strict=True):
            name = data.classes[label]
            if name in queues:
                read = functools.partial(np.ascontiguousarray, pixels.transpose(1, 2, 0))
                queues[name].append(Entry(f"{name}/{len(queues[name]):04d}", read, name))
        rounds = itertools.zip_longest(*queues.values())
        order = (item for one_of_each in rounds for item in one_of_each if item is not None)
        chosen = itertools.islice(order, self.offset, None if self.limit is None else self.offset + self.limit)
        return on_demand(list(chosen), self.user, root)
