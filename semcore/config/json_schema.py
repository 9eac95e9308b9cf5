"""The JSON Schema of pipeline files, made of what is installed, for completion in editors.

By it an editor completes, explains and checks the YAML. A component is `{use: NAME, ...}`: under
`use` stand the names of its kind, and the name decides which fields there are. What only a sweep or
the command line brings is missing to an editor; `semcore check` sees everything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from semcore.children import IMPORT, Death, Limits, attempt
from semcore.config import document as yaml
from semcore.config.component_schema import Described, Schema, described, ref
from semcore.config.configuration import CHANGEABLE, SECTIONS, TOP, VERSION
from semcore.config.hook_plugins import is_tracker
from semcore.config.local_files import register_files
from semcore.config.setup import REQUIRED
from semcore.entrypoints import discovery, naming
from semcore.entrypoints.discovery import HOOKS, PluginEntry
from semcore.errors import ConfigError, PluginError, Problem
from semcore.planning.axes import Axis
from semcore.plugins import registry
from semcore.types import LIMITS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ELSEWHERE = ("recipe", "executor")
"""Kinds that no pipeline contains."""
MEANING = {
    "semcore": "Format of the file.",
    "name": "Name of the run, and of its folder; default the file's.",
    "description": "What it is about, for the reader of the report.",
    "seed": "Seed of every random number, default 0.",
    "batch_size": "Samples that are sent at a time, default 64; results do not depend on it.",
    "device": "What networks compute on: auto, cpu, cuda, cuda:NUMBER or mps, default cpu; "
    "results depend on it by rounding alone.",
    "threads": "Threads of each numerical library, default 1; "
    "another number rounds the last digits differently.",
    "source": "Where samples come from.",
    "encoder": "What is extracted and sent: emits named streams.",
    "transport": "How each stream becomes symbols: stream name -> component, "
    "or one for all streams.",
    "channel": "The link.",
    "generator": "What regenerates the source from what arrived.",
    "selector": "Which candidate is kept; without one, the first.",
    "kb": "Updates of the receiver's knowledge base.",
    "planner": "What adapts the pipeline between segments.",
    "space": "What the planner may plan: dotted path -> list of values, "
    "or {from: number, to: number}.",
    "scenario": "Task, preferences, what they are worth, limits, "
    "and how the world changes from segment to segment.",
    "metrics": "What is measured, default psnr and ssim.",
    "workflow": "The workflow that is chosen.",
    "workflows": "Named alternatives: each a set of sections, in place of the pipeline's.",
    "sweep": "Dotted path -> list of values, or start:stop:step.",
    "hooks": "Hook plugins that are called during the run: names, or {use: NAME, ...}.",
    "plugins": "Python files beside the pipeline that register components.",
}
"""What the keys of a pipeline file are for."""


def pipeline_schema(
    tell: Callable[[str], None] = lambda message: None,
    pipeline: Path | None = None,
    limits: Limits = IMPORT,
) -> Schema:
    """The schema of pipeline files.

    Args:
        tell: called with the fault of each component that cannot be imported; those are left out
        pipeline: a pipeline file; components registered by its `plugins` are in the schema, too
        limits: what the child process may use that imports installed components

    Raises:
        PluginError, ConfigError: the files beside the pipeline cannot be used
    """
    made = _Schemas(*_everything(tell, pipeline, limits))
    sections = {section: made.section(section) for section in SECTIONS}
    swept = {
        f"{section}.{field}": text
        for section in SECTIONS
        for field, text in made.settings(section).items()
    }
    axis = {"$ref": "#/$defs/axis"}
    alternative = {
        "type": "object",
        "properties": {name: {"$ref": f"#/properties/{name}"} for name in SECTIONS},
        "additionalProperties": False,
    }
    top: Schema = {
        "semcore": {"const": VERSION},
        "name": {"type": "string", "pattern": r"^\w[\w .+-]*$"},
        "description": {"type": "string"},
        "seed": {"type": "integer", "minimum": 0},
        "threads": {"type": "integer", "minimum": 1},
        "batch_size": {"type": "integer", "minimum": 1},
        "device": {"type": "string", "pattern": "^(auto|cpu|mps|cuda(:[0-9]+)?)$"},
        **sections,
        "workflow": {"type": ["string", "null"]},
        "workflows": {"type": "object", "additionalProperties": alternative},
        "sweep": {
            "type": ["object", "null"],
            "properties": {path: {**axis, "description": text} for path, text in swept.items()},
            "patternProperties": {rf"^({'|'.join(CHANGEABLE)})(\.|$)": axis},
            "additionalProperties": False,
        },
        "hooks": {
            "type": ["array", "null"],
            "items": {"if": {"type": "string"}, "else": ref(HOOKS)},
        },
        "plugins": {"type": ["array", "null"], "items": {"type": "string"}},
    }
    return {
        "$schema": DIALECT,
        "title": "semcore pipeline",
        "type": "object",
        "properties": {
            key: {"description": MEANING.get(key, ""), **top.get(key, {})} for key in TOP
        },
        "required": ["semcore"],
        "anyOf": [{"required": list(REQUIRED)}, {"required": ["workflows"]}],
        "additionalProperties": False,
        "$defs": {
            "axis": {
                "description": "Values to sweep over: a list, or start:stop:step.",
                "anyOf": [
                    {"type": "array", "minItems": 1},
                    {"type": "string", "pattern": r"^[^:\s]+:[^:\s]+:[^:\s]+$"},
                ],
            },
            **made.definitions,
        },
    }


def describe(task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Import and describe components; runs in a child process.

    Args:
        task: `entries`: what `PluginEntry` holds of each component of one module; or `pipeline`:
            the path of a pipeline file, for the components that its `plugins` register
    """
    found = [PluginEntry(**fields) for fields in task.get("entries", ())]
    if "pipeline" in task:
        document = yaml.read(Path(task["pipeline"]))
        values = document.values if isinstance(document.values, dict) else {}
        if problems := register_files(values, document):
            yield {"faults": [dataclasses.asdict(problem) for problem in problems]}
        found = naming.registered()
    for entry in found:
        place = {"kind": entry.kind, "name": entry.name}
        try:
            if entry.kind == HOOKS and not is_tracker(entry.name):  # its name will do
                yield {**place, "problem": ""}
                continue
            if "pipeline" in task:
                cls = registry.load(entry.kind, entry.name)
            else:
                cls = registry.resolve(entry)
            yield {**place, "is": dataclasses.asdict(described(entry.name, cls))}
        except PluginError as error:
            yield {**place, "problem": str(error)}
        except (Exception, SystemExit) as error:  # a third-party class can raise anything
            reason = discovery.one_line(error)
            problem = f"{entry.label} of {entry.package} cannot be used: {reason}"
            yield {**place, "problem": problem}
    yield {"axes": [list(keys) for keys in Axis.kinds]}


