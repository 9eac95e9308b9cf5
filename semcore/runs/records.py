"""The schemas of the files of a run: `run.json`, `result.json`, `failure.json`, `items.jsonl`.

Anyone may have written them, digests included. So what is read is checked here, once, and other
code may rely on it. Further keys are allowed.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Len, Lt
from pydantic import AfterValidator
from typing_extensions import TypedDict

from semcore.entrypoints import naming
from semcore.errors import PluginError, shown
from semcore.plugins import registry
from semcore.runs.files import is_plain
from semcore.statistics.base import KINDS, statistic_of
from semcore.wording.validation import expected


def _plain(name: str) -> str:
    if not is_plain(name):
        raise ValueError(f"is {shown(name)}, which is not a plain relative path below its folder")
    return name


def _part(name: str) -> str:
    if not is_plain(name) or "/" in name:
        raise ValueError(f"is {shown(name)}, which is not a plain name")
    return name


def _kind(described: dict[str, Any]) -> dict[str, Any]:
    statistic_of(described)
    return described


Name = Annotated[str, AfterValidator(_plain)]
Part = Annotated[str, AfterValidator(_part)]
Count = Annotated[int, Ge(0), Lt(2**63)]
Pair = Annotated[list[float], Len(2, 2)]
Frames = Annotated[list[Count], Len(2, 2)]
Found = Annotated[list[str | Count], Len(3, 3)]
Numbers = dict[str, float | None]
Settings = dict[str, Any]


class CellEntry(TypedDict):
    """A cell of the grid in `run.json`."""

    id: Part
    settings: Settings


class RunInfo(TypedDict):
    """`run.json`."""

    name: str
    semcore: str
    axes: dict[str, list[Any]]
    cells: list[CellEntry]
    description: NotRequired[str]
    software: NotRequired[dict[str, str]]
    command: NotRequired[list[str]]
    files: NotRequired[dict[Name, str]]


class SummaryEntry(TypedDict):
    """A metric of a cell."""

    mean: float | None
    low: float | None
    high: float | None
    n: Count
    exact: NotRequired[Count]
    joint: NotRequired[float | None]
    unit: str
    better: Literal["higher", "lower", ""]
    cost: NotRequired[bool]
    statistic: NotRequired[Annotated[dict[str, Any], AfterValidator(_kind)]]
    signature: str


class LedgerEntry(TypedDict):
    """A line of the ledger."""

    stream: str
    kind: str
    channel_uses: Count
    bits: Count


class TermEntry(TypedDict):
    """A term of a utility."""

    metric: str


class FoundEntry(TypedDict):
    """What was not found in every frame, as written by `semcore.runs.found`."""

    frames: Count
    of: Count
    samples: Count
    first: list[Found]


class SegmentEntry(TypedDict, total=False):
    """A segment of a session."""

    segment: Count
    task: str
    preferences: str
    environment: Settings
    limits: Numbers
    link: Numbers
    utility: list[TermEntry]
    knowledge: dict[str, list[str]]
    planned: Settings
    in_force: Settings
    reasons: list[str]
    plan_report: dict[str, float]
    delivered: float
    channel_uses: Count
    update_uses: Count
    texts: list[Any]
    metrics: Numbers
    worth: float | None
    updates: Count


class NamedEntry(TypedDict, total=False):
    """A component in a configuration."""

    use: str


class ConfigEntry(TypedDict, total=False):
    """The resolved configuration of a cell."""

    seed: int
    source: NamedEntry
    encoder: NamedEntry
    transport: dict[str, Any]
    channel: NamedEntry
    generator: NamedEntry
    selector: NamedEntry
    kb: NamedEntry
    planner: NamedEntry
    metrics: list[NamedEntry]


class ComponentEntry(TypedDict):
    """A component, as written by `semcore.runs.provenance`."""

    kind: str
    name: str
    package: str
    version: str
    source: str
    files: NotRequired[dict[str, str]]


class Result(TypedDict):
    """`result.json`; `results.PARTS` lists the keys that are required."""

    id: Part
    n: NotRequired[Count]
    metrics: NotRequired[dict[str, SummaryEntry]]
    ledger: NotRequired[list[LedgerEntry]]
    report: NotRequired[Numbers]
    found: NotRequired[dict[str, FoundEntry]]
    judged: NotRequired[dict[str, FoundEntry]]
    segments: NotRequired[list[SegmentEntry]]
    conventions: NotRequired[dict[str, str]]
    genie: NotRequired[list[str]]
    packages: NotRequired[dict[str, str]]
    components: NotRequired[list[ComponentEntry]]
    libraries: NotRequired[dict[str, str]]
    config: NotRequired[ConfigEntry]
    files: NotRequired[dict[Name, str]]


class Failure(TypedDict):
    """`failure.json`."""

    reason: str
    traceback: str


class Item(TypedDict):
    """A line of `items.jsonl`."""

    sample: str
    metrics: Numbers
    channel_uses: Count
    sent: NotRequired[dict[str, str]]
    arrived: NotRequired[dict[str, str]]
    intact: NotRequired[dict[str, bool]]
    differs: NotRequired[dict[str, str]]
    report: NotRequired[Numbers]
    plan: NotRequired[Settings]
    exact: NotRequired[list[str]]
    found: NotRequired[dict[str, Frames]]
    judged: NotRequired[dict[str, Frames]]
    parts: NotRequired[dict[str, Pair]]
    pictures: NotRequired[dict[str, Name]]
    clips: NotRequired[dict[str, Name]]


def check(shape: Any, value: Any) -> Any:
    """Check a value against a schema, and return it.

    Raises:
        ValueError: with the place and the reason of the first fault
    """
    from pydantic import ValidationError

    try:
        _adapter(shape).validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=True)[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place or 'it'} {expected(first).clause}") from None
    return value


def load_statistics(result: Any) -> str:
    """Import the metrics of a result with unknown kinds of statistics: a metric may bring its own.

    Args:
        result: content of a `result.json`, not checked yet

    Returns:
        a kind that is still unknown, since no installed package brings its metric, or ""
    """
    match result:
        case {"metrics": dict(summaries), "config": {"metrics": list(configured)}}:
            kinds = [one["statistic"].get("kind") for one in summaries.values() if _described(one)]
        case _:
            return ""
    if all(kind in KINDS for kind in kinds):
        return ""
    for metric in configured:
        name = metric.get("use") if isinstance(metric, dict) else None
        with contextlib.suppress(PluginError):  # its kind stays unknown, and is reported as such
            if isinstance(name, str) and naming.find("metric", name) is not None:
                registry.load("metric", name)
    return next((kind for kind in kinds if isinstance(kind, str) and kind not in KINDS), "")


def _described(summary: Any) -> bool:
    return isinstance(summary, dict) and isinstance(summary.get("statistic"), dict)


@functools.cache
def _adapter(shape: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(shape)
