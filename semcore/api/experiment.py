"""An experiment from components, and the pipeline file that says the same."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from semcore.api.launch import compute, executor_of
from semcore.api.local import files_of, named
from semcore.component.base import Component, plain
from semcore.config import document as documents
from semcore.config.build import component
from semcore.config.configuration import checked
from semcore.config.document import Document
from semcore.config.layers import SECTIONS
from semcore.config.paths import as_yaml, assigned
from semcore.config.setup import COMPONENTS, components_in, is_component
from semcore.config.top_level import VERSION
from semcore.errors import ConfigError
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
from semcore.plugins.hookspecs import Tracker

if TYPE_CHECKING:
    from semcore.api.results import Results

Named = str | Mapping[str, Any]
"""A component by its name in YAML, or by a mapping with `use`."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A pipeline of components, as a pipeline file describes it.

        Experiment(
            source=SamplePictures(limit=16),
            encoder=BitstreamEncoder(codec=Jpeg(quality=50)),
            transport=LDPC(),
            channel=AWGN(),
            generator=BitstreamGenerator(codec=Jpeg()),
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
        device: what networks compute on; None: the CPU
        sweep: dotted path -> values
        workflow: name of the workflow in force
        workflows: name -> the sections that it replaces
        plugins: Python files that register components
        hooks: hook plugins: trackers, their names in YAML, or mappings with `use`
    """

    source: Source | Named | None = None
    encoder: SemanticEncoder | Named | None = None
    transport: Transport | Named | Mapping[str, Transport | Named] | None = None
    channel: ChannelModel | Named | None = None
    generator: Generator | Named | None = None
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
    device: str | None = None
    sweep: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    workflow: str | None = None
    workflows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    plugins: Sequence[str | os.PathLike[str]] = ()
    hooks: Sequence[Tracker | Named] = ()

    def run(
        self,
        sweep: Mapping[str, Any] | None = None,
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
            sweep: dotted path -> values, in addition to those of the experiment; a single value,
                such as a component, is set

        Raises:
            ConfigError: with every problem found
            RunError: the folder cannot be written, or no cell could be computed
        """
        settings = {**(sweep or {}), **({} if limit is None else {"source.limit": limit})}
        files = files_of({type(part) for part in components_in(settings)})
        changes = [assigned(path, _written(value)) for path, value in settings.items()]
        return compute(
            dataclasses.replace(self, plugins=[*self.plugins, *files])._document(),
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
        classes = {type(part) for part in components_in([sections, list(self.hooks)])}
        files = [*(os.fspath(one) for one in self.plugins), *files_of(classes)]
        sections = {"plugins": list(dict.fromkeys(files)), "hooks": self.hooks, **sections}
        for name, value in {"description": self.description, **sections}.items():
            if value or isinstance(value, Component):
                values[name] = _written(value)
        for name in ("seed", "threads", "batch_size", "device"):
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
        configuration = checked(document)
        values = dict(configuration.values)
        values.pop("semcore")
        made = {name: _read(name, value) for name, value in values.items()}
        if made.get("workflows"):
            made["workflows"] = {
                name: {section: _read(section, value) for section, value in sections.items()}
                for name, sections in made["workflows"].items()
            }
        made["plugins"] = [str(document.folder / one) for one in made.get("plugins") or ()]
        made.setdefault("name", Path(document.name).stem if "\n" not in text else "experiment")
        return cls(**made, sweep=configuration.axes)

    def _document(self) -> Document:
        text = self.to_yaml()
        return documents.parse(text, f"<{self.name}>", Path.cwd())


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
        fields = {}
        for one in dataclasses.fields(value):
            default = one.default
            if one.default_factory is not dataclasses.MISSING:
                default = one.default_factory()
            own = getattr(value, one.name)
            if default is dataclasses.MISSING or plain(own) != plain(default):
                fields[one.name] = _written(own)
        return {"use": named(type(value)), **fields}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(name): _written(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_written(one) for one in value]
    return as_yaml(value)


def _read(name: str, value: Any) -> Any:
    """What a section of a file stands for: a component where one is named, else its values."""
    kind = "metric" if name == "metrics" else name
    if kind in (*COMPONENTS, "transport", "metric") and is_component(value):
        try:
            return component(kind, value, name)
        except ConfigError:  # it lacks a setting that a sweep or a plan gives it
            return value
    if name == "transport" and isinstance(value, Mapping):
        return {stream: _read("transport", one) for stream, one in value.items()}
    if name == "metrics" and isinstance(value, list):
        return [_read("metrics", one) for one in value]
    return value
