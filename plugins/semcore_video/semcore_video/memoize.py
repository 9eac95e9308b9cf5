"""Memoization of functions of pictures and videos."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from semcore import LRU

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def memoize(
    most: int,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Cache the newest `most` results of a function of arrays and texts, by a digest of its
    arguments; array results become read-only. Calls are computed one at a time."""

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        results = LRU[Result](most)

        @functools.wraps(function)
        def memoized(*arguments: Parameters.args, **keywords: Parameters.kwargs) -> Result:
            def compute() -> Result:
                result = function(*arguments, **keywords)
                if isinstance(result, np.ndarray):
                    result.setflags(write=False)
                return result

            key = hashlib.sha256()
            named = itertools.chain.from_iterable(sorted(keywords.items()))
            for argument in (*arguments, *named):
                if isinstance(argument, np.ndarray):
                    key.update(repr((argument.shape, argument.dtype)).encode() + argument.tobytes())
                else:
                    key.update(repr(argument).encode())
            return results.of(key.hexdigest(), compute)

        return memoized

    return decorate
