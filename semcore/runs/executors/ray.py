"""A Ray cluster."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from annotated_types import Ge

from semcore.errors import PluginError, RunError
from semcore.interfaces import Executor, Job, Lost


@dataclass(frozen=True)
class RayExecutor(Executor):
    """A Ray cluster: this machine's, the one that this machine belongs to, or one behind an
    address.

    Results come back over Ray: only what the pipeline reads (pictures, files under `plugins:`) must
    be there on every node, under the same path.

    Fields:
        address: `ray://host:10001`, `host:6379`, or `auto` for the cluster that this machine
            belongs to; empty: that of $RAY_ADDRESS, else one of this machine alone
        retries: so often a job is tried again whose worker or node was lost
    """

    address: str = ""
    retries: Annotated[int, Ge(0)] = 3

    def execute(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            state = random.getstate()
            try:
                ray.init(
                    self.address or None,
                    configure_logging=False,
                    log_to_driver=False,
                    include_dashboard=False,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                where = f"Ray at {self.address}" if self.address else "Ray"
                raise RunError(f"{where} cannot be used: {error}") from error
            finally:
                # Ray draws the names of its sessions from the global generator
                random.setstate(state)
        remote = ray.remote(_call)
        waiting: dict[Any, int] = {}
        try:
            for index, job in enumerate(jobs):
                options = {
                    "num_cpus": job.needs.cpus,
                    "num_gpus": job.needs.gpus,
                    "max_retries": self.retries,
                }
                waiting[remote.options(**options).remote(job.call)] = index
            while waiting:
                (ready,), _ = ray.wait(list(waiting), num_returns=1)
                index = waiting.pop(ready)
                try:
                    yield index, ray.get(ready)
                except ray.exceptions.RayError as error:
                    yield index, Lost(f"its Ray worker was lost: {str(error).splitlines()[0]}")
        finally:
            for one in waiting:
                ray.cancel(one, force=True)
            if ours:
                ray.shutdown()


def _call(call: Any) -> Any:
    return call()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise PluginError("the executor 'ray' needs Ray: pip install 'semcore[ray]'") from error
    return ray
