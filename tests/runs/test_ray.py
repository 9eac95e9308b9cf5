"""The same cells on a Ray cluster of two workers, one killed in flight, give the same bytes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from semcore.cli.run import _executor
from semcore.component.base import Needs
from semcore.errors import PluginError
from semcore.plugins.packages import hook_manager
from semcore.runs.executors.ray import RayExecutor
from semcore.runs.runner import run
from semcore.testing import run_laws

SNRS = "channel.snr_db=0,3,6,9"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster of this machine alone, with two workers and a GPU that is not there."""
    ray = pytest.importorskip("ray")
    folder = tmp_path_factory.mktemp("ray")
    log, pids = folder / "log", folder / "pids"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_LOG", str(log))
        patch.setenv("BENCH_PIDS", str(pids))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init(
            address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False
        )
        yield ray, log, pids
        ray.shutdown()


@pytest.mark.slow
def test_a_worker_that_is_killed_in_flight_changes_no_byte(bench: Any, cluster: Any) -> None:
    _, log, pids = cluster
    overrides = (SNRS, "channel.slow_s=1")
    bench.run(*overrides, out="here")
    log.write_text("")
    pids.write_text("")
    killed: list[int] = []

    def kill_one() -> None:
        for _ in range(4000):
            if (
                written := pids.read_text().split()
            ):  # the last to write is in the second that its channel takes
                killed.append(int(written[-1]))
                os.kill(killed[0], signal.SIGKILL)
                return
            time.sleep(0.02)

    assassin = threading.Thread(target=kill_one)
    assassin.start()
    finished = run(bench.load(*overrides), bench.folder / "there", hook_manager([]), RayExecutor())
    assassin.join()
    assert killed and finished.computed == 4 and not finished.failures
    assert bench.results("there") == bench.results("here")
    assert log.read_text().count("transmit") > 4 * 3  # what was in flight was done again
    assert (
        run(
            bench.load(*overrides), bench.folder / "there", hook_manager([]), RayExecutor()
        ).computed
        == 0
    )


@pytest.mark.slow
def test_the_executor_keeps_the_laws(cluster: Any) -> None:
    broken = [one for one in run_laws(RayExecutor(retries=0)) if one.result == "broken"]
    assert not broken, "\n".join(f"{one.law.name}: {one.message}" for one in broken)


@pytest.mark.slow
def test_a_failed_cell_is_recorded_and_the_others_go_on(bench: Any, cluster: Any) -> None:
    finished = run(
        bench.load(SNRS, "channel.crash_db=3"),
        bench.folder / "out",
        hook_manager([]),
        RayExecutor(),
    )
    assert finished.computed == 3 and finished.failures == [
        "snr_db=3: FloatingPointError: the amplifier burnt"
    ]


@pytest.mark.slow
def test_components_say_what_they_need(cluster: Any) -> None:
    """A job that wants a GPU is placed where there is one; such a component's cell asks for it."""
    import functools

    from semcore.interfaces import Job

    jobs = [
        Job(functools.partial(_granted), Needs(1, 1)),
        Job(functools.partial(_granted), Needs(2, 0)),
    ]
    made = dict(RayExecutor().execute(jobs))
    assert (made[0]["CPU"], made[0]["GPU"]) == (1, 1) and (
        made[1]["CPU"],
        made[1].get("GPU", 0),
    ) == (2, 0)


def _granted() -> dict[str, float]:
    import ray

    return dict(ray.get_runtime_context().get_assigned_resources())


def test_a_device_is_a_need() -> None:
    from semcore_image.selection.clip_score import ClipScoreSelector

    assert ClipScoreSelector().needs() == Needs(1, 0)
    assert ClipScoreSelector(device="cuda").needs() == Needs(1, 1)


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PluginError, match=r"pip install 'semcore\[ray\]'"):
        list(RayExecutor().execute([]))


def test_the_command_line_makes_executors() -> None:
    assert _executor(None, 1, None) is None
    assert _executor("ray", 1, None) == RayExecutor()
    assert _executor("{use: ray, address: 'ray://head:10001'}", 1, None) == RayExecutor(
        "ray://head:10001"
    )