def _everything(
    tell: Callable[[str], None], pipeline: Path | None, limits: Limits
) -> tuple[dict[str, dict[str, Described]], set[tuple[str, ...]]]:
    """Kind -> name -> component, by name, and the keys of each kind of axis; installed ones are
    imported in a child process.

    Raises:
        PluginError, ConfigError: the files beside the pipeline cannot be used
    """
    known, axes = dict[tuple[str, str], Described](), set(Axis.kinds)
    modules: dict[str, list[PluginEntry]] = {}
    for kind in (kind for kind in naming.KINDS if kind not in ELSEWHERE):
        for name in naming.names(kind):
            try:
                entry = naming.find(kind, name)
            except PluginError as error:
                tell(str(error))
                continue
            if entry in naming.registered():
                known[kind, name] = described(name, registry.load(kind, name))
            elif entry is not None:
                modules.setdefault(entry.module, []).append(entry)
    tasks: list[dict[str, Any]] = [{"pipeline": str(pipeline)}] if pipeline else []
    groups: list[list[PluginEntry]] = [*([] for _ in tasks), *map(list, modules.values())]
    tasks += [{"entries": [vars(entry) for entry in entries]} for entries in modules.values()]
    for index, value in attempt("semcore.config.json_schema:describe", tasks, limits):
        if isinstance(value, Death):
            if "pipeline" in tasks[index]:
                named = f"the files that {pipeline} names under `plugins`"
                raise PluginError(f"{named} cannot be imported: one {value}")
            for entry in groups[index]:
                package = f"{entry.package} {entry.version}"
                tell(f"{entry.label} of {package} {value.during('when it is imported')}")
            continue
        if "faults" in value:
            raise ConfigError([Problem(**fields) for fields in value["faults"]])
        if "axes" in value:
            axes |= set(map(tuple, value["axes"]))
            continue
        groups[index] = groups[index][1:]
        if "problem" in value:
            if value["problem"]:
                tell(value["problem"])
        else:
            known.setdefault((value["kind"], value["name"]), Described(**value["is"]))
    kinds = [kind for kind in naming.KINDS if kind not in ELSEWHERE]
    return {
        kind: {name: known[where, name] for where, name in sorted(known) if where == kind}
        for kind in kinds
    }, axes


