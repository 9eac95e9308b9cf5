"""Groups of entry points that a package of components defines for others to extend it, such as
`semcore_channels.modulation`."""

from __future__ import annotations

from typing import Any

from semcore.entrypoints import discovery
from semcore.errors import PluginError


def extension_names(group: str) -> list[str]:
    """The names that packages in use have in a group, sorted; nothing is imported.

    Args:
        group: its name, which begins with `semcore_`
    """
    return sorted(discovery.entries(group))


def load_extension(group: str, name: str, interface: type[Any]) -> Any:
    """The object behind a name of a group; imports it.

    Raises:
        PluginError: no package in use has the name, two have it, it cannot be imported, or it is
            not an instance of the interface
    """
    entry = discovery.find(group, name)
    if entry is None:
        hint = discovery.left_out(group, name) or (
            f"installed are {', '.join(extension_names(group)) or 'none'}"
        )
        raise PluginError(f"there is no {discovery.word(group)} {name!r}; {hint}")
    found = discovery.load(entry)
    if not isinstance(found, interface):
        reason = f"is {found!r}; it must be an instance of {interface.__name__}"
        raise discovery.UnusableError(entry, reason)
    return found
