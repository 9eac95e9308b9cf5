"""Processes of this machine."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Annotated, Any

from annotated_types import Ge

from semcore import sandbox
from semcore.interfaces import Executor, Job, Lost
from semcore.sandbox import die_with
from semcore.steps import Step, listening
from semcore.wording.redaction import guard_streams

SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Processes(Executor):
    """Processes of this machine, each doing one job at a time.

    A job whose process dies is tried again; one that takes too long is given up. The processes die
    with the one that started them, however that ends.

    Fields:
        jobs: number of processes
        time_limit_s: a job that takes longer is stopped; 0: none is
        retries: so often a job is tried again whose process died
    """

    test_settings = ({"jobs": 2},)

    jobs: Annotated[int, Ge(1)] = 1
    time_limit_s: Annotated[float, Ge(0)] = 0.0
    retries: Annotated[int, Ge(0)] = 1

    def execute(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        pending, deaths = deque(range(len(jobs))), [0] * len(jobs)
        workers = [_Worker() for _ in range(min(self.jobs, len(jobs)))]
        try:
            while pending or any(worker.job is not None for worker in workers):
                for worker in workers:
                    if worker.job is None and pending:
                        worker.start(pending.popleft(), jobs)
                busy = [worker for worker in workers if worker.job is not None]
                ready = wait([worker.connection for worker in busy], self._patience(busy))
                for worker in [one for one in busy if one.connection in ready]:
                    try:
                        what, made = worker.connection.recv()
                        if what != DONE:
                            worker.began = time.monotonic() if what == BEGAN else worker.began
                            jobs[worker.job or 0].on_step(made)
                            continue
                        job = worker.finish()
                    except (EOFError, OSError):
                        job, ended = worker.finish(), worker.replace()
                        deaths[job] += 1
                        if deaths[job] <= self.retries:
                            pending.append(job)
                            continue
                        made = Lost(
                            "its process "
                            f"{ended}{' again' * (deaths[job] > 1)}{_MEMORY * (ended == _KILLED)}"
                        )
                    yield job, made
                for worker in workers:
                    if self.time_limit_s and worker.seconds >= self.time_limit_s:
                        job = worker.finish()
                        worker.process.kill()
                        worker.replace()
                        yield (
                            job,
                            Lost(f"it took longer than the time limit of {self.time_limit_s:g} s"),
                        )
        finally:
            for worker in workers:
                worker.kill()

    def _patience(self, busy: Sequence[_Worker]) -> float | None:
        """Seconds until the first job reaches the time limit."""
        if not self.time_limit_s:
            return None
        return max(0.0, min(self.time_limit_s - worker.seconds for worker in busy))


BEGAN, STEP, DONE = "began", "step", "done"
"""What a worker sends: that a job began, how far it is, and what it returned."""
OFTEN_S = 0.1
"""Steps of one stage are sent no more often."""
_KILLED = "was killed by SIGKILL"
_MEMORY = ", perhaps for want of memory: try fewer --jobs"


class _Worker:
    """A process and the pipe to it."""

    def __init__(self) -> None:
        self.job: int | None = None
        self.began = math.inf
        self._launch()

    def _launch(self) -> None:
        self.connection, theirs = SPAWN.Pipe()
        self.process = SPAWN.Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe

    @property
    def seconds(self) -> float:
        """How long it has been at its job; its own start, with all that it imports, does not
        count."""
        return max(0.0, time.monotonic() - self.began)

    def start(self, job: int, jobs: Sequence[Job]) -> None:
        self.job = job
        try:
            self.connection.send(jobs[job].call)
        except OSError:
            pass  # it died while it had nothing to do; reading from it will tell

    def finish(self) -> int:
        job, self.job, self.began = self.job, None, math.inf
        assert job is not None
        return job

    def replace(self) -> str:
        """Kill it if it still lives, and start another; returns how it ended."""
        self.process.join(1.0)
        self.kill()
        code = self.process.exitcode or 0
        self._launch()
        return (
            f"was killed by {signal.Signals(-code).name}"
            if code < 0
            else f"exited with code {code}"
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _work(connection: Connection) -> None:
    # Ctrl-C reaches every process of a terminal: the one that the user started says how to go on,
    # and ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    guard_streams()
    sandbox.tolerate_broken_metadata()
    if (parent := multiprocessing.parent_process()) is not None:
        die_with(parent.pid or 0)
    import torch  # noqa: F401  every cell needs it, and the seconds that it takes are no job's

    while True:
        try:
            call = connection.recv()
        except EOFError:
            return
        connection.send((BEGAN, Step("")))
        with listening(_Telling(connection)):
            made = call()
        _flush()
        connection.send((DONE, made))


def _flush() -> None:
    """Write what components printed: this process is killed once all results are there."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):  # its reader has ended
                stream.flush()


class _Telling:
    """Sends steps: the first and the last of each stage, and some between them."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.last, self.when = connection, Step(""), 0.0

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        new = (step.stage, step.what, step.total) != (
            self.last.stage,
            self.last.what,
            self.last.total,
        )
        if new or step.done == step.total or now - self.when > OFTEN_S:
            self.last, self.when = step, now
            self.connection.send((STEP, step))
