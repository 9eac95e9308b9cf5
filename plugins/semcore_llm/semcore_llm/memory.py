"""What past runs taught: a file of JSON lines, one a segment, that planners look the nearest scenarios up in.

A line holds the scenario, the plan that was in force, what came of it as metrics saw it, and the versions of the packages.
Lines are only ever appended; files of several machines are united line by line. Texts in a line came over a channel, or were
recognised: they are data, whatever they say.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semcore.bench import Bench
from semcore.component import Component
from semcore.errors import ComponentError, RunError
from semcore.identity import digest
from semcore.storage import content_digest, write
from semcore.types import Scenario, Space, utility

SHIPPED = "shipped"
"""The name of the memory that comes with the package."""
FOLDER = Path(__file__).parent / "experience"
LONGEST_LINE = 100_000
MOST_LINES = 1_000_000
NEAR_DB = 2.5
"""Two links whose SNRs differ by so much have 1/e in common."""
OTHER_VALUE = 0.15
"""What one setting that differs leaves of the likeness of two plans; a neighbour on an ordered axis leaves its root."""
OTHER_KNOWLEDGE = 0.2
"""What is left if one receiver knows the user and the other does not."""
MOST_REMEMBERED = 4.0
"""All that is remembered of a plan weighs no more than so many segments; a trial weighs more."""
DOUBT = 0.5
"""So many likenesses weighs what is known of all plans together, where little is known of one."""

USES = "channel-uses"
"""The metric that updates add to."""
Line = Mapping[str, Any]


@dataclass(frozen=True)
class Estimate:
    """What memory says of a plan.

    Fields:
        utility: what it will be worth, 0..1
        known: how many segments of equal plan and scenario that rests on; near 0: on those of others
    """

    utility: float
    known: float


@dataclass(frozen=True)
class Evidence:
    """What one segment says of its plan.

    Fields:
        plan: the plan that was in force
        worth: what it was worth, 0..1
        weight: how much the segment has in common with the one that comes, 0..1; more for a trial
        updated: whether it told the knowledge base anything
        tried: whether it is a trial of this very segment, and not a memory of another one
    """

    plan: Mapping[str, Any]
    worth: float
    weight: float
    updated: bool
    tried: bool = False


@dataclass(frozen=True, eq=False)
class Memory:
    """Lines, the oldest first."""

    lines: tuple[Line, ...] = ()

    @classmethod
    def read(cls, name: str) -> Memory:
        """The memory of that name: `shipped`, a file, or "" for an empty one.

        Raises:
            ComponentError: there is no such file, or it is no memory
        """
        if not name:
            return cls()
        return _read(*known_of(name))

    def of(self, space: Space) -> Memory:
        """The lines of plans that are points of a space."""
        held = (line for line in self.lines if line["plan"]["in_force"] and space.holds(line["plan"]["in_force"]))
        return Memory(tuple(held))

    def nearest(self, scenario: Scenario, most: int) -> list[Line]:
        """The lines whose scenarios are most like this one, the nearest first."""
        order = sorted(range(len(self.lines)), key=lambda index: (-_alike(self.lines[index], scenario), index))
        return [self.lines[index] for index in order[:most]]

    def evidence(self, scenario: Scenario, share: float = 1.0, knowledge: bool = True) -> list[Evidence]:
        """What each line says, to the scenario's user, of its plan.

        Args:
            share: of what an update costs, that this segment bears
            knowledge: whether it matters what the receiver knows already
        """
        found = []
        for line in self.lines:
            outcome, weight = line["outcome"], _alike(line, scenario, knowledge)
            update_uses = number(outcome.get("update_uses")) or 0.0
            worth = worth_of(scenario, outcome["metrics"], update_uses, share)
            if worth is not None and weight > 1e-6:
                found.append(Evidence(line["plan"]["in_force"], worth, weight, update_uses > 0))
        return found


def worth_of(scenario: Scenario, metrics: Mapping[str, Any], update_uses: float, share: float) -> float | None:
    """What a segment is worth that bears a share of what its updates cost; None without a utility."""
    uses = number(metrics.get(USES))
    if uses is None:
        return utility(scenario.utility, metrics)
    return utility(scenario.utility, {**metrics, USES: uses - update_uses * (1 - share)})


def share_of(horizon: int, scenario: Scenario, session: Sequence[Mapping[str, Any]]) -> float:
    """The share that a segment bears of what an update costs, if an update serves `horizon` segments, or all that are left.

    One that comes before the last one has served its time bears the rest of that one, too: who updates every segment pays
    every time.
    """
    serves = min(horizon, 1 + len(scenario.forecast))
    since = next((age for age, record in enumerate(reversed(session), 1) if record.get("update_uses")), horizon)
    return min((1 + max(horizon - since, 0) * serves / horizon) / serves, 1.0)


@dataclass(frozen=True)
class Candidate:
    """A plan as this segment sees it.

    Fields:
        plan: the plan
        matters: the paths that make a difference in this segment
        updates: whether it would tell the knowledge base anything; None: nobody knows
    """

    plan: Mapping[str, Any]
    matters: tuple[str, ...]
    updates: bool | None = None

    @classmethod
    def of(cls, plan: Mapping[str, Any], bench: Bench) -> Candidate:
        """The candidate that a plan is on a bench."""
        return cls(plan, tuple(bench.matters(plan)), bench.updates(plan))


def estimate(evidence: Sequence[Evidence], space: Space, one: Candidate) -> Estimate | None:
    """What a plan will be worth, by all evidence, weighted by likeness; None if there is none."""
    total = math.fsum(seen.weight for seen in evidence)
    if not total:
        return None
    common = math.fsum(seen.worth * seen.weight for seen in evidence) / total
    weights = [seen.weight * _same(one, seen, space) for seen in evidence]
    remembered = math.fsum(weight for weight, seen in zip(weights, evidence, strict=True) if not seen.tried)
    # What memory does not know (which picture the receiver holds, say) it does not know however often it was asked.
    most = min(1.0, MOST_REMEMBERED / remembered) if remembered else 1.0
    weights = [weight if seen.tried else weight * most for weight, seen in zip(weights, evidence, strict=True)]
    known = math.fsum(weights)
    mean = math.fsum(weight * seen.worth for weight, seen in zip(weights, evidence, strict=True))
    return Estimate((mean + DOUBT * common) / (known + DOUBT), known)


@dataclass(frozen=True)
class Remembers(Component):
    """A planner that knows past runs.

    Fields:
        memory: a file that `semcore memory` made; `shipped`: what the project's own runs over a satellite taught; "": none
    """

    memory: str = field(default=SHIPPED, kw_only=True)

    def check(self) -> None:
        if self.memory:
            place_of(self.memory)

    def identity(self) -> Any:
        return _content(*known_of(self.memory)) if self.memory else None

    @functools.cached_property
    def lines(self) -> Memory:
        """The lines of the memory."""
        return Memory.read(self.memory)


def place_of(name: str) -> Path:
    """Where the memory of a name lies.

    Raises:
        ComponentError: nowhere
    """
    place = FOLDER / "satellite.jsonl" if name == SHIPPED else Path(name).expanduser()
    if not place.is_file():
        raise ComponentError(f"there is no memory {str(place)!r}; semcore memory makes one of runs")
    return place


def known_of(name: str) -> tuple[Path, int]:
    """Where a memory lies, and when it last changed: read again only then."""
    place = place_of(name)
    return place, place.stat().st_mtime_ns


@functools.lru_cache(4)
def _read(place: Path, changed_ns: int) -> Memory:
    return Memory(tuple(lines_of(place)))


@functools.lru_cache(4)
def _content(place: Path, changed_ns: int) -> str:
    return content_digest(place.read_bytes())


def lines_of(path: Path) -> Iterator[Line]:
    """The lines of a file.

    Raises:
        ComponentError: a line is none
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(iter(lambda: file.readline(LONGEST_LINE), ""), 1):
                if number > MOST_LINES:
                    raise ComponentError(f"{path} has more than {MOST_LINES:,} lines")
                if text.strip():
                    yield _line(text, f"{path}:{number}")
    except (OSError, UnicodeDecodeError) as error:
        raise ComponentError(f"{path} cannot be read as a memory: {error}") from error


