"""Rows of a data set, read by Hugging Face `datasets` from its own formats; no code that comes with
a data set is run."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from semcore import Rng, SourceError, extra
from semcore.media import read_picture
from semcore_image.pixels import fit
from semcore_image.sources.dataset_files import SplitFiles
from semcore_image.sources.files import FORMATS, pixels_of
from semcore_image.sources.order import Item, taken

BUFFER = 1000
"""Rows of a stream among which a shuffle chooses the next."""


def library() -> Any:
    """The package `datasets`.

    Raises:
        RunError: it is not installed
    """
    with extra("semcore-image[datasets]", "the source datasets needs datasets"):
        import datasets
    return datasets


@dataclass(frozen=True)
class Columns:
    """The columns that samples are made of; None: none."""

    image: str | None
    label: str | None
    text: str | None

    @property
    def used(self) -> list[str]:
        """Their names, each once."""
        return list(dict.fromkeys(one for one in (self.image, self.label, self.text) if one))


@dataclass(frozen=True)
class Selection:
    """Which rows are taken, and in what order, as `order.taken` chooses them."""

    limit: int | None = None
    offset: int = 0
    shuffle: int | None = None


class Rows(Protocol):
    """The rows that are taken, by their place among them."""

    names: Sequence[str] | None
    """Of the classes, if the labels are numbers of classes."""
    numbers: Sequence[int]
    """Of the rows, in the data set."""

    def __getitem__(self, at: int) -> Mapping[str, Any]: ...


class Table:
    """Rows in files that are mapped into memory."""

    def __init__(self, data: Any, names: Sequence[str] | None, chosen: Selection) -> None:
        self._data, self.names = data, names
        numbers = range(len(data))
        self.numbers: Sequence[int] = taken(numbers, chosen.limit, chosen.offset, chosen.shuffle)

    def __getitem__(self, at: int) -> Mapping[str, Any]:
        return self._data[self.numbers[at]]


class Stream:
    """Rows that are read one after the other; an earlier one is read from the start again."""

    def __init__(self, data: Any, names: Sequence[str] | None, chosen: Selection) -> None:
        self._data, self.names, self._chosen = data, names, chosen
        self._rows: Iterator[tuple[int, Mapping[str, Any]]] = iter(())
        self._at = -1
        self.numbers: Sequence[int] = [number for number, _ in self._all()]

    def __getitem__(self, at: int) -> Mapping[str, Any]:
        if self._at < 0 or at < self._at:
            self._rows, self._at = self._all(), 0
        while self._at < at:
            next(self._rows)
            self._at += 1
        self._at += 1
        return next(self._rows)[1]

    def _all(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        limit, offset = self._chosen.limit, self._chosen.offset
        rows: Iterator[tuple[int, Mapping[str, Any]]] = enumerate(self._data)
        if self._chosen.shuffle is not None:
            rows = _shuffled(rows, self._chosen.shuffle)
        return itertools.islice(rows, offset, None if limit is None else offset + limit)


def _shuffled(rows: Iterable[Item], seed: int) -> Iterator[Item]:
    """Rows in an order by seed, each drawn from the next `BUFFER`."""
    rng, held = Rng(seed).at("shuffle").numpy(), list[Item]()
    for row in rows:
        if len(held) < BUFFER:
            held.append(row)
            continue
        place = int(rng.integers(BUFFER))
        yield held[place]
        held[place] = row
    yield from (held[place] for place in rng.permutation(len(held)))


def open_rows(
    files: SplitFiles,
    places: Sequence[str],
    wanted: Columns,
    where: str,
    chosen: Selection,
    stream: bool = False,
) -> tuple[Rows, Columns]:
    """Rows of a split, pictures as their bytes, and the columns in use.

    Args:
        places: of the files: paths, or addresses on a hub
        wanted: columns; None: found by their types
        where: the data set, for messages
        stream: whether rows are read one after the other

    Raises:
        SourceError: the files cannot be read, or lack a column
    """
    datasets = library()
    settings: dict[str, Any] = {"sep": "\t"} if files.names[0].endswith(".tsv") else {}
    with _quiet(), explained(where):
        data: Any = datasets.load_dataset(
            files.reader,
            data_files={"rows": list(places)},
            split="rows",
            streaming=stream,
            **settings,
        )
        if data.features is None:
            data = data._resolve_features()  # of a stream, from its first rows
    columns = _columns(data.features, wanted, where)
    label = data.features.get(columns.label) if columns.label else None
    names = getattr(label, "names", None)
    data = data.select_columns(columns.used)
    if columns.image and isinstance(data.features[columns.image], datasets.Image):
        data = data.cast_column(columns.image, datasets.Image(decode=False))
    with _quiet(), explained(where):
        return (Stream if stream else Table)(data, names, chosen), columns


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars."""
    logging = library().utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextlib.contextmanager
