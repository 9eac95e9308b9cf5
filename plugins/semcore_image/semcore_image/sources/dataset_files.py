"""Which files of a folder or of a repository on a hub make up a split of a data set.

The rules are those of Hugging Face `datasets`: the card (`README.md`) may list the files of each
configuration and split; without that, a split is recognised by words in the names of files, or else
of folders. Only names are looked at, so that the rules hold before anything is downloaded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from semcore import SourceError
from semcore_image.sources.files import SUFFIXES

FORMATS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".tar": "webdataset",
    ".jsonl": "json",
    ".json": "json",
    ".csv": "csv",
    **dict.fromkeys(SUFFIXES, "imagefolder"),
}
"""Ending of a file -> the reader of `datasets` for it."""
ARCHIVES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
METADATA = re.compile(r"(^|/)metadata\.(csv|jsonl|parquet)$")
"""Files that describe the pictures of a folder."""
ABOUT = {"dataset_info.json", "dataset_infos.json", "state.json", "dataset_dict.json"}
"""Files about a data set, which are none of its data."""
WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
"""Split -> words in a name by which it is recognised."""
SHARD = re.compile(r"(?:^|/)(\w+?)-(\d{5})-of-(\d{5})[^/]*$")
"""A part of a split: its name, its number, and the number of parts."""


@dataclass(frozen=True)
class SplitFiles:
    """The files of a split.

    Fields:
        reader: of `datasets`
        names: of the files
    """

    reader: str
    names: tuple[str, ...]


def split_files(
    names: Sequence[str], card: str, config: str | None, split: str, where: str
) -> SplitFiles:
    """The files of a split.

    Args:
        names: of all files, relative to the folder, with slashes
        card: the text of README.md, or ""
        config: configuration (subset) of the data set; None: the only or the default one
        where: the data set, for messages

    Raises:
        SourceError: there is no such configuration or split (with those that there are), or there
            are no files that are read
    """
    known = [
        name
        for name in names
        if _format(name)
        and name.rpartition("/")[2] not in ABOUT
        and not any(part.startswith(".") for part in name.split("/"))
    ]
    if not known:
        raise SourceError([f"{where} {_why_nothing(names)}"])
    splits = _listed(known, card, config, where) or _recognised(_of_config(known, config, where))
    if split not in splits:
        raise SourceError(
            [f"{where} has no split {split!r}"],
            "split",
            f"there {'are' if len(splits) > 1 else 'is'} {', '.join(splits)}",
        )
    chosen = splits[split]
    counted = Counter(_format(name) for name in chosen if not METADATA.search(name))
    reader = counted.most_common(1)[0][0] if counted else ""
    used = [name for name in chosen if _format(name) == reader]
    if reader == "imagefolder":
        used += [name for name in known if METADATA.search(name) and name not in used]
    if not used:
        raise SourceError([f"the split {split!r} of {where} has no files that are read"], "split")
    _check_parts(used, where)
    return SplitFiles(reader, tuple(used))


def _format(name: str) -> str:
    return FORMATS.get(f".{name.rpartition('.')[2].lower()}", "") if "." in name else ""


def _why_nothing(names: Sequence[str]) -> str:
    """Why there is nothing to read."""
    if not names:
        return "holds no files"
    if any(name.endswith(".py") for name in names):
        return (
            "consists of a loading script, which is not run: many of these have a copy as Parquet, "
            "by `revision: refs/convert/parquet`"
        )
    if any(name.lower().endswith(ARCHIVES) for name in names):
        return "consists of archives: unpack them into a folder, and name that"
    formats = ", ".join(dict.fromkeys(FORMATS.values()))
    return f"holds no files of the formats {formats}"


def _listed(
    names: Sequence[str], card: str, config: str | None, where: str
) -> dict[str, list[str]]:
    """Split -> files, as the card lists them; empty if it does not."""
    configs = [one for one in _front(card).get("configs") or () if isinstance(one, Mapping)]
    if not configs:
        return {}
    known = [str(one.get("config_name", "default")) for one in configs]
    if config is None:
        chosen = [one for one in configs if one.get("default")]
        chosen = chosen or [one for one in configs if one.get("config_name") == "default"]
        chosen = chosen or (configs if len(configs) == 1 else [])
        if not chosen:
            raise SourceError(
                [f"{where} has several configurations"], "config", f"set config: {_any(known)}"
            )
    else:
        chosen = [one for one, name in zip(configs, known, strict=True) if name == config]
        if not chosen:
            raise SourceError(
                [f"{where} has no configuration {config!r}"], "config", f"there is {_any(known)}"
            )
    folder = str(chosen[0].get("data_dir") or "").strip("./")
    inside = f"{folder}/" if folder else ""
    files = chosen[0].get("data_files")
    if files is None:
        return _recognised([name for name in names if name.startswith(inside)])
    entries = files if isinstance(files, list) else [files]
    if not all(isinstance(one, Mapping) for one in entries):
        entries = [{"split": "train", "path": entries}]
    elif entries and "path" not in entries[0]:
        entries = [{"split": key, "path": value} for key, value in entries[0].items()]
    found: dict[str, list[str]] = {}
    for one in entries:
        patterns = one.get("path")
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            fits = re.compile(_translated(inside + str(pattern).removeprefix("./")))
            found.setdefault(str(one.get("split", "train")), []).extend(
                name for name in names if fits.fullmatch(name)
            )
    return {split: sorted(set(files)) for split, files in found.items() if files}


def _any(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return f"one of {shown}{', ...' if len(names) > 12 else ''}" if len(names) > 1 else shown


def _front(card: str) -> Mapping[str, Any]:
    """The front matter of a card."""
    match = re.match(r"---\s*\n(.*?)\n---", card, re.DOTALL)
    try:
        found = yaml.safe_load(match[1]) if match else None
    except (yaml.YAMLError, ValueError, RecursionError):
        found = None
    return found if isinstance(found, Mapping) else {}


def _translated(pattern: str) -> str:
    """A pattern of names as a regular expression: `*` does not match a slash, `**` does."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]*\]|\{[^{}]*\})", pattern)
    special = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    found = ""
    for part in parts:
        if part.startswith("[") and len(part) > 2:
            found += part.replace("[!", "[^").replace("\\", "\\\\")
        elif part.startswith("{"):
            found += f"(?:{'|'.join(map(re.escape, part[1:-1].split(',')))})"
        else:
            found += special.get(part, re.escape(part))
    return found


