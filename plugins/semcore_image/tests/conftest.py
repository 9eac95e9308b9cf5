"""What the tests of this package share."""

from __future__ import annotations

import socket

import numpy as np
import pytest


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to reach a network fails the test."""

    def refuse(*arguments: object, **settings: object) -> None:
        raise AssertionError("a test tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def picture() -> np.ndarray:
    """A picture with gradients, an edge and noise: uint8 (48, 64, 3)."""
    rows, columns = np.mgrid[:48, :64]
    planes = np.stack([rows * 5, columns * 4, 128 + 100 * ((rows - 24) ** 2 + (columns - 32) ** 2 < 200)], axis=-1)
    return (planes + np.random.default_rng(1).normal(0, 4, planes.shape)).clip(0, 255).astype(np.uint8)
