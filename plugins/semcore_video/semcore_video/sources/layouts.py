"""Corpora of clips that are published as trees of folders: LRS2 (and LRS3), VoxCeleb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal

from semcore import SourceError
from semcore.media import read_text, written
from semcore_video.sources.clips import ENDINGS, Clips
from semcore_video.sources.transcripts import Transcript

TEXT = "Text:"
"""Begins the line of a transcript that holds its words."""


def listed(file: Path) -> list[str]:
    """The clips that a list names, one in a line: the column with a slash, without its ending.

    Raises:
        SourceError: a line names none
    """
    found = []
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        names = [column for column in line.replace(",", " ").split() if "/" in column]
        if not names or ".." in names[0].split("/"):
            raise SourceError([f"{file}:{number}: {line.strip()!r} does not name a clip"])
        head, _, name = names[0].strip("/").rpartition("/")
        found.append(f"{head}/{name.partition('.')[0]}")
    return found


def below(place: Path) -> dict[str, Path]:
    """Path below a folder, without its ending -> the video; sorted."""
    files = (path for path in place.rglob("*") if path.suffix.lower() in ENDINGS)
    found = {path.relative_to(place).with_suffix("").as_posix(): path for path in files}
    return {name: found[name] for name in sorted(found) if not name.startswith(".")}


@dataclass(frozen=True)
class LRS2(Clips):
    """Clips of LRS2, or in its layout: `main/ID/NNNNN.mp4` (and `pretrain/`), with the words in
    `NNNNN.txt` beside it.

    A transcript has the line `Text: WORDS`; a table `WORD START END ...` below it, as in
    `pretrain/` and in LRS3, gives the times of the words for `segment_s`. Each clip is a user, and
    `ID/NNNNN` is its name.

    Fields:
        path: folder with main/ (and pretrain/) and the lists of the splits, or a folder of
            ID/NNNNN.mp4
        split: train, val or test: the clips of main/ that split.txt beside it names; pretrain:
            those of pretrain/; all: every clip of main/, or of `path` if it has no main/
    """

    reference: ClassVar[str] = (
        "T. Afouras, J. S. Chung, A. Senior, O. Vinyals, A. Zisserman, Deep audio-visual speech "
        "recognition, IEEE Trans. Pattern Anal. Mach. Intell., 2018"
    )
    cites: ClassVar[tuple[str, ...]] = ("afouras2018deep",)

    split: Literal["train", "val", "test", "pretrain", "all"] = "test"

    def videos(self) -> list[Path]:
        root = Path(self.path).expanduser()
        place = root / ("pretrain" if self.split == "pretrain" else "main")
        place = place if place.is_dir() or self.split != "all" else root
        if not place.is_dir():
            raise SourceError([f"there is no folder {place}"])
        there = below(place)
        names = list(there)
        if self.split not in ("pretrain", "all"):
            names = _of_list(root / f"{self.split}.txt", there, place)
        if not names:
            raise SourceError([f"{place} contains no video ID/NNNNN.mp4"])
        return [there[name] for name in names[: self.limit]]

    def names(self, videos: Sequence[Path]) -> dict[Path, tuple[str, str]]:
        users = {path: _named(path, 2) for path in videos}
        return {path: (user, user) for path, user in users.items()}

    def unplaced(self) -> Clips:
        return replace(self, path="", limit=None, split="all")

    def transcript(self, path: Path) -> Transcript:
        place = path.with_suffix(".txt")
        if not place.exists():
            return Transcript(None)
        text, times = None, []
        for line in read_text(place).splitlines():
            columns = line.split()
            if line.startswith(TEXT):
                text = " ".join(columns[1:])
            elif len(columns) >= 3 and _number(columns[1]) and _number(columns[2]):
                times.append((float(columns[1]), float(columns[2]), columns[0]))
        if text is None:
            raise SourceError([f"{place} has no line '{TEXT} WORDS'"])
        return Transcript(text, times or None)


@dataclass(frozen=True)
class VoxCeleb(Clips):
    """Videos of VoxCeleb, or in its layout: `SPEAKER/VIDEO/SEGMENT.mp4`.

    A speaker is a user, with the clips in the order of their names, and the label of the samples.
    The words are unknown, unless `SEGMENT.txt` is beside the clip. Only videos are read: `.wav` and
    `.m4a` are sound without pictures.

    Fields:
        path: folder of speakers, or one that contains it as mp4/
        clips: a list, one clip in a line, of which the column SPEAKER/VIDEO/SEGMENT is taken, with
            or without an ending; null: all clips
    """

    reference: ClassVar[str] = (
        "J. S. Chung, A. Nagrani, A. Zisserman, VoxCeleb2: Deep speaker recognition, Interspeech, "
        "2018"
    )
    cites: ClassVar[tuple[str, ...]] = ("chung2018voxceleb2",)

    clips: str | None = None

    def videos(self) -> list[Path]:
        root = Path(self.path).expanduser()
        if not root.is_dir():
            raise SourceError([f"there is no folder {root}"])
        place = root / "mp4" if (root / "mp4").is_dir() else root
        there = {name: path for name, path in below(place).items() if name.count("/") == 2}
        if not there:
            sounds = any(path.suffix in (".wav", ".m4a") for path in root.rglob("*/*/*"))
            raise SourceError(
                [
                    f"{place} contains no video SPEAKER/VIDEO/SEGMENT.mp4"
                    + (", only sound without pictures" if sounds else "")
                ]
            )
        names: Sequence[str] = list(there)
        if self.clips is not None:
            names = _of_list(Path(self.clips).expanduser(), there, place, "clips")
        return [there[name] for name in names[: self.limit]]

    def names(self, videos: Sequence[Path]) -> dict[Path, tuple[str, str]]:
        return {path: (written(path.parents[1].name), _named(path, 3)) for path in videos}

    def label_of(self, path: Path) -> str | None:
        return written(path.parents[1].name)

    def unplaced(self) -> Clips:
        return replace(self, path="", limit=None, clips=None)


def _named(path: Path, parts: int) -> str:
    """The last parts of a path, without its ending."""
    return written("/".join(path.with_suffix("").parts[-parts:]))


def _of_list(file: Path, there: dict[str, Path], place: Path, setting: str = "path") -> list[str]:
    """The clips of a list, all of which are there."""
    if not file.is_file():
        raise SourceError([f"there is no list {file}"], setting)
    names = listed(file)
    if missing := [name for name in names if name not in there]:
        raise SourceError(
            [
                f"{len(missing):,} of the {len(names):,} clips of {file} are missing in {place}: "
                f"{', '.join(missing[:3])}"
            ],
            setting,
        )
    return names


def _number(text: str) -> bool:
    try:
        return float(text) >= 0
    except ValueError:
        return False