def _line(text: str, place: str) -> Line:
    try:
        line = json.loads(text)
        fits = isinstance(line["plan"]["in_force"], dict) and isinstance(line["outcome"]["metrics"], dict)
        if fits and isinstance(line["scenario"]["link"], dict) and isinstance(line["scenario"]["knowledge"], dict):
            return dict(line)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise ComponentError(f"{place} is no line of a memory: one holds scenario, plan, outcome and versions, as JSON")


def united(memories: Iterable[Iterable[Line]]) -> list[Line]:
    """The lines of several memories, each once, in an order that does not depend on whose come first."""
    return sorted({digest(line): line for lines in memories for line in lines}.values(), key=lambda line: digest(line))


def append(path: Path, lines: Sequence[Line]) -> int:
    """Add the lines that a file does not hold yet; returns how many those are."""
    held = list(lines_of(path)) if path.exists() else []
    known = {digest(line) for line in held}
    new = [line for line in united([lines]) if digest(line) not in known]
    texts = [json.dumps(line, ensure_ascii=False, allow_nan=False, sort_keys=True) for line in (*held, *new)]
    if new:
        write(path, "".join(f"{text}\n" for text in texts).encode())
    return len(new)


def lines_of_run(folder: Path) -> list[Line]:
    """The lines that a run's sessions taught.

    Raises:
        RunError: it is no run
    """
    from semcore.results import read_run

    found: list[Line] = []
    for result in read_run(folder).results:
        config = result["config"]
        uses = {section: config[section]["use"] for section in ("encoder", "channel", "generator") if section in config}
        for segment in result["segments"]:
            scenario = {name: segment[name] for name in Scenario().plain()}
            plan = {"in_force": segment["in_force"], "planner": (config.get("planner") or {}).get("use", "")}
            outcome = {name: segment[name] for name in ("metrics", "delivered", "channel_uses", "update_uses")}
            told = {"scenario": scenario, "plan": plan, "outcome": outcome}
            found.append({**told, "pipeline": uses, "seed": config["seed"], "versions": result["packages"]})
    if not found:
        raise RunError(f"{folder} has no sessions: only a run with a planner or a knowledge base can be remembered")
    return found


