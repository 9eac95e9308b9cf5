"""The data files that packages read from beside their modules."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from semcore.fingerprint.syntax import Source


class Reads:
    """What the modules of a package may read from beside themselves."""

    def __init__(self) -> None:
        self.folders, self.listed = set[Path](), set[Path]()
        self.words = set[str]()
        self.asks = self.lists = False

    def add(self, module: Path, package: Path, source: Source) -> None:
        """Count a module in.

        Args:
            module: its file
            package: the folder of its outermost package
        """
        self.folders |= {module.parent, package}
        self.words |= set(source.words)
        self.asks |= source.asks_where
        self.lists |= source.lists
        if source.asks_where and source.lists:
            self.listed.add(module.parent)

    def files(self) -> set[Path]:
        """The data files that count."""
        return {
            path for folder in self.folders for path in self._below(folder, folder in self.listed)
        }

    @functools.cached_property
    def _patterns(self) -> list[str]:
        """Of words with wildcards, and of endings, which a name may be put together with."""
        endings = [f"*{word}" for word in self.words if re.fullmatch(r"\.\w+", word)]
        return endings + [word for word in self.words if set("*?[") & set(word)]

    def _below(self, folder: Path, all_of_it: bool) -> Iterator[Path]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            name = entry.name
            if name == "__pycache__" or name.startswith(".") and name not in self.words:
                continue
            mentioned = name in self.words or any(fnmatch(name, one) for one in self._patterns)
            if entry.is_dir() and (mentioned or all_of_it):
                yield from self._below(Path(entry.path), all_of_it or self.lists)
            elif name.endswith((".pyc", ".log")) or not entry.is_file():
                continue
            elif (
                name in self.words
                or not name.endswith(".py")
                and (mentioned or all_of_it and not name.endswith(".md"))
            ):
                yield Path(entry.path)