def explained(where: str) -> Iterator[None]:
    """Around calls of the library, which raises anything where files are damaged or a connection
    breaks: its errors in one line, as SourceError."""
    try:
        yield
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        raise SourceError([f"{where} cannot be read: {lines[0]}"]) from error


def _columns(features: Mapping[str, Any], wanted: Columns, where: str) -> Columns:
    """The columns in use, those that are not named by their types.

    Raises:
        SourceError: a column is missing or cannot be what it is wanted for
    """
    datasets = library()
    for setting in ("image", "label", "text"):
        name = getattr(wanted, setting)
        if name and name not in features:
            raise SourceError(
                [f"{where} has no column {name!r}"], setting, f"there are {', '.join(features)}"
            )
    pictures = [name for name, kind in features.items() if _pictures(kind)]
    image, label = wanted.image, wanted.label
    if image is None and not (wanted.text and not pictures):
        if len(pictures) != 1:
            found = f"several columns of pictures: {', '.join(pictures)}"
            raise SourceError(
                [f"{where} has {found if pictures else 'no column of pictures'}"],
                "image",
                f"set image (or text): one of {', '.join(features)}",
            )
        image = pictures[0]
    if label is None:
        classes = [n for n, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
        label = classes[0] if len(classes) == 1 else None
    return Columns(image, label, wanted.text)


def _pictures(kind: Any) -> bool:
    """Whether values of a type are pictures: those that say so, or bytes with the path of a
    file."""
    datasets = library()
    return isinstance(kind, datasets.Image) or (
        isinstance(kind, Mapping) and {"bytes", "path"} <= kind.keys()
    )


def pixels(value: Any, size: tuple[int, int] | None, paths: bool) -> np.ndarray:
    """The pixels of a picture in a row, uint8 (H, W, 3).

    Args:
        size: (height, width); None: unchanged
        paths: whether it may be in a file that the row names

    Raises:
        OSError: it cannot be read
    """
    data, path = value, None
    if isinstance(value, Mapping):
        data, path = value.get("bytes"), value.get("path")
    if data is None and path and paths:
        return pixels_of(Path(path), size)
    if not isinstance(data, (bytes, bytearray)):
        held = "names a file and does not hold the picture" if path else "holds no picture"
        raise OSError(f"the row {held}")
    try:
        picture = read_picture(io.BytesIO(data), FORMATS)
    except OSError as error:
        raise OSError(error.strerror or str(error)) from error
    except (Exception, Image.DecompressionBombError) as error:  # Pillow may raise anything
        raise OSError(f"it is damaged: {type(error).__name__}: {error}") from error
    return np.array(fit(picture, size) if size else picture)


def word(value: Any, names: Sequence[str] | None) -> str | None:
    """The label of a row: the name of its class, or its value as text; None if it is unknown."""
    if value is None or (names is not None and value == -1):
        return None
    return names[value] if names is not None else str(value)
