"""The laws of an executor."""

from __future__ import annotations

import functools
import os
from typing import Any

from semcore.interfaces import Executor, Job, Lost
from semcore.testing.law import Given, require


def use(executor: Executor, given: Given) -> Any:
    """What some jobs return, by index."""
    return sorted(executor.execute([Job(functools.partial(pow, 3, power)) for power in range(6)]))


def every_job_is_done_once(executor: Executor, given: Given) -> None:
    """Each job's index comes once, with what the job returned; no jobs, nothing."""
    require(not list(executor.execute([])), "without jobs it yields something")
    made = use(executor, given)
    require(
        made == [(power, 3**power) for power in range(6)], f"six powers of 3 come back as {made}"
    )


def a_process_that_dies_takes_only_its_job(executor: Executor, given: Given) -> None:
    """A job that ends its process is `Lost` with a reason; the others come back."""
    jobs = [
        Job(functools.partial(os._exit, 7)),
        Job(functools.partial(pow, 3, 2)),
        Job(functools.partial(pow, 3, 3)),
    ]
    made = dict(executor.execute(jobs))
    require(
        made.get(1) == 9 and made.get(2) == 27,
        f"beside a process that died, the others come back as {made}",
    )
    lost = made.get(0)
    require(
        isinstance(lost, Lost) and lost.reason,
        f"a job whose process died is {lost!r}, not Lost(reason)",
    )


def work_given_up_leaves_no_process(executor: Executor, given: Given) -> None:
    """Given up after the first result, it ends at once, and can be used again."""
    made = executor.execute([Job(functools.partial(pow, 3, power)) for power in range(6)])
    next(iter(made))
    getattr(made, "close", lambda: None)()
    require(len(use(executor, given)) == 6, "after work that was given up, jobs are missing")


LAWS = (
    every_job_is_done_once,
    a_process_that_dies_takes_only_its_job,
    work_given_up_leaves_no_process,
)
