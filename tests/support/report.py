"""Hostile components for a run, and its page as a browser reads it."""

from __future__ import annotations

import dataclasses
import html.parser
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

import semcore

HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)> " ' & {{ 7*7 }} \u202e end"""


@semcore.register("encoder", "hostile")
@dataclasses.dataclass(frozen=True)
class Hostile(semcore.SemanticEncoder):
    """Says something that a page must not believe, and how bright the picture is."""

    @property
    def streams(self) -> Mapping[str, type[semcore.Stream]]:
        return {"caption": semcore.Text}

    def encode(
        self, samples: Sequence[semcore.Sample], kb: semcore.KnowledgeBase
    ) -> list[semcore.Semantics]:
        return [
            semcore.Semantics(
                one.id, {"caption": semcore.Text(f"{HOSTILE} {one.image.mean():.0f}")}, one.user
            )
            for one in samples
            if one.image is not None
        ]


@semcore.register("selector", "oracle")
@dataclasses.dataclass(frozen=True)
class Oracle(semcore.Selector):
    """Would know the best candidate."""

    genie: ClassVar[bool] = True

    def select(
        self,
        candidates: Sequence[semcore.Candidates],
        batch: Sequence[semcore.Semantics],
        kb: semcore.KnowledgeBase,
    ) -> list[semcore.Sample]:
        return [some.samples[0] for some in candidates]


@semcore.register("kb", "brightest")
@dataclasses.dataclass(frozen=True)
class Brightest(semcore.KBPolicy):
    """Tells the receiver every brightness."""

    @property
    def streams(self) -> Mapping[str, type[semcore.Stream]]:
        return {"brightness": semcore.Bitstream}

    def update(
        self, kb: semcore.KnowledgeBase, samples: Sequence[semcore.Sample]
    ) -> list[semcore.Semantics]:
        return [
            semcore.Semantics(
                one.id,
                {"brightness": semcore.Bitstream(bytes(int(np.mean(one.image)) % 3 + 1))},
                one.user,
            )
            for one in samples
            if one.image is not None
        ]


SWEEP = """
workflow: plain
workflows:
  plain: {}
  hostile: {encoder: {use: hostile}, selector: {use: oracle}}
sweep:
  workflow: [plain, hostile]
  channel.snr_db: [-3, 3, 9, 15]
"""
SESSION = """
planner: {use: alternate, table: [[generator.steps, 10], [transport.repeat, 3]]}
kb: {use: brightest}
"""
SEGMENTS = "scenario: {segments: [{channel.snr_db: 12}, {channel.snr_db: 3}]}\n"


class Page(html.parser.HTMLParser):
    """What a page consists of; refuses tags that do not nest."""

    VOID = frozenset(("meta", "img", "br", "link", "hr"))

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.words)
