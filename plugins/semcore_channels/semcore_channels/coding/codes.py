"""The 5G LDPC code of TS 38.212, 5.3.2 and 5.4.2: encoder, rate matching, interleaver, decoders.

`CompiledCode` is fast; transports use it. `SionnaCode` is the reference in the tests, is
differentiable, and replaces it where numba is not installed. Both encode to the same bits.
"""

from __future__ import annotations

import abc
import functools
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from semcore_channels.coding.graph import Graph
from semcore_channels.coding.scheme import Blocks
from semcore_channels.sionna_rng import sionna_phy

if TYPE_CHECKING:
    import torch

Decoder = Literal["min-sum", "belief-propagation"]

BATCH_BITS = 2**18
"""Coded bits that Sionna processes at once; larger batches take more memory and are no faster."""
GOLD_OFFSET = 1600
"""N_C of TS 38.211, 5.2.1: bits of the Gold sequence that are left out."""
CERTAIN = 1e4
"""Largest magnitude of a soft bit, and that of a filler bit."""


@dataclass(frozen=True, eq=False)
class Code(abc.ABC):
    """Encoder and decoder of one code; make it with `code_for`.

    Fields:
        k: information bits of a word
        n: coded bits of a word
        iterations: largest number of iterations of the decoder
        scrambling: scrambling sequence, uint8 (n,), so that any payload has unit mean symbol power
    """

    k: int
    n: int
    iterations: int
    scrambling: np.ndarray

    @abc.abstractmethod
    def encode(self, bits: torch.Tensor) -> torch.Tensor:
        """Bits uint8 (words, k) -> coded, interleaved, scrambled bits uint8 (words, n)."""

    @abc.abstractmethod
    def decode(self, soft: torch.Tensor) -> torch.Tensor:
        """Soft bits float32 (words, n), log p1/p0, NaN counts as 0 -> bits uint8 (words, k)."""


@dataclass(frozen=True, eq=False)
class CompiledCode(Code):
    """Rate matching around the compiled loops; words are divided among PyTorch's number of threads.

    An instance takes some kilobytes, not the megabytes of Sionna's tables: a run may need one for
    each length of a stream.

    Fields:
        graph: the entries of the parity-check matrix
        order: bits per symbol, for the interleaver
    """

    graph: Graph
    order: int

    @functools.cached_property
    def _steps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        return self.graph.steps()

    @property
    def _filled(self) -> int:
        """Bits of a word before the parity: information and fillers."""
        return self.graph.information * self.graph.lifting

    @property
    def _sent(self) -> tuple[slice, slice, int]:
        """Columns of the information (without the first 2 Z bits) and parity sent; bits of the
        former.
        """
        punctured, filled = 2 * self.graph.lifting, self._filled
        systematic = min(self.k - punctured, self.n)
        return (
            slice(punctured, punctured + systematic),
            slice(filled, filled + self.n - systematic),
            systematic,
        )

    def encode(self, bits: torch.Tensor) -> torch.Tensor:
        import torch

        from semcore_channels.coding import compiled

        words = np.zeros((len(bits), self.graph.bits), np.uint8)
        words[:, : self.k] = bits.numpy()
        columns, shifts, solves, starts = self._steps
        self._share(
            len(words),
            lambda part: compiled.encode(
                np.empty(self.graph.lifting, np.uint8),
                words[part],
                columns,
                shifts,
                solves,
                starts,
                self.graph.lifting,
            ),
        )
        information, parity, _ = self._sent
        matched = np.concatenate((words[:, information], words[:, parity]), 1)
        return torch.from_numpy(_transposed(matched, self.order) ^ self.scrambling)

    def decode(self, soft: torch.Tensor) -> torch.Tensor:
        import torch

        from semcore_channels.coding import compiled

        graph = self.graph
        information, parity, systematic = self._sent
        finite = torch.nan_to_num(soft.detach(), nan=0.0).clamp(-CERTAIN, CERTAIN).numpy()
        matched = _transposed(finite * self._signs, self.n // self.order)
        words = np.zeros((len(soft), graph.bits), np.float32)
        words[:, information], words[:, parity] = matched[:, :systematic], matched[:, systematic:]
        words[:, self.k : self._filled] = CERTAIN
        decided = np.empty(words.shape, np.uint8)
        self._share(
            len(words),
            lambda part: compiled.decode(
                words[part],
                decided[part],
                graph.columns,
                graph.shifts,
                graph.starts,
                graph.lifting,
                self.iterations,
            ),
        )
        return torch.from_numpy(decided[:, : self.k])

    @functools.cached_property
    def _signs(self) -> np.ndarray:
        """Signs that turn log p1/p0 of a scrambled bit into log p0/p1 of the bit."""
        return 2 * self.scrambling.astype(np.float32) - 1

    @staticmethod
    def _share(words: int, work: Any) -> None:
        import torch

        threads = min(torch.get_num_threads(), words)
        if threads < 2:
            return work(slice(0, words))
        edges = [words * number // threads for number in range(threads + 1)]
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, [slice(*edge) for edge in zip(edges, edges[1:], strict=False)]))


