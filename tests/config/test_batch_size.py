"""The batch size is a setting of a pipeline and no part of a result."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from semcore.config.configuration import Configuration
from semcore.errors import ConfigError
from semcore.planning import session


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the batches that were sent."""
    found: list[int] = []
    transmit = session.transmit

    def counting(p: Any, samples: Any, *rest: Any) -> Any:
        found.append(len(samples))
        return transmit(p, samples, *rest)

    monkeypatch.setattr(session, "transmit", counting)
    return found


def test_results_and_ids_do_not_depend_on_it(bench: Any, batches: list[int]) -> None:
    bench.run("source.limit=5", out="whole")
    bench.run("source.limit=5", "batch_size=2", out="parts")
    assert batches == [5, 2, 2, 1]
    assert bench.results("whole") == bench.results("parts")


def test_a_run_of_another_batch_size_is_the_same_run(bench: Any, batches: list[int]) -> None:
    assert bench.run().computed == 1
    assert bench.run("batch_size=1").computed == 0 and Counter(batches) == {3: 1}


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "true", "many"])
def test_what_is_no_batch_size_is_refused(bench: Any, value: str) -> None:
    with pytest.raises(ConfigError, match=f"batch_size={value}.*must be a whole number from 1"):
        bench.load(f"batch_size={value}")


def test_it_cannot_be_swept_nor_planned(bench: Any) -> None:
    with pytest.raises(ConfigError, match="batch_size cannot be swept: no result depends on it"):
        bench.load("batch_size=1,2")
    bench.text += "sweep: {batch_size: [1, 2]}\n"
    with pytest.raises(
        ConfigError, match=r"pipeline.yaml:\d+:\d+: error: batch_size cannot be swept"
    ):
        bench.load()


def test_it_stands_in_the_file(bench: Any) -> None:
    bench.text += "batch_size: 2\n"
    experiment: Configuration = bench.load()
    assert experiment.resolve(experiment.cells[0]).batch_size == 2
