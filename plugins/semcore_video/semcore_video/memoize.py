"""Answers about pictures and videos that are asked for again and again, kept by the digest of what
was asked about."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from semcore.memo import LRU

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def remembered(most: int) -> Callable[[Callable[Asked, Answer]], Callable[Asked, Answer]]:
    """Keep the newest `most` answers of a function of arrays and texts, not the arrays; one call at
    a time asks it."""

    def around(function: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
        known = LRU[Answer](most)

        @functools.wraps(function)
        def asked(*arguments: Asked.args, **named: Asked.kwargs) -> Answer:
            def answered() -> Answer:
                answer = function(*arguments, **named)
                if isinstance(answer, np.ndarray):
                    answer.setflags(write=False)
                return answer

            name = hashlib.sha256()
            for one in (*arguments, *itertools.chain.from_iterable(sorted(named.items()))):
                if isinstance(one, np.ndarray):
                    name.update(repr((one.shape, one.dtype)).encode() + one.tobytes())
                else:
                    name.update(repr(one).encode())
            return known.of(name.hexdigest(), answered)

        return asked

    return around
