"""An experiment from components, and the pipeline file that says the same."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from semcore.api.launch import compute, executor_of
from semcore.component.base import Component, plain
from semcore.config import document as documents
from semcore.config.build import component
from semcore.config.configuration import checked
from semcore.config.document import Document
from semcore.config.layers import SECTIONS
from semcore.config.paths import as_yaml, assigned
from semcore.config.setup import COMPONENTS, is_component
from semcore.config.top_level import VERSION
from semcore.entrypoints import naming
from semcore.errors import ComponentError
from semcore.interfaces import (
    ChannelModel,
    Executor,
    Generator,
    KBPolicy,
    Metric,
    Selector,
    SemanticEncoder,
    Source,
    Transport,
)
from semcore.planning.interface import Planner
from semcore.plugins.registry import register

if TYPE_CHECKING:
    from semcore.api.results import Results

_named = set[type]()
"""Classes that were registered here by their own names."""
Named = str | Mapping[str, Any]
"""A component by its name in YAML, or by a mapping with `use`."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A pipeline of components, as a pipeline file describes it.

        Experiment(
            source=TestPictures(), encoder=PictureEncoder(), transport=LDPC(), channel=AWGN(),
            generator=PictureDecoder(),
        ).run(sweep={"channel.snr_db": [0, 5, 10]})

    A component may be given as an object, by its name in YAML, or by a mapping with `use`. A class
    of your own need not be registered: it gets its own name, in small letters with hyphens.

    Fields:
        source: where the samples come from
        encoder: extracts what is sent
        transport: carries all streams, or stream name -> transport
        channel: the link
        generator: regenerates the samples
        selector: picks one of several candidates
        kb: updates the knowledge bases
        planner: chooses a plan for each segment
        space: dotted path -> values that the planner chooses from
        scenario: what the planner knows, and the segments
        metrics: what is measured
        name: of the run's folder
        description: for the reader of the report
        seed: seed of every random number
        threads: threads of PyTorch and BLAS; None: as in a file
        batch_size: samples that are sent at a time
        sweep: dotted path -> values
        workflow: name of the workflow in force
        workflows: name -> the sections that it replaces
        plugins: Python files that register components
        hooks: names of hook plugins
    """

    source: Source | Named
    encoder: SemanticEncoder | Named
    transport: Transport | Named | Mapping[str, Transport | Named]
    channel: ChannelModel | Named
    generator: Generator | Named
    selector: Selector | Named | None = None
    kb: KBPolicy | Named | None = None
    planner: Planner | Named | None = None
    space: Mapping[str, Any] | None = None
    scenario: Mapping[str, Any] | None = None
    metrics: Sequence[Metric | Named] = ("psnr", "ssim")
    name: str = "experiment"
    description: str = ""
    seed: int = 0
    threads: int | None = None
    batch_size: int | None = None
    sweep: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    workflow: str | None = None
    workflows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plugins: Sequence[str | os.PathLike[str]] = ()
    hooks: Sequence[str] = ()

    def run(
        self,
        sweep: Mapping[str, Sequence[Any]] | None = None,
        *,
        out: str | os.PathLike[str] | None = None,
        jobs: int = 1,
        limit: int | None = None,
        time_limit_s: float | None = None,
        executor: Executor | Mapping[str, Any] | str | None = None,
        again: bool = False,
        hooks: Sequence[object] = (),
        progress: bool = True,
    ) -> Results:
        """Send the samples and measure what arrives.

        The cells and their ids are those of `to_yaml()`. Arguments as of `semcore.run`, except for:

        Args:
            sweep: dotted path -> values, in addition to those of the experiment

        Raises:
            ConfigError: with every problem found
            RunError: the folder cannot be written, or no cell could be computed
        """
        together = {**self.sweep, **(sweep or {})}
        made = dataclasses.replace(self, sweep=together)
        document = made._document()
        if (jobs > 1 or executor is not None) and (local := made._local()):
            names = ", ".join(cls.__name__ for cls in local)
            raise ComponentError(
                f"{names} can be computed in this process alone: put the code into a file, with "
                "@semcore.register, and name it (plugins=['mine.py']); or leave out jobs"
            )
        changes = [] if limit is None else [assigned("source.limit", limit)]
        return compute(
            document,
            changes,
            out=out,
            executor=executor_of(executor, jobs, time_limit_s),
            again=again,
            hooks=hooks,
            progress=progress,
        )

    def check(self) -> None:
        """Check it as `semcore check` does.

        Raises:
            ConfigError: with every problem found
        """
        checked(self._document())

    def to_yaml(self) -> str:
        """The pipeline file that says the same; settings with their default value are left out."""
        values: dict[str, Any] = {"semcore": VERSION, "name": self.name}
        sections = {name: getattr(self, name) for name in (*SECTIONS, "workflow", "workflows")}
        local = [cls for cls in _classes(list(sections.values())) if _is_local(cls)]
        files = [*(os.fspath(one) for one in self.plugins), *filter(None, map(_file, local))]
        sections = {"plugins": list(dict.fromkeys(files)), "hooks": self.hooks, **sections}
        for name, value in {"description": self.description, **sections}.items():
            if value or isinstance(value, Component):
                values[name] = _written(value)
        for name in ("seed", "threads", "batch_size"):
            if getattr(self, name):
                values[name] = getattr(self, name)
        if self.sweep:
            values["sweep"] = {path: _written(axis) for path, axis in self.sweep.items()}
        return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)

    @classmethod
    def from_yaml(cls, file: str | os.PathLike[str]) -> Experiment:
        """The experiment that a pipeline file describes, with a component for each that it names.

        Args:
            file: path of the file, or its text (of more than one line)

        Raises:
            ConfigError: with every problem found
        """
        text = os.fspath(file)
        if "\n" in text:
            document = documents.parse(text, "<text>", Path.cwd())
        else:
            document = documents.read(Path(text))
        values = dict(checked(document).values)
        values.pop("semcore")
        sweep = checked(document).axes
        made = {name: _read(name, value) for name, value in values.items()}
        if made.get("workflows"):
            made["workflows"] = {
                name: {section: _read(section, value) for section, value in sections.items()}
                for name, sections in made["workflows"].items()
            }
        made["plugins"] = [str(document.folder / one) for one in made.get("plugins") or ()]
        made.setdefault("name", Path(document.name).stem if "\n" not in text else "experiment")
        return cls(**made, sweep=sweep)

    def _document(self) -> Document:
        text = self.to_yaml()
        return documents.parse(text, f"<{self.name}>", Path.cwd())

    def _local(self) -> list[type]:
        """The classes of its components that no other process can import."""
        parts = [getattr(self, name) for name in SECTIONS]
        found = dict.fromkeys(_classes(parts))
        return [cls for cls in found if _is_local(cls) and _file(cls) is None]


class _Dumper(yaml.SafeDumper):
    """YAML without aliases; lists of plain values stand on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: Any = None) -> Any:
        flat = not any(isinstance(one, (list, dict)) for one in sequence)
        return super().represent_sequence(tag, sequence, flow_style=flat)


