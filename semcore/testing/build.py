"""Components made as a pipeline would make them, from the settings that their class wants to be
tried with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from semcore.component.base import Component, required
from semcore.config.build import component
from semcore.entrypoints import naming
from semcore.testing.examples import folder

FOLDER = "{folder}"
"""Stands in `test_settings` for a folder of pictures and captions, see
`semcore.testing.examples.folder`."""


def build(kind: str, settings: Mapping[str, Any]) -> Component:
    """The component that a pipeline would build from these settings; `{folder}` in them is
    replaced.

    Raises:
        ConfigError: they are wrong
    """
    return component(kind, _placed(settings))


def tried(cls: type[Component]) -> list[Component]:
    """A component for each of the settings in `test_settings`, or the one with the defaults.

    Raises:
        ConfigError, ComponentError: the settings are wrong, or the defaults are not enough
    """
    name = naming.name_of(cls)
    if naming.find(cls.kind, name) is None:  # not registered: no pipeline could name it
        return [cls(**_placed(settings)) for settings in cls.test_settings or ({},)]
    return [build(cls.kind, {"use": name, **settings}) for settings in cls.test_settings or ({},)]


def names_required(cls: type[Component]) -> list[str]:
    """Names of the fields without a default."""
    return [one.name for one in dataclasses.fields(cls) if required(one)]


def _placed(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(FOLDER, folder()) if FOLDER in value else value
    if isinstance(value, Mapping):
        return {key: _placed(item) for key, item in value.items()}
    return [_placed(item) for item in value] if isinstance(value, (list, tuple)) else value
