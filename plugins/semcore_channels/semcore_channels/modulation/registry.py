"""Modulations by name: those of this package, of installed packages, and of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from semcore import PluginError, Spelt, extension_names, load_extension, source_digest
from semcore_channels.modulation.base import Modulation
from semcore_channels.modulation.qam import BPSK, QAM, QAM4

GROUP = "semcore_channels.modulation"
"""Entry points of this group name instances of `Modulation`: `8psk = "my_package.psk:PSK8"`."""
BUILT_IN: dict[str, Modulation] = {
    "bpsk": BPSK(),
    "4qam": QAM4,
    "16qam": QAM(4),
    "64qam": QAM(6),
    "256qam": QAM(8),
}
SYNONYMS = (
    ("qpsk", "4qam"),
    ("4psk", "4qam"),
    ("2psk", "bpsk"),
    ("2qam", "bpsk"),
    ("2pam", "bpsk"),
)

_registered: dict[str, Modulation] = {}


def register(name: str, modulation: Modulation) -> None:
    """Make a modulation known by `name` in this process, from a test or a file beside a pipeline.

    Args:
        name: value of the setting `modulation`, such as `8psk`
        modulation: an instance

    Raises:
        PluginError: it is not a `Modulation`, or semcore-channels has one of that name
    """
    if name in BUILT_IN:
        raise PluginError(
            f"modulation {name!r}: semcore-channels has one of that name; choose another"
        )
    if not isinstance(modulation, Modulation):
        raise PluginError(
            f"modulation {name!r} is {modulation!r}; it must be an instance of Modulation"
        )
    _registered[name] = modulation


def names() -> list[str]:
    """All names, those of this package first."""
    return list(dict.fromkeys([*BUILT_IN, *sorted({*extension_names(GROUP), *_registered})]))


def load(name: str) -> Modulation:
    """The modulation of a name; imports it.

    Raises:
        PluginError: the name is unknown, two packages give it, or what it names cannot be used
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name in _registered:
        return _registered[name]
    modulation: Modulation = load_extension(GROUP, name, Modulation)
    return modulation


def identity(name: str) -> str:
    """Digest of the source of a modulation, for the identity of its transport; "" if built in."""
    return "" if name in BUILT_IN else source_digest(type(load(name)))


class _Registered:
    """Validates a name against those that are known when a pipeline is checked."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import PydanticKnownError, core_schema

        def check(value: Any) -> str:
            known = names()
            if isinstance(value, str) and value in known:
                return value
            *first, last = map(repr, known)
            raise PydanticKnownError("literal_error", {"expected": f"{', '.join(first)} or {last}"})

        return core_schema.no_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"enum": names(), "type": "string"}


if TYPE_CHECKING:
    ModulationName = str
else:
    ModulationName = Annotated[Literal[tuple(BUILT_IN)], Spelt(SYNONYMS), _Registered()]
"""Type of a setting that names a modulation."""