def _of_config(names: Sequence[str], config: str | None, where: str) -> Sequence[str]:
    """The files of a configuration that is a folder, where the card lists none."""
    if config is None:
        return names
    inside = [name for name in names if name.startswith(f"{config.strip('/')}/")]
    if not inside:
        folders = sorted({name.partition("/")[0] for name in names if "/" in name})
        raise SourceError(
            [f"{where} has no configuration {config!r}, and no folder of that name"],
            "config",
            f"there is {_any(folders)}" if folders else "remove it",
        )
    return inside


def _recognised(names: Sequence[str]) -> dict[str, list[str]]:
    """Split -> files, by their names."""
    shards: dict[str, list[str]] = {}
    for name in names:
        if match := SHARD.search(name):
            shards.setdefault(_known_as(match[1]), []).append(name)
    if shards and set(shards) != {"data"}:
        return {split: sorted(files) for split, files in _in_order(shards).items()}
    pictures = any(_format(name) == "imagefolder" for name in names)
    # the names of files, or else of folders; pictures may have any name
    for part in (0, 2) if pictures else (2, 0):
        found: dict[str, list[str]] = {}
        for name in names:
            text = name.rpartition("/")[part]
            if (split := _word(text if part == 0 else text.rpartition(".")[0])) is not None:
                found.setdefault(split, []).append(name)
        if found:
            return {split: sorted(files) for split, files in _in_order(found).items()}
    return {"train": sorted(names)}


def _in_order(splits: Mapping[str, list[str]]) -> dict[str, list[str]]:
    known = [split for split in WORDS if split in splits]
    return {split: splits[split] for split in [*known, *sorted(splits.keys() - known)]}


def _known_as(name: str) -> str:
    return next((split for split, words in WORDS.items() if name in words), name)


def _word(text: str) -> str | None:
    """The split that a name states by a word of its own."""
    parts = set(re.split(r"[-._/ 0-9]+", text))
    return next((split for split, words in WORDS.items() if parts & set(words)), None)


def _check_parts(names: Sequence[str], where: str) -> None:
    """Refuse a split of which a numbered part is absent.

    Raises:
        SourceError: naming it
    """
    groups: dict[tuple[str, str], set[int]] = {}
    for name in names:
        if match := SHARD.search(name):
            groups.setdefault((name[: match.start(2)], match[3]), set()).add(int(match[2]))
    for (begin, count), numbers in groups.items():
        if absent := sorted(set(range(int(count))) - numbers):
            raise SourceError(
                [
                    f"{where} lacks {len(absent)} of the {int(count)} parts of a split: "
                    f"{begin}{absent[0]:05d}-of-{count}"
                ]
            )
