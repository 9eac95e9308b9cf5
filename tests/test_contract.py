"""A plugin that returns the wrong thing is told so by name, before anything trips over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import semcore
from semcore.errors import ComponentError
from semcore.plugins import registry
from semcore.plugins.contract import one, one_each
from semcore.types import Received, Sample, Semantics


@dataclass(frozen=True)
class Sloppy(semcore.ChannelModel):
    """Forgets what a channel returns."""

    def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> Any:
        return symbols.values


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._local, ("channel", "sloppy"), Sloppy)


def test_the_wrong_type_is_named_with_the_mend() -> None:
    with pytest.raises(ComponentError) as caught:
        one(Sloppy(), np.zeros(3), Received, "end with symbols.received(values, noise_var)")
    assert str(caught.value) == (
        "channel 'sloppy' must return Received, not ndarray: end with symbols.received(values, noise_var)"
    )


@pytest.mark.parametrize("made", [None, 3, {}, [None], [Sample("a")], (Semantics("a"), 3)])
def test_a_list_of_the_wrong_things(made: Any) -> None:
    with pytest.raises(ComponentError, match="channel 'sloppy' must return a list with one Semantics a sample"):
        one_each(Sloppy(), made, Semantics, ["a"])


def test_too_few_and_too_many() -> None:
    for count in (0, 2):
        with pytest.raises(ComponentError, match=f"returned {count} Semantics for 1 samples"):
            one_each(Sloppy(), [Semantics("a")] * count, Semantics, ["a"])


def test_what_fits_passes_as_it_is() -> None:
    made = [Semantics("a"), Semantics("b")]
    assert one_each(Sloppy(), tuple(made), Semantics, "ab") == made
