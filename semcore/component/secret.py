"""Secrets: keys and passwords that a component uses and that are never written.

A pipeline names the environment variable that holds one (`key: env:NAME`). Settings, digests,
pickles and results hold that name; the value is read where it is used. Output is redacted as well,
in case a component or a library prints the value.
"""

from __future__ import annotations

import dataclasses
import os
import re
from typing import Any

from semcore.errors import ComponentError
from semcore.wording import redaction

PREFIX = "env:"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WANTED = f"must be written {PREFIX}NAME, with the secret itself in the environment variable NAME"


class Secret(str):
    """A secret, by the name of its environment variable; as text, `env:NAME`, as in YAML.

    Args:
        variable: name of the environment variable
    """

    def __new__(cls, variable: str) -> Secret:
        """Also has this process redact the value, if the variable is set."""
        if not isinstance(variable, str) or not _NAME.fullmatch(variable):
            raise ComponentError("a Secret takes the name of an environment variable, not a value")
        secret = super().__new__(cls, PREFIX + variable)
        secret._learn()
        return secret

    def __reduce__(self) -> Any:  # by the constructor, so that the other process redacts it as well
        return Secret, (self.variable,)

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return self[len(PREFIX) :]

    @property
    def is_set(self) -> bool:
        """Whether the environment variable is set and not empty."""
        return bool(os.environ.get(self.variable))

    def reveal(self) -> str:
        """The secret itself, to be used at once and not stored.

        Raises:
            ComponentError: the environment variable is not set
        """
        if not self.is_set:
            raise ComponentError(f"the environment variable {self.variable} is not set")
        self._learn()
        return os.environ[self.variable]

    def _learn(self) -> None:
        value = os.environ.get(self.variable, "")
        lines = [line for line in value.splitlines() if len(line) > 15]  # as in a private key
        for part in (value, value.strip(), *lines):
            redaction.learn(part, f"[{self}]")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        written = core_schema.str_schema(pattern=f"^{PREFIX}{_NAME.pattern}$")
        read = core_schema.no_info_plain_validator_function(cls._read)
        return core_schema.json_or_python_schema(written, read)

    @classmethod
    def _read(cls, value: Any) -> Secret:
        name = value.removeprefix(PREFIX) if isinstance(value, str) else ""
        if name != value and _NAME.fullmatch(name):
            return cls(name)
        if not isinstance(value, cls):
            raise ValueError(WANTED)
        return value


def holds_secret(annotation: Any) -> bool:
    """Whether a field of this type holds a secret; an invalid value must not be shown."""
    return annotation is Secret or any(map(holds_secret, getattr(annotation, "__args__", ())))


def unset(component: Any) -> dict[str, str]:
    """Field -> environment variable of each secret of a component that is not set."""
    unset = {}
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        if isinstance(value, Secret) and not value.is_set:
            unset[field.name] = value.variable
    return unset