def _written(value: Any) -> Any:
    """A value as a pipeline file has it: components by their names, without default settings."""
    if isinstance(value, Component):
        _name(value)
        fields = {}
        for one in dataclasses.fields(value):
            default = one.default
            if one.default_factory is not dataclasses.MISSING:
                default = one.default_factory()
            own = getattr(value, one.name)
            if default is dataclasses.MISSING or plain(own) != plain(default):
                fields[one.name] = _written(own)
        return {"use": naming.name_of(type(value)), **fields}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _written(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(one) for one in value]
    return as_yaml(value)


def _name(component: Component) -> None:
    """Register the class of a component without a name by its own: `MyCodec` as `my-codec`."""
    cls = type(component)
    if ":" not in naming.name_of(cls):
        return
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", cls.__name__).lower()
    known = naming.find(cls.kind, name)
    if known is not None and naming.local(cls.kind, name) is None:
        raise ComponentError(
            f"{cls.__name__} would be called {name!r}, which {known.package} has: give it a name "
            f"with @semcore.register({cls.kind!r}, NAME)"
        )
    register(cls.kind, name)(cls)
    _named.add(cls)


def _read(name: str, value: Any) -> Any:
    """What a section of a file stands for: a component where one is named, else its values."""
    if name in COMPONENTS and is_component(value):
        return component(name, value, name)
    if name == "transport" and isinstance(value, Mapping):
        return {stream: _read("transport", one) for stream, one in value.items()}
    if name == "metrics":
        return [component("metric", one, name) for one in value]
    return value


def _classes(value: Any) -> list[type]:
    """The classes of all components in a value, nested ones included."""
    if isinstance(value, Component):
        inner = [getattr(value, one.name) for one in dataclasses.fields(value)]
        return [type(value), *_classes(inner)]
    if isinstance(value, Mapping):
        return _classes(list(value.values()))
    if isinstance(value, (list, tuple)):
        return [cls for one in value for cls in _classes(one)]
    return []


def _file(cls: type) -> str | None:
    """The file that registers a class, for other processes to run; None if there is none."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return None if cls.__module__ == "__main__" or cls in _named else file


def _is_local(cls: type) -> bool:
    """Whether a class was registered in this process, and not by an installed package."""
    return naming.local(getattr(cls, "kind", ""), naming.name_of(cls)) is cls
