"""What the tests share: symbols for a channel without a transport."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch

from semcore import Layout, Rng, Symbols
from semcore_channels.modulation.qam import QAM4


@pytest.fixture
def rng() -> Rng:
    return Rng(2024, ("test",))


@pytest.fixture
def as_symbols() -> Callable[..., Symbols]:
    """Rows of complex numbers, of any lengths, as what a transport would hand to a channel."""

    def make(rows: Sequence[torch.Tensor], keys: Sequence[str] = ()) -> Symbols:
        lengths = tuple(len(row) for row in rows)
        values = torch.zeros(len(rows), max(lengths, default=0), dtype=torch.complex64)
        values = torch.stack(
            [torch.cat((row, zero[len(row) :])) for row, zero in zip(rows, values, strict=True)]
        )
        keys = tuple(keys) or tuple(f"row{number}" for number in range(len(rows)))
        return Symbols(values, Layout(lengths, (), keys, tuple((key, "") for key in keys)))

    return make


@pytest.fixture
def qpsk() -> Callable[[int, int], tuple[torch.Tensor, torch.Tensor]]:
    """`count` random 4-QAM symbols and their bits."""

    def make(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        bits = torch.randint(0, 2, (2 * count,), generator=torch.Generator().manual_seed(seed))
        return QAM4.modulate(bits), bits

    return make
