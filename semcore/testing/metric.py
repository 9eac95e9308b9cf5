"""The laws of a metric."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from semcore.interfaces import Metric, Record
from semcore.statistics.base import Quotient
from semcore.statistics.kinds import Decibels, Ratio, Share
from semcore.testing.compare import difference
from semcore.testing.examples import picture
from semcore.testing.law import Given, NotApplicable, require
from semcore.types import Bitstream, Entry, Ledger, Sample, Semantics, Stream, Text


def use(metric: Metric, given: Given) -> Any:
    """Values of records of every kind."""
    return metric.measure(_records(given))


def gives_a_value_or_none_a_record(metric: Metric, given: Given) -> None:
    """One number or None a record, whatever was lost on the way; none of no records."""
    records = _records(given)
    values = metric.measure(records)
    require(len(values) == len(records), f"{len(records)} records gave {len(values)} values")
    for value in values:
        number = value is None or isinstance(value, (int, float)) and not isinstance(value, bool)
        require(number, f"it gives {value!r}, which is neither a number nor None")
        require(
            value is None or not math.isnan(value),
            "it gives NaN where it does not apply: give None",
        )
    require(list(metric.measure([])) == [], "of no records it must give no values")


def declares_what_kind_of_number_it_gives(metric: Metric, given: Given) -> None:
    """It has a `statistic` of its own (`Share`, `Score`, `Mean`, `Ratio` or `Decibels`), which
    makes its intervals."""
    declared = any("statistic" in vars(cls) for cls in type(metric).__mro__ if cls is not Metric)
    require(
        declared,
        "it does not declare its `statistic`: say `statistic: ClassVar[Statistic] = "
        "Score(0.0, 1.0)`, or another",
    )


def keeps_to_its_range(metric: Metric, given: Given) -> None:
    """Every value lies between the ends that its `statistic` names; a share and a ratio come with
    their parts."""
    low, high = metric.statistic.range
    share = metric.statistic if isinstance(metric.statistic, Share) else None
    for value in (
        one for one in metric.measure([*_records(given), *_pictured(given)]) if one is not None
    ):
        inside = (low is None or value >= low - 1e-6) and (high is None or value <= high + 1e-6)
        require(
            inside,
            f"it gives {float(value):g}, outside of {low} to {high}, the range of its "
            f"{metric.statistic.kind}",
        )
        exact = isinstance(metric.statistic, Decibels) and value == math.inf
        require(
            exact or math.isfinite(value),
            f"it gives {value}: only decibels are infinite, where nothing is wrong",
        )
        counted = isinstance(value, Quotient) or (share is not None and value in (0.0, share.whole))
        if isinstance(metric.statistic, (Share, Ratio)):
            require(
                counted,
                "it gives "
                f"{float(value):g} "
                "without its "
                "parts, so that its "
                f"{metric.statistic.kind} "
                "over samples "
                "is not known: give a `Quotient`",
            )


def leaves_the_records_alone(metric: Metric, given: Given) -> None:
    """The records are as they were afterwards."""
    records, again = _records(given), _records(given)
    metric.measure(records)
    require(not (where := difference(records, again)), f"it changes the records: {where}")


def measures_a_record_the_same_in_any_batch(metric: Metric, given: Given) -> None:
    """A record's value does not depend on the others."""
    records = _records(given)
    alone = [metric.measure([record])[0] for record in records]
    for index, (one, other) in enumerate(zip(metric.measure(records), alone, strict=True)):
        same = (
            one == other
            or one is not None
            and other is not None
            and math.isclose(one, other, abs_tol=1e-4)
        )
        require(same, f"record {index} has {one} among others and {other} alone")


def an_equal_picture_is_the_best(metric: Metric, given: Given) -> None:
    """If it compares the source's picture with the result's, none is better than the equal one."""
    results = _pictured(given)
    other = replace(results[1], source=results[1].result)
    _best(metric, results, other, "the source's picture")


def an_equal_stream_is_the_best(metric: Metric, given: Given) -> None:
    """If it compares what arrived with what was sent, nothing is better than what was sent."""
    record = _records(given)[0]
    text, data = record.sent.streams["caption"], record.sent.streams["picture"]
    assert isinstance(text, Text) and isinstance(data, Bitstream)
    worse: dict[str, Stream] = {
        "caption": Text(text.value[::-1]),
        "picture": Bitstream(bytes(byte ^ 0xA5 for byte in data.data)),
    }
    damaged = Semantics("a", worse, intact=dict.fromkeys(worse, False))
    records = [
        replace(record, arrived=arrived) for arrived in (record.sent, damaged, Semantics("a"))
    ]
    _best(metric, records, replace(records[1], sent=damaged), "what was sent")


LAWS = (
    gives_a_value_or_none_a_record,
    declares_what_kind_of_number_it_gives,
    keeps_to_its_range,
    leaves_the_records_alone,
    measures_a_record_the_same_in_any_batch,
    an_equal_picture_is_the_best,
    an_equal_stream_is_the_best,
)


# ------------------------------------------------------------------------------------------ helpers


def _best(metric: Metric, records: list[Record], other: Record, what: str) -> None:
    """The first record, where both ends agree, is the best; `other` is the second with both ends
    equal as well."""
    if metric.better not in ("higher", "lower"):
        raise NotApplicable("neither higher nor lower is better (`better`)")
    (best, *rest), (changed,) = metric.measure(records), metric.measure([other])
    if best is None or rest[0] == changed:
        raise NotApplicable(f"it does not compare with {what}")
    sign = 1 if metric.better == "higher" else -1
    for value in (one for one in rest if one is not None):
        require(
            sign * value <= sign * best + 1e-6,
            f"{value} is {metric.better} than {best}, where both ends are equal",
        )


def _pictured(given: Given) -> list[Record]:
    """A picture that arrived as it was, another one in its place, and its negative."""
    source = Sample("a", image=picture())
    record = replace(_records(given)[0], source=source)
    return [
        replace(record, result=replace(source, image=one))
        for one in (picture(), picture(seed=3), 255 - picture())
    ]


def _records(given: Given) -> list[Record]:
    """A perfect transmission, a damaged one, one where all was lost, and one of a sample that has
    nothing but a name."""
    records = []
    for sample in given.samples:
        streams: dict[str, Stream] = {
            "caption": Text(sample.text or "a bird"),
            "picture": Bitstream(bytes(range(200))),
        }
        sent = Semantics(sample.id, streams, sample.user)
        entries = [
            Entry(sample.id, name, "data", 800, 8 * size)
            for name, size in (("caption", 34), ("picture", 200))
        ]
        ledger = Ledger((*entries, Entry(sample.id, "frame", "pilots", 50)))
        report = {"snr_db": 5.0, "duration_s": 1e-3, "air_time_s": 1.1e-3}
        perfect = Record(
            sample, sent, replace(sent, intact=dict.fromkeys(streams, True)), sample, ledger, report
        )
        worse: dict[str, Stream] = {
            "caption": Text("a brwn b\ufffdrd"),
            "picture": Bitstream(bytes(150)),
        }
        damaged = replace(sent, streams=worse, intact=dict.fromkeys(worse, False))
        result = Sample(sample.id, sample.user, image=picture(24, 40, 2))
        records += [
            perfect,
            replace(perfect, arrived=damaged, result=result),
            replace(
                perfect,
                arrived=Semantics(sample.id, {}, sample.user),
                result=Sample(sample.id, sample.user),
            ),
        ]
    bare = Sample("bare")
    return [*records, Record(bare, Semantics("bare"), Semantics("bare"), bare, Ledger())]
