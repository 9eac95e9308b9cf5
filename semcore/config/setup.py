"""The sections of a resolved configuration as the checked set of components that a cell runs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semcore.component.base import Component, Needs, most, plain
from semcore.config.build import Builder, blamed
from semcore.config.scenario import scenarios, space
from semcore.entrypoints import naming
from semcore.errors import shown
from semcore.interfaces import Metric, Source
from semcore.link.multiplex import ANY, Multiplex
from semcore.link.pipeline import Pipeline
from semcore.planning.interface import Planner
from semcore.planning.space import Space
from semcore.tensors import DEVICE, named_device
from semcore.types import Bitstream, Scenario, Stream
from semcore.wording.suggest import guess, nearest

BUILT = (
    "source", "encoder", "channel", "generator", "selector", "kb", "planner", "space", "transport",
    "metrics", "scenario", "seed", "threads", "batch_size", "device",
)  # fmt: skip
"""What a cell is made of."""
NO_PART_OF_THE_ID = ("batch_size", "device")
"""Sections on which no result depends, or by rounding alone."""
BATCH_SIZE = 64
"""Samples that are sent at a time, if the file does not say."""
REQUIRED = ("source", "encoder", "transport", "channel", "generator")
COMPONENTS = ("source", "encoder", "channel", "generator", "selector", "kb", "planner")
"""The sections that are one component."""
LINKED = ("encoder", "kb", "planner", "transport", "channel", "generator")
"""The sections that must fit each other."""


NOTHING = Space()
"""What may be planned where nothing may."""


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything a cell needs, checked and built.

    Fields:
        sections: what each section of `BUILT` stands for
    """

    sections: Mapping[str, Any]

    @property
    def seed(self) -> int:
        """Of all random numbers."""
        return int(self.sections["seed"])

    @property
    def threads(self) -> int:
        """Of each numerical library; another number of threads rounds sums in another order."""
        return int(self.sections["threads"])

    @property
    def batch_size(self) -> int:
        """Samples that are sent at a time; no result depends on it, so it is not part of the id of
        a cell."""
        return int(self.sections["batch_size"])

    @property
    def device(self) -> str:
        """What networks compute on; results agree between devices up to rounding, so it is not part
        of the id of a cell."""
        return str(self.sections["device"])

    @property
    def source(self) -> Source:
        """Where the samples come from."""
        source: Source = self.sections["source"]
        return source

    @functools.cached_property
    def pipeline(self) -> Pipeline:
        """Both ends of the link."""
        made = self.sections
        links = Multiplex(made["transport"])
        return Pipeline(
            made["encoder"], links, made["channel"], made["generator"], made["selector"], made["kb"]
        )

    @property
    def planner(self) -> Planner | None:
        """What adapts the pipeline before each segment, if anything does."""
        planner: Planner | None = self.sections["planner"]
        return planner

    @functools.cached_property
    def space(self) -> Space:
        """What the planner may plan."""
        declared: Space | None = self.sections["space"]
        if declared or self.planner is None:
            return declared or NOTHING
        return Space.of(self.planner.plans() or ())

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """One per segment; they repeat."""
        scenarios: tuple[Scenario, ...] = self.sections["scenario"]
        return scenarios

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """In the order of the file."""
        metrics: tuple[Metric, ...] = self.sections["metrics"]
        return metrics

    @functools.cached_property
    def parts(self) -> tuple[Component, ...]:
        """Every component, nested ones included."""
        return tuple(
            components_in(
                [
                    self.sections[name]
                    for name in BUILT
                    if name not in ("scenario", "space", *NO_PART_OF_THE_ID)
                ]
            )
        )

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration with the defaults filled in, as plain values."""
        made = self.sections
        config = {
            name: plain(made[name])
            for name in BUILT
            if name not in ("space", *NO_PART_OF_THE_ID) and made[name] is not None
        }
        if made["space"] is not None:
            config["space"] = made["space"].plain()
        return {**config, "scenario": [scenario.plain() for scenario in self.scenarios]}

    @property
    def packages(self) -> dict[str, str]:
        """Package -> version of every plugin that takes part."""
        return _packages(self.parts)

    @property
    def genies(self) -> frozenset[str]:
        """Names of the genies: components that use information a real receiver does not have."""
        return frozenset(naming.name_of(type(part)) for part in self.parts if part.genie)

    @property
    def needs(self) -> Needs:
        """What the process that runs the cell must have."""
        own = Needs(gpus=float(self.device.startswith("cuda")))
        return most([own, *(part.needs() for part in self.parts)])


def build(section: str, value: Any, builder: Builder) -> Any:
    """What a section stands for; None if it is absent or cannot be built."""
    match section:
        case "seed":
            return _whole(section, value, 0, builder)
        case "threads":
            return _whole(section, value, 1, builder)
        case "batch_size":
            return BATCH_SIZE if value is None else _whole(section, value, 1, builder)
        case "device":
            return _device(value, builder)
        case "scenario":
            return scenarios(value, builder)
        case "space":
            return space(value, builder)
        case "metrics":
            return _metrics(value, builder)
        case "transport":
            return _transports(value, builder)
    return builder.component(section, value, (section,)) if value is not None else None


def _whole(section: str, value: Any, least: int, builder: Builder) -> int:
    """A whole number at the top of the file; `least` is its default, too."""
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int) or value < least
    ):
        builder.report(
            (section,), f"{section} must be a whole number from {least}, not {shown(value)}"
        )
    return least if value is None else value


def _device(value: Any, builder: Builder) -> str:
    """A device by its name; whether the machine that computes has it is known there."""
    name = "cpu" if value is None else value
    if not named_device(name):
        builder.report(("device",), f"device must be {DEVICE}, not {shown(value)}")
        return "cpu"
    return str(name)


def _transports(value: Any, builder: Builder) -> dict[str, Any] | None:
    """`{use: ...}` for every stream, or stream name -> transport."""
    if value is None:
        return None
    if is_component(value):
        return {ANY: builder.component("transport", value, ("transport",))}
    if not isinstance(value, Mapping):
        builder.report(
            ("transport",),
            f"transport is {{use: ...}}, or a mapping: stream name -> {{use: ...}}, not "
            f"{shown(value)}",
        )
        return None
    return {
        name: builder.component("transport", item, ("transport", name))
        for name, item in value.items()
    }


def _metrics(value: Any, builder: Builder) -> tuple[Metric, ...]:
    if not isinstance(value or [], list):
        builder.report(
            ("metrics",), f"metrics is a list, for example [psnr, ssim], not {shown(value)}"
        )
        return ()
    made = [
        builder.component("metric", item, ("metrics", i))
        for i, item in enumerate(value or ["psnr", "ssim"])
    ]
    for i, metric in enumerate(made):
        if metric is not None and metric in made[:i]:
            builder.report(("metrics", i), "this metric stands in the list already")
    return tuple(made)


def check_link(parts: Mapping[str, Any], failed: set[str], shared: bool, builder: Builder) -> None:
    """Every stream that is sent needs a transport that carries it over the channel and, for the
    encoder's, a generator.

    Args:
        parts: what the sections stand for
        failed: those that could not be built; nothing is said of what depends on them
        shared: whether other workflows share the transports, so that some may have nothing to carry
            in this one
    """
    senders: dict[str, Mapping[str, type[Stream]]] = {}
    for section in ("encoder", "kb"):
        if parts[section] is not None:
            senders[section] = dict(parts[section].streams)
    if parts["planner"] is not None:
        senders["planner"] = {"plan": Bitstream}
    if parts["transport"] is not None:
        unsent = (
            []
            if shared or failed & {"encoder", "kb", "planner"}
            else _unsent(parts["transport"], senders, builder)
        )
        _check_transports(parts["transport"], parts["channel"], senders, unsent, builder)
    if parts["encoder"] is not None and parts["generator"] is not None:
        _check_generator(parts["generator"], parts["encoder"], senders["encoder"], builder)


def _unsent(
    transports: Mapping[str, Any],
    senders: Mapping[str, Mapping[str, type[Stream]]],
    builder: Builder,
) -> list[str]:
    """Complain of transports for streams that nothing sends; the streams that they were probably
    meant for."""
    sent = [name for streams in senders.values() for name in streams]
    unnamed = [name for name in sent if name not in transports]
    meant: list[str] = []
    for name in transports:
        if name != ANY and name not in sent:
            builder.report(
                ("transport", name),
                f"nothing sends a stream {name!r}",
                nearest(name, unnamed or sent),
                at_key=True,
            )
            meant += filter(None, [guess(name, unnamed, 0.75)])
    return meant


def _check_transports(
    transports: Mapping[str, Any],
    channel: Any,
    senders: Mapping[str, Mapping[str, type[Stream]]],
    reported: Sequence[str],
    builder: Builder,
) -> None:
    refused: set[str] = set()
    for sender, name, stream in (
        (sender, *item) for sender, streams in senders.items() for item in streams.items()
    ):
        key = name if name in transports else ANY
        if key not in transports and name not in reported:
            named = f"it names {', '.join(transports)}" if transports else "it names no stream"
            builder.report(
                ("transport",),
                f"no transport carries the {sender}'s stream {name!r} ({stream.__name__})",
                f"add 'transport.{name}: {{use: ...}}'; {named}",
                at_key=True,
            )
        transport = transports.get(key)
        if transport is None:
            continue
        place = ("transport", "use") if key == ANY else ("transport", key, "use")
        use = naming.name_of(type(transport))
        if reason := transport.incompatibility(stream):
            builder.report(
                place,
                f"transport {use!r} cannot send the {stream.__name__} stream {name!r}: it {reason}",
            )
        elif (
            channel is not None
            and key not in refused
            and (reason := channel.incompatibility(transport))
        ):
            refused.add(key)
            model = naming.name_of(type(channel))
            builder.report(
                place,
                f"channel {model!r} cannot serve transport {use!r} (stream {name!r}): it {reason}",
            )


def _check_generator(
    generator: Any, encoder: Any, emitted: Mapping[str, type[Stream]], builder: Builder
) -> None:
    accepts = generator.accepts
    if accepts and not any(stream in accepts.get(name, ()) for name, stream in emitted.items()):
        found = (
            ", ".join(f"{name} ({stream.__name__})" for name, stream in emitted.items())
            or "nothing"
        )
        wanted = ", ".join(
            f"{n} ({' or '.join(t.__name__ for t in ts)})" for n, ts in accepts.items()
        )
        use = naming.name_of(type(generator))
        builder.report(
            ("generator", "use"),
            f"generator {use!r} makes use of {wanted}, but the encoder emits {found}",
        )
    elif reason := generator.incompatibility(encoder):
        sender, use = naming.name_of(type(encoder)), naming.name_of(type(generator))
        place = ("generator", *blamed(generator, reason))
        builder.report(
            place, f"generator {use!r} does not fit the encoder {sender!r}: its {reason}"
        )


def is_component(value: Any) -> bool:
    """Whether a value names a component, alone or with settings."""
    return isinstance(value, str) or isinstance(value, Mapping) and "use" in value


def _packages(parts: Iterable[Component]) -> dict[str, str]:
    """package -> version of every component."""
    origins = (naming.provider(part.kind, naming.name_of(type(part))) for part in parts)
    return {package: version for package, version in sorted(origins) if package}


def components_in(value: Any) -> Iterator[Component]:
    """Every component in `value`, nested ones included."""
    if isinstance(value, Component):
        yield value
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from components_in(item)
