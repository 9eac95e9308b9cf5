"""Random numbers by address: (seed, stage, sample) names a stream of numbers.

A result is therefore the same for any number of workers, batch size, order and resume point, and
the points of a sweep are paired: they see the same noise, scaled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

    from semcore.types import Symbols

_SEPARATOR = "\x1f"


class Rng:
    """An address in the tree of random numbers; drawing from it does not change it.

    It holds a digest of seed and address and shows neither: a receiver cannot tell the sample.

    Args:
        seed: the run's seed
        path: the address below the seed, for example `("channel", "kodim01")`
    """

    __slots__ = ("_below", "_root", "_state")
    _below: Callable[[Any, Iterable[str]], Any]
    _root: Any
    _state: Any

    def __init__(self, seed: int = 0, path: tuple[str, ...] = ()) -> None:
        root = _digest(str(seed))
        self._set(root, _further(root, path), _further)

    def _set(self, root: Any, state: Any, below: Callable[[Any, Iterable[str]], Any]) -> None:
        for name, value in (("_root", root), ("_state", state), ("_below", below)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("an Rng is frozen: use rng.at(...) for another address")

    def at(self, *names: object) -> Rng:
        """The address `names` below this one."""
        return self._made(self._below(self._state, tuple(map(str, names))), self._below)

    def root(self) -> Rng:
        """The address of the seed alone: what all stages and samples of a run share."""
        return self._made(self._root, _further)

    def alias(self, names: Mapping[str, str]) -> Rng:
        """The same address; anywhere below it, a key of `names` stands for its value.

        So does each of several keys joined by `+`, as in the key of a row that samples share.
        """
        table = dict(names)

        def renamed(name: str) -> str:
            return "+".join(table.get(part, part) for part in name.split("+"))

        def below(state: Any, path: Iterable[str]) -> Any:
            return _further(state, map(renamed, path))

        return self._made(self._state, below)

    def _made(self, state: Any, below: Callable[[Any, Iterable[str]], Any]) -> Rng:
        rng = object.__new__(Rng)
        rng._set(self._root, state, below)
        return rng

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rng) and self._state.digest() == other._state.digest()

    def __hash__(self) -> int:
        return hash(self._state.digest())

    def __repr__(self) -> str:
        return "Rng(...)"

    def __copy__(self) -> Rng:
        return self

    def __deepcopy__(self, memo: object) -> Rng:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Rng cannot be pickled: make it from its seed and address")

    def integer(self) -> int:
        """The 63-bit number of this address: a seed for any library."""
        return int.from_bytes(self._state.digest(), "big") >> 1

    def numpy(self) -> np.random.Generator:
        """A NumPy generator that starts at this address."""
        import numpy

        return numpy.random.default_rng(self.integer())

    def torch(self) -> Generator:
        """A PyTorch CPU generator that starts at this address."""
        import torch

        return torch.Generator().manual_seed(self.integer())

    def complex_normal(
        self, keys: tuple[str, ...], lengths: tuple[int, ...], width: int = 0
    ) -> Tensor:
        """Circular complex Gaussian numbers of unit variance, complex64 (len(keys), n).

        Row i holds `lengths[i]` numbers drawn at the address `keys[i]`, then zeros up to `width`,
        at least the longest row. It does not depend on the other rows.

        Returns:
            complex64 (len(keys), max(width, *lengths))
        """
        import torch

        rows = torch.zeros(len(keys), max((width, *lengths)), dtype=torch.complex64)
        for row, (key, length) in enumerate(zip(keys, lengths, strict=True)):
            drawn = torch.randn(length, dtype=rows.dtype, generator=self.at(key).torch())
            rows[row, :length] = drawn
        return rows

    def noise(self, symbols: Symbols) -> Tensor:
        """`complex_normal` in the shape and on the device of `symbols`, each row at its address."""
        layout, values = symbols.layout, symbols.values
        return self.complex_normal(layout.keys, layout.lengths, values.shape[1]).to(values.device)

    def uniform(self, symbols: Symbols) -> Tensor:
        """Numbers in 0..1 in the shape and on the device of `symbols`, each row at its own address,
        zeros behind its end.

        Returns:
            float32 (rows, n)
        """
        import torch

        rows = torch.zeros(symbols.values.shape)
        layout = symbols.layout
        for row, (key, length) in enumerate(zip(layout.keys, layout.lengths, strict=True)):
            rows[row, :length] = torch.rand(length, generator=self.at(key).torch())
        return rows.to(symbols.values.device)


def _digest(text: str) -> Any:
    return hashlib.blake2b(text.encode(), digest_size=8)


def _further(state: Any, path: Iterable[str]) -> Any:
    """The running digest of an address with `path` behind it."""
    state = state.copy()
    state.update("".join(_SEPARATOR + name for name in path).encode())
    return state
