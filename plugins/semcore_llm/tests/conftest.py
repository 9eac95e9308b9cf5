"""Fixtures of the planner that asks an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from semcore import Secret
from semcore_llm.testing.endpoints import LocalEndpoint, completion, endpoint, script

from .support.asked import ANSWER, CANARY


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[LocalEndpoint]:
    """An address of this machine that nobody may be led to."""
    with endpoint(script(completion(ANSWER))) as heard:
        yield heard


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Secret:
    monkeypatch.setenv("SEMCORE_TEST_KEY", CANARY)
    return Secret("SEMCORE_TEST_KEY")
