"""Processes of this machine."""

from __future__ import annotations

import base64
import contextlib
import math
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import spawn
from multiprocessing.reduction import ForkingPickler
from typing import Annotated, Any

from annotated_types import Ge

from semcore.children import Death, Limits, attempt, note
from semcore.interfaces import Executor, Job, Lost
from semcore.steps import Step, listening
from semcore.wording.redaction import guard_streams

OFTEN_S = 0.1
"""Steps of one stage are sent no more often."""


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
        begun: dict[int, Job] = {}
        known = spawn.get_preparation_data("")
        program = {key: known[key] for key in known if key.startswith("init_main")}

        def tasks() -> Iterator[Any]:
            for index in range(len(jobs)):
                begun[index] = jobs[index]
                yield [program, _packed(begun[index].call)]

        for index, value in attempt(
            f"{__name__}:{_work.__name__}",
            tasks(),
            # what a process imports before it begins a job does not count
            Limits(self.time_limit_s or math.inf, math.inf, first_s=math.inf),
            children=self.jobs,
            tries=1 + self.retries,
            apart=False,
        ):
            made = Lost(self._lost(value)) if isinstance(value, Death) else _unpacked(value)
            if isinstance(made, Step):
                begun[index].on_step(made)
            else:
                del begun[index]
                yield index, made

    def _lost(self, death: Death) -> str:
        if death.limit:
            return f"it took longer than the time limit of {self.time_limit_s:g} s{death.where}"
        again = " again" if self.retries else ""
        killed = death.code == -signal.SIGKILL
        memory = ", perhaps for want of memory: try fewer --jobs" if killed else ""
        return f"its process {death.how}{again}{memory}"


def _packed(value: Any) -> str:
    return base64.b64encode(ForkingPickler.dumps(value)).decode()


def _unpacked(text: str) -> Any:
    return ForkingPickler.loads(base64.b64decode(text))


def _work(task: tuple[dict[str, Any], str]) -> Iterator[str]:
    """In a child: that a job begins, and what it returns; its steps are sent meanwhile."""
    program, packed = task
    guard_streams()
    spawn.prepare(program)
    import torch  # noqa: F401  every cell needs it

    call = _unpacked(packed)
    yield _packed(Step(""))
    with listening(_Telling()):
        made = call()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # it is killed once all results are there
        with contextlib.suppress(OSError):  # its reader has ended
            stream.flush()
    yield _packed(made)


class _Telling:
    """Sends steps: the first and the last of each stage, and some between them."""

    def __init__(self) -> None:
        self.last, self.when = Step(""), 0.0

    def __call__(self, step: Step) -> None:
        now, last = time.monotonic(), self.last
        new = (step.stage, step.what, step.total) != (last.stage, last.what, last.total)
        if new or step.done == step.total or now - self.when > OFTEN_S:
            self.last, self.when = step, now
            note(_packed(step))
