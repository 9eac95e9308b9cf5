"""Data sets by name: of a hub, or in local folders and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semcore import ComponentError, OnDemand, RunError, Sample, Source, SourceError, digest
from semcore.media import check_file, read_text
from semcore.models import HubFiles, listing, names_of, offline
from semcore_image.sources.dataset_files import SplitFiles, split_files
from semcore_image.sources.dataset_rows import (
    Columns,
    Rows,
    Selection,
    explained,
    open_rows,
    pixels,
    word,
)
from semcore_image.sources.folder import Side
from semcore_image.sources.order import Count

CARD = "README.md"


@dataclass(frozen=True)
class Dataset(Source):
    """A data set of the Hugging Face hub, or files in its formats: Parquet, Arrow, WebDataset
    (tar), a folder of pictures, JSON or CSV.

    `semcore fetch` downloads the files of the split; afterwards, and for local folders and files,
    nothing is asked of the network. Samples are read on demand. The id is `split/row`. The label is
    the name of the class. Pictures are decoded as by `image-folder`; a row of a table must hold
    them, and a folder of pictures may have `metadata.csv` or `metadata.jsonl` with more columns. No
    code that comes with a data set is run: sets that consist of a loading script are refused.

    A result depends on the commit of a data set of the hub, and on the content of local files.

    Errors: SourceError if the data set is not on this machine (with the command that fetches it), a
    split or a column is missing (with those that there are), or a picture cannot be read.

    Fields:
        path: name on the hub, or a folder or file
        split: such as train, validation or test
        config: configuration (subset) of the data set; null: the only or the default one
        image: column of pictures; null: the only one, or none if there is `text` and no picture
        label: column of labels; null: the only column of classes, if there is one
        text: column of texts, such as captions; null: none
        limit: maximum number of samples; null: all
        offset: number of samples to skip first
        shuffle: seed of a random order, before `offset` and `limit`; null: the order of the rows
        size: (height, width) that pictures are resized to, by a centre crop to the aspect ratio and
            Lanczos resampling; null: unchanged
        user: sender of the samples; samples of one user form a sequence and share a knowledge base
        streaming: whether rows are read one after the other, of a hub over the network, instead of
            from downloaded files; `shuffle` then draws each from the next 1,000 rows
        revision: branch, tag or commit on the hub; null: main
        cache_dir: folder of downloaded repositories; null: the hub's default
    """

    test_settings = ({"path": "{folder}"},)

    path: str
    split: str = "test"
    config: str | None = None
    image: str | None = None
    label: str | None = None
    text: str | None = None
    limit: Count | None = None
    offset: Count = 0
    shuffle: Count | None = None
    size: tuple[Side, Side] | None = None
    user: str = ""
    streaming: bool = False
    revision: str | None = None
    cache_dir: str | None = None

    def libraries(self) -> Mapping[str, str]:
        return {"datasets": "semcore-image[datasets]"}

    def check(self) -> None:
        if "[" in self.split:
            raise ComponentError(
                f"Dataset.split is the name of a split, not {self.split!r}: set offset and limit "
                "for a part of it"
            )

    @property
    def on_hub(self) -> bool:
        """Whether `path` is the name of a data set on a hub."""
        path = self.path
        return not (
            Path(path).expanduser().exists()
            or path.startswith((".", "/", "~"))
            or path.count("/") > 1
            or any(sign in path for sign in "*?[\\")
        )

    @property
    def where(self) -> str:
        """The data set, for messages."""
        return f"the data set {self.path}"

    def downloads(self) -> Sequence[HubFiles]:
        """What `semcore fetch` downloads for it."""
        if not self.on_hub or self.streaming:
            return []
        return [HubFiles(self.path, "dataset", self.revision, self.cache_dir, self.files_used)]

    def files_used(self, names: Sequence[str], read: Callable[[str], str]) -> list[str]:
        """Of the files of the repository, the card and those of the split.

        Args:
            read: gives the text of one of them
        """
        card = read(CARD) if CARD in names else ""
        found = split_files(names, card, self.config, self.split, self.where)
        return [*found.names, *([CARD] if card else [])]

    def missing(self) -> str:
        for wanted in self.downloads():
            snapshot = wanted.snapshot()
            fetch = f"fetch it with `semcore fetch` and this pipeline, or `{wanted.command()}`"
            if snapshot is None:
                return (
                    f"{self.where} is not on this machine, and the network was not asked: {fetch}"
                )
            try:
                used = self.files_used(names_of(wanted), _Cards(snapshot))
            except SourceError:
                return ""  # reading it says what is wrong
            if absent := [name for name in used if not (snapshot / name).is_file()]:
                return (
                    f"{len(absent)} of the {len(used)} files of {self.where} are not on this "
                    f"machine ({absent[0]}): {fetch}"
                )
        return ""

    def samples(self) -> Sequence[Sample]:
        files, places, commit = self._streamed() if self._remote else self._local()
        if self._remote:
            rows, columns = self._rows(files, places)
        else:
            with offline():  # the library would ask for news
                rows, columns = self._rows(files, places)
        names = [f"{self.split}/{number:06d}" for number in rows.numbers]
        paths = files.reader == "imagefolder"

        def read(at: int) -> Sample:
            return self._sample(rows, columns, at, names[at], paths)

        heads = [(name, self.user) for name in names]
        if not commit:
            return OnDemand(heads, read, [digest(read(at)) for at in range(len(names))])
        settings = digest(commit, self.config, self.split, columns, self.size, self.user)
        return OnDemand(heads, read, [digest(settings, number) for number in rows.numbers])

    @property
    def _remote(self) -> bool:
        return self.on_hub and self.streaming

    def _rows(self, files: SplitFiles, places: Sequence[str]) -> tuple[Rows, Columns]:
        return open_rows(
            files,
            places,
            Columns(self.image, self.label, self.text),
            self.where,
            Selection(self.limit, self.offset, self.shuffle),
            self.streaming,
        )

    def _local(self) -> tuple[SplitFiles, list[str], str]:
        """The files of the split, their places, and the commit of a downloaded data set."""
        root, commit = Path(self.path).expanduser(), ""
        if self.on_hub:
            if reason := self.missing():
                raise SourceError([reason])
            (wanted,) = self.downloads()
            commit, snapshot = wanted.commit(), wanted.snapshot()
            root, names = snapshot or root, names_of(wanted)
        elif root.is_dir():
            names = [
                place.relative_to(root).as_posix()
                for place in sorted(root.rglob("*"))
                if place.is_file()
            ]
        elif root.is_file():
            root, names = root.parent, [root.name]
            files = split_files(names, "", None, "train", self.where)
            return files, [str(root.absolute() / name) for name in files.names], ""
        else:
            raise SourceError([f"there is no folder or file {root}"])
        files = split_files(names, _card(root), self.config, self.split, self.where)
        return files, [str(root.absolute() / name) for name in files.names], commit

    def _streamed(self) -> tuple[SplitFiles, list[str], str]:
        """The files of the split as a hub lists them, their addresses, and the commit."""
        found = list[SplitFiles]()

        def used(names: Sequence[str], read: Callable[[str], str]) -> list[str]:
            card = read(CARD) if CARD in names else ""
            found.append(split_files(names, card, self.config, self.split, self.where))
            return []

        wanted = HubFiles(self.path, "dataset", self.revision, self.cache_dir, used)
        try:
            commit = listing(wanted).commit
        except SourceError:
            raise
        except RunError as error:
            raise SourceError([str(error)]) from error
        base = f"hf://datasets/{self.path}@{commit}"
        return found[0], [f"{base}/{name}" for name in found[0].names], commit

    def _sample(self, rows: Rows, columns: Columns, at: int, name: str, paths: bool) -> Sample:
        with explained(self.where):
            row: Any = rows[at]
        image = None
        if columns.image:
            try:
                image = pixels(row[columns.image], self.size, paths)
            except OSError as error:
                raise SourceError(
                    [
                        f"the picture in row {rows.numbers[at]} of {self.where} cannot be read: "
                        f"{error}"
                    ],
                    "image",
                ) from error
        text = row[columns.text] if columns.text else None
        if text is not None and not isinstance(text, str):
            raise SourceError(
                [f"the column {columns.text!r} of {self.where} holds {type(text).__name__}, not "
                 "text"],
                "text",
            )  # fmt: skip
        label = word(row[columns.label], rows.names) if columns.label else None
        return Sample(name, self.user, image=image, text=text, label=label)


@dataclass(frozen=True)
class _Cards:
    """Reads the card in a folder."""

    folder: Path

    def __call__(self, name: str) -> str:
        return _card(self.folder)


def _card(root: Path) -> str:
    """The text of the card in a folder, or ""."""
    try:
        check_file(root / CARD)
        return read_text(root / CARD)
    except (OSError, ComponentError):
        return ""
