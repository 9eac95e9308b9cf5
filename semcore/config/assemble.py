"""A resolved configuration, section by section, as the checked set of components that a cell runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from semcore import registry
from semcore.component import Component, Needs, most, plain
from semcore.config.build import Builder, nearest
from semcore.errors import Problem
from semcore.interfaces import Metric, Planner, Source
from semcore.multiplex import ANY, Multiplex
from semcore.pipeline import Pipeline
from semcore.types import Bitstream, Scenario, Stream

REQUIRED = ("source", "encoder", "transport", "channel", "generator")


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything a cell needs, checked and built.

    Fields:
        threads: of each numerical library; sums are rounded in another order by another number of them
        config: the resolved configuration with the defaults filled in, as plain values: what identifies the cell
        packages: package -> version of every plugin that takes part
        genies: names of the components that know what an honest receiver could not
        needs: what the process that runs the cell must have
    """

    seed: int
    threads: int
    source: Source
    pipeline: Pipeline
    planner: Planner | None
    scenarios: tuple[Scenario, ...]
    metrics: tuple[Metric, ...]
    config: Mapping[str, Any]
    packages: Mapping[str, str]
    genies: frozenset[str]
    needs: Needs


def assemble(root: Mapping[str, Any], builder: Builder, shared: bool = False) -> tuple[Setup | None, list[Problem]]:
    """Build every section of a resolved root mapping.

    Args:
        shared: whether other workflows share the transports, so that some may have nothing to carry in this one
    """
    for section in REQUIRED:
        if root.get(section) is None:
            builder.complain(
                (section,),
                f"the section {section!r} is {'empty' if section in root else 'missing'}",
                f"write '{section}: {{use: ...}}'; semcore list {section} shows what there is",
            )
    built: dict[str, Any] = {
        section: builder.component(section, root[section], (section,)) if root.get(section) is not None else None
        for section in ("source", "encoder", "channel", "generator", "selector", "kb", "planner")
    }
    transport = _transport(root.get("transport"), builder)
    metrics = _metrics(root.get("metrics"), builder)
    scenarios = _scenarios(root.get("scenario"), builder)
    seed = _whole(root, "seed", 0, builder)
    threads = _whole(root, "threads", 1, builder)
    if builder.problems:
        return None, builder.problems
    pipeline = Pipeline(
        built["encoder"], Multiplex(transport), built["channel"], built["generator"], built["selector"], built["kb"]
    )
    _check_streams(pipeline, built["planner"], shared, builder)
    parts: dict[str, Any] = {**built, "transport": transport, "metrics": list(metrics)}
    config = {section: plain(part) for section, part in parts.items() if part is not None}
    config["scenario"] = [plain(vars(scenario)) for scenario in scenarios]
    return Setup(
        seed,
        threads,
        built["source"],
        pipeline,
        built["planner"],
        scenarios,
        metrics,
        {**config, "seed": seed, "threads": threads},
        _packages(_components(parts)),
        frozenset(registry.name_of(type(part)) for part in _components(parts) if part.genie),
        most(part.needs() for part in _components(parts)),
    ), builder.problems


def _whole(root: Mapping[str, Any], key: str, least: int, builder: Builder) -> int:
    """A whole number at the top of the file; `least` is its default, too."""
    value = root.get(key, least)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        builder.complain((key,), f"{key} must be a whole number from {least}, not {value!r}")
    return value


def _transport(value: Any, builder: Builder) -> dict[str, Any]:
    """`{use: ...}` for every stream, or stream name -> transport."""
    if value is None:
        return {}
    if isinstance(value, str) or isinstance(value, Mapping) and "use" in value:
        return {ANY: builder.component("transport", value, ("transport",))}
    if not isinstance(value, Mapping):
        builder.complain(("transport",), "transport is {use: ...}, or a mapping: stream name -> {use: ...}")
        return {}
    return {name: builder.component("transport", item, ("transport", name)) for name, item in value.items()}


