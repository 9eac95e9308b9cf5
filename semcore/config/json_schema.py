"""The JSON Schema of pipeline files, made of what is installed: by it an editor completes, explains and checks the YAML.

A component is `{use: NAME, ...}`: under `use` stand the names of its kind, and the name decides which fields there are. What
only a sweep or the command line brings is missing to an editor; `semcore check` sees everything.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from semcore.component.base import Component, field_types, plain, required, unit_of
from semcore.config import document as yaml
from semcore.config.experiment import CHANGEABLE, SECTIONS, TOP, VERSION
from semcore.config.fields import default
from semcore.config.local_files import register_files
from semcore.config.setup import REQUIRED
from semcore.entrypoints import discovery, naming
from semcore.entrypoints.discovery import PluginEntry
from semcore.errors import ConfigError, PluginError, Problem
from semcore.planning.axes import Axis
from semcore.plugins import registry
from semcore.plugins.docstrings import documentation, summary
from semcore.sandbox import IMPORT, Death, Limits, attempt
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
    "threads": "Threads of each numerical library, default 1; another number rounds the last digits differently.",
    "source": "Where samples come from.",
    "encoder": "What is extracted and sent: emits named streams.",
    "transport": "How each stream becomes symbols: stream name -> component, or one for all streams.",
    "channel": "The link.",
    "generator": "What regenerates the source from what arrived.",
    "selector": "Which candidate is kept; without one, the first.",
    "kb": "Updates of the receiver's knowledge base.",
    "planner": "What adapts the pipeline between segments.",
    "space": "What the planner may plan: dotted path -> list of values, or {from: number, to: number}.",
    "scenario": "Task, preferences, what they are worth, limits, and how the world changes from segment to segment.",
    "metrics": "What is measured, default psnr and ssim.",
    "workflow": "The workflow that is chosen.",
    "workflows": "Named alternatives: each a set of sections, in place of the pipeline's.",
    "sweep": "Dotted path -> list of values, or start:stop:step.",
    "hooks": "Hook plugins to load.",
    "plugins": "Python files beside the pipeline that register components.",
}
"""What the keys of a pipeline file are for."""

Schema = dict[str, Any]


def pipeline_schema(
    tell: Callable[[str], None] = lambda message: None,
    pipeline: Path | None = None,
    limits: Limits = IMPORT,
) -> Schema:
    """The schema of pipeline files.

    Args:
        tell: called with what is wrong with each component that cannot be imported; those are left out
        pipeline: a pipeline file; what the files beside it register that it names under `plugins` is in the schema, too
        limits: what the child process may use that imports installed components

    Raises:
        PluginError, ConfigError: the files beside the pipeline cannot be used
    """
    made = _Schemas(_everything(tell, pipeline, limits))
    sections = {section: made.section(section) for section in SECTIONS}
    swept = {
        f"{section}.{field}": text
        for section in SECTIONS
        for field, text in made.settings(section).items()
    }
    top: Schema = {
        "semcore": {"const": VERSION},
        "name": {"type": "string", "pattern": r"^\w[\w .+-]*$"},
        "description": {"type": "string"},
        "seed": {"type": "integer", "minimum": 0},
        "threads": {"type": "integer", "minimum": 1},
        "batch_size": {"type": "integer", "minimum": 1},
        **sections,
        "workflow": {"type": ["string", "null"]},
        "workflows": {"type": "object", "additionalProperties": {
            "type": "object", "properties": {name: {"$ref": f"#/properties/{name}"} for name in SECTIONS},
            "additionalProperties": False,
        }},
        "sweep": {
            "type": ["object", "null"],
            "properties": {path: {"$ref": "#/$defs/axis", "description": text} for path, text in swept.items()},
            "patternProperties": {rf"^({'|'.join(CHANGEABLE)})(\.|$)": {"$ref": "#/$defs/axis"}},
            "additionalProperties": False,
        },
        "hooks": {"type": ["array", "null"], "items": {"type": "string"}},
        "plugins": {"type": ["array", "null"], "items": {"type": "string"}},
    }  # fmt: skip
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


@dataclasses.dataclass(frozen=True)
class _Described:
    """What is known of a component without its class, which may have been imported elsewhere.

    Fields:
        about: the first sentence of its docstring
        bare: whether its name alone will do
        docs: field -> what it is for
        schema: its definition
    """

    about: str
    bare: bool
    docs: Mapping[str, str]
    schema: Schema


def _described(kind: str, name: str, cls: type[Component]) -> _Described:
    bare = not any(map(required, dataclasses.fields(cls)))
    return _Described(summary(cls.__doc__), bare, documentation(cls), _component(name, cls))


def describe(task: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Import the components of a module, or those that the files beside a pipeline register, and describe each; in a child.

    Args:
        task: `entries`: what `PluginEntry` holds of each component of one module; or `pipeline`: the path of a pipeline file
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
            cls = (
                registry.load(entry.kind, entry.name)
                if "pipeline" in task
                else registry.resolve(entry)
            )
            yield {**place, "is": dataclasses.asdict(_described(entry.kind, entry.name, cls))}
        except PluginError as error:
            yield {**place, "problem": str(error)}
        except (Exception, SystemExit) as error:  # a third-party class can raise anything
            yield {
                **place,
                "problem": f"{entry.label} of {entry.package} cannot be used: {discovery.one_line(error)}",
            }


def _everything(
    tell: Callable[[str], None], pipeline: Path | None, limits: Limits
) -> dict[str, dict[str, _Described]]:
    """Kind -> name -> component, in the order of names; installed ones are imported in a child process.

    Raises:
        PluginError, ConfigError: the files beside the pipeline cannot be used
    """
    known: dict[tuple[str, str], _Described] = {}
    modules: dict[str, list[PluginEntry]] = {}
    for kind in (kind for kind in naming.KINDS if kind not in ELSEWHERE):
        for name in naming.names(kind):
            try:
                entry = naming.find(kind, name)
            except PluginError as error:
                tell(str(error))
                continue
            if entry in naming.registered():
                known[kind, name] = _described(kind, name, registry.load(kind, name))
            elif entry is not None:
                modules.setdefault(entry.module, []).append(entry)
    tasks: list[dict[str, Any]] = [{"pipeline": str(pipeline)}] if pipeline else []
    groups: list[list[PluginEntry]] = [[] for _ in tasks] + [
        list(entries) for entries in modules.values()
    ]
    tasks += [{"entries": [vars(entry) for entry in entries]} for entries in modules.values()]
    for index, value in attempt("semcore.config.json_schema:describe", tasks, limits):
        if isinstance(value, Death):
            if "pipeline" in tasks[index]:
                raise PluginError(
                    f"the files that {pipeline} names under `plugins` cannot be imported: one {value}"
                )
            for entry in groups[index]:
                tell(
                    f"{entry.label} of {entry.package} {entry.version} {value.during('when it is imported')}"
                )
            continue
        if "faults" in value:
            raise ConfigError([Problem(**fields) for fields in value["faults"]])
        groups[index] = groups[index][1:]
        if "problem" in value:
            tell(value["problem"])
        else:
            known.setdefault((value["kind"], value["name"]), _Described(**value["is"]))
    kinds = [kind for kind in naming.KINDS if kind not in ELSEWHERE]
    return {
        kind: {name: known[where, name] for where, name in sorted(known) if where == kind}
        for kind in kinds
    }


class _Schemas:
    """Definitions by kind, and by kind and name; a nested component refers to that of its kind."""

    def __init__(self, known: Mapping[str, Mapping[str, _Described]]) -> None:
        self.definitions: Schema = {}
        self.known = known
        for kind, components in known.items():
            self.definitions[kind] = self._kind(kind, components)
            for name, one in components.items():
                self.definitions[f"{kind}.{name}"] = one.schema

    def section(self, name: str) -> Schema:
        """A section of a pipeline; those that may be missing may be empty."""
        if name == "transport":
            streams = {"type": "object", "additionalProperties": _ref("transport")}
            one = {"anyOf": [{"type": "string"}, {"required": ["use"]}]}
            return {"if": one, "then": _ref("transport"), "else": streams}
        if name == "metrics":
            return {"type": ["array", "null"], "items": _ref("metric")}
        if name == "scenario":
            return _scenario()
        if name == "space":
            number = {"type": "number"}
            bounds = {
                "type": "object",
                "properties": {"from": number, "to": number},
                "required": ["from", "to"],
            }
            others = [
                {"type": "object", "required": list(keys)}
                for keys in Axis.kinds
                if keys != ("from", "to")
            ]
            axis = {
                "anyOf": [
                    {"type": "array", "minItems": 1},
                    {**bounds, "additionalProperties": False},
                    *others,
                ]
            }
            return {"type": ["object", "null"], "additionalProperties": axis}
        return _ref(name) if name in REQUIRED else {"if": {"type": "null"}, "else": _ref(name)}

    def settings(self, section: str) -> dict[str, str]:
        """The fields of the components of a section with what they are for: what may be swept."""
        components = self.known.get(section, {})
        found = {"use": f"Which {section}."} if components else {}
        for one in components.values():
            for field, text in one.docs.items():
                found.setdefault(field, text)
        return found

    def _kind(self, kind: str, components: Mapping[str, _Described]) -> Schema:
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
                    "then": _ref(f"{kind}.{name}"),
                }
                for name in components
            ],
        }
        # Not `anyOf`: of two alternatives that both fail an editor would show the wrong one.
        # Where nothing is written yet, it offers the second: names in a list of metrics, `use` elsewhere.
        if kind == "metric":
            return {"if": {"type": "object"}, "then": written, "else": {"enum": bare}}
        return {"if": {"type": "string"}, "then": {"enum": bare}, "else": written}


def _component(name: str, cls: type[Component]) -> Schema:
    fields = dataclasses.fields(cls)
    annotations, docs = field_types(cls), documentation(cls)
    properties: Schema = {"use": {"const": name, "description": summary(cls.__doc__)}}
    for field in fields:
        unit = unit_of(field.name)
        text = " ".join(filter(None, (docs.get(field.name, ""), f"[{unit}]" if unit else "")))
        shape = _type(annotations[field.name])
        if isinstance(
            field.default, Component
        ):  # `codec: {quality: 30}` changes the one that is there
            shape = {"anyOf": [shape, {**_fields_of(field.default), "not": {"required": ["use"]}}]}
        properties[field.name] = {"description": text, **_default(field), **shape}
    return {
        "type": "object", "description": summary(cls.__doc__), "properties": properties,
        "required": ["use", *(field.name for field in fields if required(field))], "additionalProperties": False,
    }  # fmt: skip


def _fields_of(default: Component) -> Schema:
    where = f"{default.kind}.{naming.name_of(type(default))}"
    names = [field.name for field in dataclasses.fields(type(default))]
    inside = {name: {"$ref": f"#/$defs/{where}/properties/{name}"} for name in names}
    return {"type": "object", "properties": inside, "additionalProperties": False}


def _type(annotation: Any) -> Schema:
    """What a field may hold. Where a component is nested the shape is ours, everything else is pydantic's."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return _ref(annotation.kind)
    if origin is typing.Annotated and any(hasattr(one, "func") for one in arguments[1:]):
        return {
            "anyOf": [_leaf(annotation), {"type": "string"}]
        }  # a validator of its own reads more: `rate: 1/2`
    if not _holds_component(annotation):
        return _leaf(annotation)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_type(one) for one in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0])}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": _type(arguments[1])}
    return _type(arguments[0]) if origin is typing.Annotated else {}


def _scenario() -> Schema:
    number = {"type": "number"}
    term = {
        "type": "object", "properties": {"good": number, "bad": number, "weight": {"type": "number", "exclusiveMinimum": 0}},
        "required": ["good", "bad"], "additionalProperties": False,
    }  # fmt: skip
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


def _leaf(annotation: Any) -> Schema:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

    try:
        made = TypeAdapter(annotation).json_schema()
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError):
        return {}  # a third-party type that JSON Schema cannot express
    return _inlined(made, made.pop("$defs", {}))


def _inlined(value: Any, definitions: Mapping[str, Any]) -> Any:
    """A schema without references of its own and without titles, which only repeat names."""
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(definitions[value["$ref"].rsplit("/", 1)[-1]], definitions)
    return {
        key: _inlined(item, definitions)
        for key, item in value.items()
        if key != "title" or not isinstance(item, str)
    }


def _holds_component(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Component):
        return True
    return any(_holds_component(one) for one in typing.get_args(annotation))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _default(field: dataclasses.Field[Any]) -> Schema:
    return {} if required(field) else {"default": plain(default(field))}