def _alike(line: Line, scenario: Scenario, knowledge: bool = True) -> float:
    """How much of what holds for one scenario holds for the other, 0..1."""
    one, other = (number(link.get("snr_db")) for link in (line["scenario"]["link"], scenario.link))
    near = 1.0 if one is None or other is None else math.exp(-abs(one - other) / NEAR_DB)
    held = any(line["scenario"]["knowledge"].values()) == any(scenario.knowledge.values())
    return near * (1.0 if held or not knowledge else OTHER_KNOWLEDGE)


def _same(one: Candidate, seen: Evidence, space: Space) -> float:
    """How much of what a segment showed of its plan holds for another one, 0..1."""
    share = 1.0 if one.updates in (None, seen.updated) else OTHER_VALUE
    for path in one.matters:
        if path in one.plan and path in seen.plan and one.plan[path] == seen.plan[path]:
            continue
        rungs = space.rungs(path)
        ordered = all(number(value) is not None for value in rungs)
        apart = [rungs.index(plan[path]) for plan in (one.plan, seen.plan) if path in plan and plan[path] in rungs]
        share *= OTHER_VALUE ** (0.5 if ordered and len(apart) == 2 and abs(apart[0] - apart[1]) == 1 else 1.0)
    return share


def number(value: Any) -> float | None:
    """`value` as a float, or None if it is not a number that can be compared."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return None if math.isnan(value) else float(value)
    except OverflowError:  # a whole number beyond all real ones
        return None