def _transposed(words: np.ndarray, rows: int) -> np.ndarray:
    """The interleaver of TS 38.212, 5.4.2.2: each word written in `rows` rows, read by columns."""
    columns = words.reshape(len(words), rows, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(columns).reshape(len(words), -1)


@dataclass(frozen=True, eq=False)
class SionnaCode(Code):
    """Sionna's encoder, and its flooding belief propagation with exact checks (boxplus-phi).

    Fields:
        encoder: Sionna's encoder, with the sizes and tables of the code
    """

    encoder: Any

    def encode(self, bits: torch.Tensor) -> torch.Tensor:
        import torch

        with torch.no_grad():
            coded = [self.encoder(part.float()).to(torch.uint8) for part in bits.split(self._step)]
        return torch.cat(coded) ^ torch.from_numpy(self.scrambling)

    def decode(self, soft: torch.Tensor) -> torch.Tensor:
        import torch

        with torch.no_grad():
            clean = self._unscrambled(torch.nan_to_num(soft, nan=0.0))
            return torch.cat([self._hard(part).to(torch.uint8) for part in clean.split(self._step)])

    def beliefs(self, soft: torch.Tensor) -> torch.Tensor:
        """Like `decode`, but log p1/p0 of each information bit, differentiable in `soft`."""
        import torch

        return torch.cat([self._soft(part) for part in self._unscrambled(soft).split(self._step)])

    @property
    def _step(self) -> int:
        return max(BATCH_BITS // self.n, 1)

    def _unscrambled(self, soft: torch.Tensor) -> torch.Tensor:
        import torch

        return soft * (1 - 2 * torch.from_numpy(self.scrambling).float())

    @functools.cached_property
    def _hard(self) -> Any:
        return self._decoder(hard_out=True)

    @functools.cached_property
    def _soft(self) -> Any:
        return self._decoder(hard_out=False)

    def _decoder(self, hard_out: bool) -> Any:
        from sionna.phy.fec.ldpc import LDPC5GDecoder

        settings = {
            "cn_update": "boxplus-phi",
            "num_iter": self.iterations,
            "hard_out": hard_out,
            "device": "cpu",
        }
        return LDPC5GDecoder(self.encoder, **settings)


def can_compile() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def code_for(
    blocks: Blocks, bits_per_symbol: int, iterations: int, decoder: Decoder = "min-sum"
) -> Code:
    """The code of `blocks`; without numba, `min-sum` becomes belief propagation."""
    compiled = decoder == "min-sum" and can_compile()
    return _code(blocks.k, blocks.n, blocks.base_graph, bits_per_symbol, iterations, compiled)


@functools.lru_cache(maxsize=256)
def _code(
    k: int, n: int, base_graph: int, bits_per_symbol: int, iterations: int, compiled: bool
) -> Code:
    scrambling = gold_sequence(n)
    if compiled:
        graph = Graph.of_code(k, n, base_graph)
        return CompiledCode(k, n, iterations, scrambling, graph, bits_per_symbol)
    sionna_phy()
    from sionna.phy.fec.ldpc import LDPC5GEncoder

    encoder = LDPC5GEncoder(
        k,
        n,
        num_bits_per_symbol=bits_per_symbol,
        bg=f"bg{base_graph}",
        device="cpu",
        check_input=False,
    )
    return SionnaCode(k, n, iterations, scrambling, encoder)


def gold_sequence(length: int, c_init: int = 1) -> np.ndarray:
    """The pseudo-random sequence of TS 38.211, 5.2.1, as uint8 (length,)."""
    first = _shift_register(1, (0, 3), GOLD_OFFSET + length)
    second = _shift_register(c_init, (0, 1, 2, 3), GOLD_OFFSET + length)
    return (first ^ second)[GOLD_OFFSET:]


def _shift_register(state: int, taps: tuple[int, ...], length: int) -> np.ndarray:
    """x(n + 31) is the sum of x(n + tap) over `taps`; `state` holds the first 31 bits."""
    sequence = np.zeros(length + 31, np.uint8)
    sequence[:31] = [state >> place & 1 for place in range(31)]
    reach = 31 - max(taps)  # as many bits depend on known ones alone
    for start in range(0, length, reach):
        end = min(start + reach, length)
        sequence[start + 31 : end + 31] = np.bitwise_xor.reduce(
            [sequence[start + tap : end + tap] for tap in taps]
        )
    return sequence[:length]
