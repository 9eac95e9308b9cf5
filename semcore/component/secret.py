"""Secrets: keys and passwords that a component uses, and that nothing writes down.

A pipeline names the environment variable that holds one (`key: env:NAME`). Settings, digests, pickles and results hold that
name; the value is read where it is used. What is written and printed is redacted all the same, so that a component that says
too much, or an error of a library that does, gives nothing away.
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
    """A secret, by the name of the environment variable that holds it: as a text it is `env:NAME`, as in YAML.

    Args:
        variable: name of the environment variable
    """

    def __new__(cls, variable: str) -> Secret:
        """Also lets this process redact the value, if there is one."""
        if not isinstance(variable, str) or not _NAME.fullmatch(variable):
            raise ComponentError("a Secret takes the name of an environment variable, not the secret itself")
        made = super().__new__(cls, PREFIX + variable)
        made._learn()
        return made

    def __reduce__(self) -> Any:
        return Secret, (self.variable,)  # made anew, so that the process that reads it redacts it, too

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return self[len(PREFIX) :]

    @property
    def is_set(self) -> bool:
        """Whether the environment variable holds something."""
        return bool(os.environ.get(self.variable))

    def reveal(self) -> str:
        """The secret itself; ask for it where it is used, and keep it nowhere.

        Raises:
            ComponentError: the environment variable is not set
        """
        if not self.is_set:
            raise ComponentError(f"the environment variable {self.variable} is not set")
        self._learn()
        return os.environ[self.variable]

    def _learn(self) -> None:
        value = os.environ.get(self.variable, "")
        lines = [line for line in value.splitlines() if len(line) > 15]  # of a private key, say
        for part in (value, value.strip(), *lines):
            redaction.learn(part, f"[{self}]")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        written = core_schema.str_schema(pattern=f"^{PREFIX}{_NAME.pattern}$")
        return core_schema.json_or_python_schema(written, core_schema.no_info_plain_validator_function(cls._read))

    @classmethod
    def _read(cls, value: Any) -> Secret:
        if isinstance(value, str) and value.startswith(PREFIX) and _NAME.fullmatch(value[len(PREFIX) :]):
            return cls(value[len(PREFIX) :])
        if not isinstance(value, cls):
            raise ValueError(WANTED)
        return value


def holds_secret(annotation: Any) -> bool:
    """Whether a field of this type holds a secret: what is written there instead must not be shown."""
    return annotation is Secret or any(map(holds_secret, getattr(annotation, "__args__", ())))


def unset(component: Any) -> dict[str, str]:
    """Field -> environment variable of each secret of a component that is not set."""
    held = {field.name: getattr(component, field.name) for field in dataclasses.fields(component)}
    return {name: one.variable for name, one in held.items() if isinstance(one, Secret) and not one.is_set}
