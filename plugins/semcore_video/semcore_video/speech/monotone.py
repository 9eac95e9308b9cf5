"""Durations of consecutive phones by dynamic programming."""

from __future__ import annotations

import numpy as np


def durations_by_viterbi(
    scores: np.ndarray, usual: np.ndarray, spread: float, longest: int
) -> np.ndarray:
    """The most likely durations of consecutive phones (Viterbi algorithm of a hidden semi-Markov
    model).

    Args:
        scores: log likelihoods of each phone at each time step, float (steps, phones)
        usual: usual duration of each phone, steps, float (phones,)
        spread: standard deviation of the logarithm of a duration about the usual one
        longest: maximum duration, steps; more if the steps could not be filled otherwise

    Returns:
        duration of each phone, steps, at least one, int64 (phones,); they sum to the number of
        steps

    Raises:
        ValueError: there are more phones than steps
    """
    count, phones = scores.shape
    if phones > count:
        raise ValueError(f"{phones} phones do not fit into {count} time steps")
    sums = np.concatenate([np.zeros((1, phones)), np.cumsum(scores.astype(np.float64), axis=0)])
    lengths = np.arange(1, max(longest, -(-count // max(phones, 1))) + 1)
    best = np.full((phones + 1, count + 1), -np.inf)
    best[0, 0], taken = 0.0, np.zeros((phones + 1, count + 1), np.int64)
    for phone in range(phones):
        pace = -np.square(np.log(lengths / usual[phone]) / spread) / 2
        for end in range(phone + 1, count + 1):
            starts = end - lengths[:end]
            choice = (
                best[phone, starts] + pace[: len(starts)] + sums[end, phone] - sums[starts, phone]
            )
            found = int(choice.argmax())
            best[phone + 1, end], taken[phone + 1, end] = choice[found], lengths[found]
    durations, end = [], count
    for phone in reversed(range(phones)):
        durations.append(int(taken[phone + 1, end]))
        end -= durations[-1]
    return np.array(durations[::-1], np.int64)