def _metrics(value: Any, builder: Builder) -> tuple[Metric, ...]:
    if not isinstance(value or [], list):
        builder.complain(("metrics",), "metrics is a list, for example [psnr, ssim]")
        return ()
    return tuple(builder.component("metric", item, ("metrics", i)) for i, item in enumerate(value or ["psnr", "ssim"]))


def _scenarios(value: Any, builder: Builder) -> tuple[Scenario, ...]:
    """`{task: ..., preferences: ..., segments: [{channel.snr_db: 3}, ...]}`; the segments follow each other."""
    if value is None:
        return (Scenario(),)
    known = ("task", "preferences", "segments")
    if not isinstance(value, Mapping):
        builder.complain(("scenario",), f"scenario is a mapping with {', '.join(known)}")
        return (Scenario(),)
    for key in value:
        if key not in known:
            builder.complain(("scenario", key), f"a scenario has no {key!r}", nearest(key, known), at_key=True)
    segments = value.get("segments") or [{}]
    if not isinstance(segments, list) or not all(isinstance(one, Mapping) for one in segments):
        builder.complain(("scenario", "segments"), "segments is a list of mappings: dotted path -> value")
        return (Scenario(),)
    words = {key: str(value.get(key) or "") for key in known[:2]}
    return tuple(Scenario(i, environment=dict(one), **words) for i, one in enumerate(segments))


def _check_streams(pipeline: Pipeline, planner: Planner | None, shared: bool, builder: Builder) -> None:
    """Every stream that is sent needs a transport that carries it and, for the encoder's, a generator that uses it."""
    transports = pipeline.transport.transports
    senders: list[tuple[str, Mapping[str, type[Stream]]]] = [("encoder", pipeline.encoder.streams)]
    if pipeline.kb is not None:
        senders.append(("kb", pipeline.kb.streams))
    if planner is not None:
        senders.append(("planner", {"plan": Bitstream}))
    sent = [name for _, streams in senders for name in streams]
    for sender, name, stream in ((sender, *item) for sender, streams in senders for item in streams.items()):
        transport = transports.get(name) or transports.get(ANY)
        if transport is None:
            builder.complain(
                ("transport",),
                f"no transport carries the {sender}'s stream {name!r} ({stream.__name__})",
                f"add 'transport.{name}: {{use: ...}}'; it names {', '.join(transports) or 'nothing'}",
                at_key=True,
            )
        elif reason := transport.refuses(stream):
            place = ("transport", name, "use") if name in transports else ("transport", "use")
            use = registry.name_of(type(transport))
            builder.complain(place, f"transport {use!r} cannot send the {stream.__name__} stream {name!r}: it {reason}")
    for name in transports:
        if name != ANY and name not in sent and not shared:
            builder.complain(("transport", name), f"nothing sends a stream {name!r}", nearest(name, sent), at_key=True)
    accepts = pipeline.generator.accepts
    if accepts and not any(stream in accepts.get(name, ()) for name, stream in pipeline.encoder.streams.items()):
        emitted = ", ".join(f"{name} ({stream.__name__})" for name, stream in pipeline.encoder.streams.items())
        wanted = ", ".join(f"{n} ({' or '.join(t.__name__ for t in ts)})" for n, ts in accepts.items())
        builder.complain(
            ("generator", "use"),
            f"generator {registry.name_of(type(pipeline.generator))!r} makes use of {wanted}, but the encoder emits {emitted}",
        )


def _packages(parts: Iterable[Component]) -> dict[str, str]:
    """package -> version of every component."""
    origins = (registry.provider(part.kind, registry.name_of(type(part))) for part in parts)
    return {package: version for package, version in sorted(origins) if package}


def _components(value: Any) -> Iterator[Component]:
    """Every component in `value`, nested ones included."""
    if isinstance(value, Component):
        yield value
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _components(item)
