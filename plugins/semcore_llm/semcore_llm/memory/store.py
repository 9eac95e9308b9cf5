"""Memory of past runs: a file of JSON lines, one record per segment, in which planners look up
similar scenarios.

A record holds the scenario, the plan in force, its outcome as measured by metrics, and the versions
of the packages. Records are only appended; files of several machines are merged record by record.
Texts in a record came from a channel or a recogniser: they are data, never instructions.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcore import Component, ComponentError, RunError, Scenario, Space, digest, file_digest
from semcore.commands import write_output

SHIPPED = "shipped"
"""Name of the shipped memory."""
FOLDER = Path(__file__).parent
LONGEST_LINE = 100_000
MOST_LINES = 1_000_000
NEAR_DB = 2.5
"""Difference of SNRs, dB, at which the similarity of two links falls to 1/e."""
OTHER_KNOWLEDGE = 0.2
"""Factor on the similarity if one receiver knows the user and the other does not."""

MemoryRecord = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Memory:
    """Records of past segments, the oldest first."""

    lines: tuple[MemoryRecord, ...] = ()

    @classmethod
    def read(cls, name: str) -> Memory:
        """The memory of this name: `shipped`, a file, or "" for an empty one.

        Raises:
            ComponentError: the file does not exist, or is not a memory
        """
        if not name:
            return cls()
        return _read(*known_of(name))

    def of(self, space: Space) -> Memory:
        """The records whose plans are points of a space."""
        held = (
            line
            for line in self.lines
            if line["plan"]["in_force"] and space.holds(line["plan"]["in_force"])
        )
        return Memory(tuple(held))

    def nearest(self, scenario: Scenario, most: int) -> list[MemoryRecord]:
        """The records with the most similar scenarios, the most similar first."""
        order = sorted(
            range(len(self.lines)),
            key=lambda index: (-similarity(self.lines[index], scenario), index),
        )
        return [self.lines[index] for index in order[:most]]


@dataclass(frozen=True)
class Remembers(Component):
    """A planner that uses records of past runs.

    Fields:
        memory: file written by `semcore memory`; `shipped`: records of satellite runs that come
            with the package; "": none
    """

    memory: str = field(default=SHIPPED, kw_only=True)

    def check(self) -> None:
        if self.memory:
            place_of(self.memory)

    def identity(self) -> Any:
        return known_of(self.memory)[1] if self.memory else None

    @functools.cached_property
    def lines(self) -> Memory:
        """The records of the memory."""
        return Memory.read(self.memory)


def place_of(name: str) -> Path:
    """The file of a memory.

    Raises:
        ComponentError: it does not exist
    """
    place = FOLDER / "satellite.jsonl" if name == SHIPPED else Path(name).expanduser()
    if not place.is_file():
        raise ComponentError(f"there is no memory {str(place)!r}; semcore memory makes one of runs")
    return place


def known_of(name: str) -> tuple[Path, str]:
    """The file of a memory and the digest of its content."""
    place = place_of(name)
    return place, file_digest(place)


@functools.lru_cache(4)
def _read(place: Path, content: str) -> Memory:
    return Memory(tuple(records_of(place)))


def records_of(path: Path) -> Iterator[MemoryRecord]:
    """The records of a file.

    Raises:
        ComponentError: a line is not a record
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(iter(lambda: file.readline(LONGEST_LINE), ""), 1):
                if number > MOST_LINES:
                    raise ComponentError(f"{path} has more than {MOST_LINES:,} lines")
                if text.strip():
                    yield _record(text, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise ComponentError(f"{path} cannot be read as a memory: {error}") from error


def _record(text: str, place: str) -> MemoryRecord:
    try:
        line = json.loads(text)
        fits = isinstance(line["plan"]["in_force"], dict) and isinstance(
            line["outcome"]["metrics"], dict
        )
        if (
            fits
            and isinstance(line["scenario"]["link"], dict)
            and isinstance(line["scenario"]["knowledge"], dict)
        ):
            return dict(line)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ComponentError(
        f"{place} is not a record of a memory, which holds scenario, plan, outcome and versions, "
        "as JSON"
    )


def merged(memories: Iterable[Iterable[MemoryRecord]]) -> list[MemoryRecord]:
    """The records of several memories, without duplicates, in an order independent of theirs."""
    known = {digest(line): line for lines in memories for line in lines}
    return [known[key] for key in sorted(known)]


def append(path: Path, lines: Sequence[MemoryRecord]) -> int:
    """Append the records that the file does not hold yet; returns their number."""
    held = list(records_of(path)) if path.exists() else []
    known = {digest(line) for line in held}
    new = [line for line in merged([lines]) if digest(line) not in known]
    texts = [
        json.dumps(line, ensure_ascii=False, allow_nan=False, sort_keys=True)
        for line in (*held, *new)
    ]
    if new:
        write_output(path, "".join(f"{text}\n" for text in texts).encode())
    return len(new)


def records_of_run(folder: Path) -> list[MemoryRecord]:
    """The records of the sessions of a run.

    Raises:
        RunError: the folder is not a run, or the run has no sessions
    """
    from semcore.analysis import read_run

    found: list[MemoryRecord] = []
    for result in read_run(folder).results:
        config = result["config"]
        uses = {
            section: config[section]["use"]
            for section in ("encoder", "channel", "generator")
            if section in config
        }
        for segment in result["segments"]:
            scenario = {name: segment[name] for name in Scenario().plain()}
            plan = {
                "in_force": segment["in_force"],
                "planner": (config.get("planner") or {}).get("use", ""),
            }
            outcome = {
                name: segment[name]
                for name in ("metrics", "delivered", "channel_uses", "update_uses")
            }
            record = {"scenario": scenario, "plan": plan, "outcome": outcome}
            found.append(
                {**record, "pipeline": uses, "seed": config["seed"], "versions": result["packages"]}
            )
    if not found:
        raise RunError(
            f"{folder} has no sessions: only a run with a planner or a knowledge base can be "
            "remembered"
        )
    return found


def similarity(line: MemoryRecord, scenario: Scenario, knowledge: bool = True) -> float:
    """Similarity of two scenarios, 0..1."""
    one, other = (number(link.get("snr_db")) for link in (line["scenario"]["link"], scenario.link))
    near = 1.0 if one is None or other is None else math.exp(-abs(one - other) / NEAR_DB)
    held = any(line["scenario"]["knowledge"].values()) == any(scenario.knowledge.values())
    return near * (1.0 if held or not knowledge else OTHER_KNOWLEDGE)


def number(value: Any) -> float | None:
    """`value` as a float; None if it is not a number, or NaN."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return None if math.isnan(value) else float(value)
    except OverflowError:  # an integer beyond the range of floats
        return None
