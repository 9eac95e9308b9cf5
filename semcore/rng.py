"""Random numbers by address: (seed, stage, sample) names a stream of numbers, whoever draws it and when.

A result is therefore the same for any number of workers, batch size, order and resume point, and the points of a sweep
are paired: they see the same noise, scaled.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

    from semcore.types import Symbols


@dataclass(frozen=True)
class Rng:
    """An address in the tree of random numbers; frozen, so drawing never changes what the next one draws.

    Fields:
        seed: the run's seed
        path: the address below the seed, for example `("channel", "kodim01")`
    """

    seed: int = 0
    path: tuple[str, ...] = ()

    def at(self, *names: object) -> Rng:
        """The address `names` below this one."""
        return Rng(self.seed, self.path + tuple(str(name) for name in names))

    def integer(self) -> int:
        """The 63-bit number of this address: a seed for any library."""
        text = "\x1f".join((str(self.seed), *self.path))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1

    def numpy(self) -> np.random.Generator:
        """A NumPy generator that starts at this address."""
        import numpy

        return numpy.random.default_rng(self.integer())

    def torch(self) -> Generator:
        """A PyTorch CPU generator that starts at this address."""
        import torch

        return torch.Generator().manual_seed(self.integer())

    def complex_normal(self, keys: tuple[str, ...], lengths: tuple[int, ...], width: int = 0) -> Tensor:
        """Circular complex Gaussian numbers of unit variance, row by row.

        Row i holds `lengths[i]` numbers drawn at the address `keys[i]`, then zeros up to `width` (at least the longest
        row): what a row gets depends neither on the other rows nor on how long they are.

        Returns:
            complex64 (len(keys), max(width, *lengths))
        """
        import torch

        rows = torch.zeros(len(keys), max((width, *lengths)), dtype=torch.complex64)
        for row, (key, length) in enumerate(zip(keys, lengths, strict=True)):
            rows[row, :length] = torch.randn(length, dtype=torch.complex64, generator=self.at(key).torch())
        return rows

    def noise(self, symbols: Symbols) -> Tensor:
        """`complex_normal` in the shape of `symbols`, each row at its own address."""
        return self.complex_normal(symbols.layout.keys, symbols.layout.lengths, symbols.values.shape[1])

    def uniform(self, symbols: Symbols) -> Tensor:
        """Numbers in 0..1 in the shape of `symbols`, each row at its own address, zeros behind its end.

        Returns:
            float32 (rows, n)
        """
        import torch

        rows = torch.zeros(symbols.values.shape)
        for row, (key, length) in enumerate(zip(symbols.layout.keys, symbols.layout.lengths, strict=True)):
            rows[row, :length] = torch.rand(length, generator=self.at(key).torch())
        return rows