class _Schemas:
    """Definitions by kind, and by kind and name; a nested component refers to that of its kind."""

    def __init__(
        self, known: Mapping[str, Mapping[str, Described]], axes: Collection[tuple[str, ...]]
    ) -> None:
        self.definitions: Schema = {}
        self.known, self.axes = known, axes
        for kind, components in known.items():
            self.definitions[kind] = self._kind(kind, components)
            for name, one in components.items():
                self.definitions[f"{kind}.{name}"] = one.schema

    def section(self, name: str) -> Schema:
        """A section of a pipeline; those that may be missing may be empty."""
        if name == "transport":
            streams = {"type": "object", "additionalProperties": ref("transport")}
            one = {"anyOf": [{"type": "string"}, {"required": ["use"]}]}
            return {"if": one, "then": ref("transport"), "else": streams}
        if name == "metrics":
            return {"type": ["array", "null"], "items": ref("metric")}
        if name == "scenario":
            return _scenario()
        if name == "space":
            number = {"type": "number"}
            keys = ("from", "to")
            bounds = {
                "type": "object",
                "properties": {key: number for key in keys},
                "required": [*keys],
                "additionalProperties": False,
            }
            others = [
                {"type": "object", "required": [*one]} for one in sorted(self.axes) if one != keys
            ]
            axis = {"anyOf": [{"type": "array", "minItems": 1}, bounds, *others]}
            return {"type": ["object", "null"], "additionalProperties": axis}
        return ref(name) if name in REQUIRED else {"if": {"type": "null"}, "else": ref(name)}

    def settings(self, section: str) -> dict[str, str]:
        """The fields of the components of a section with what they are for: what may be swept."""
        components = self.known.get(section, {})
        found = {"use": f"Which {section}."} if components else {}
        for one in components.values():
            for field, text in one.docs.items():
                found.setdefault(field, text)
        return found

    def _kind(self, kind: str, components: Mapping[str, Described]) -> Schema:
        bare = [name for name, one in components.items() if one.bare]
        names = [{"const": name, "description": one.about} for name, one in components.items()]
        written: Schema = {
            "type": "object",
            "properties": {
                "use": {
                    "description": f"Which {kind}.",
                    **({"oneOf": names} if names else {"enum": []}),
                }
            },
            "required": ["use"],
            "allOf": [
                {
                    "if": {
                        "type": "object",
                        "properties": {"use": {"const": name}},
                        "required": ["use"],
                    },
                    "then": ref(f"{kind}.{name}"),
                }
                for name in components
            ],
        }
        # Not `anyOf`: of two alternatives that both fail an editor would show the wrong one.
        # Where nothing is written yet, it offers `else`: names for a metric, `use` elsewhere.
        if kind == "metric":
            return {"if": {"type": "object"}, "then": written, "else": {"enum": bare}}
        return {"if": {"type": "string"}, "then": {"enum": bare}, "else": written}


def _scenario() -> Schema:
    number = {"type": "number"}
    weight = {**number, "exclusiveMinimum": 0}
    term = {
        "type": "object",
        "properties": {"good": number, "bad": number, "weight": weight},
        "required": ["good", "bad"],
        "additionalProperties": False,
    }
    limits = {
        name: {"description": f"The most: {text}.", **number} for name, text in LIMITS.items()
    }
    task = {
        "task": {"type": ["string", "null"]},
        "preferences": {"type": ["string", "null"]},
        "utility": {"type": ["object", "null"], "additionalProperties": term},
        "limits": {"type": ["object", "null"], "properties": limits, "additionalProperties": False},
    }
    named = {"type": "object", "properties": task, "additionalProperties": False}
    properties = {
        **task,
        "mission": {"type": ["string", "null"]},
        "missions": {"type": ["object", "null"], "additionalProperties": named},
        "segments": {"type": ["array", "null"], "items": {"type": "object"}},
    }
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}
