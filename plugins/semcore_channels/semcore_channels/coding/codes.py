"""The 5G LDPC code of TS 38.212, 5.3.2 and 5.4.2: encoder, rate matching, interleaver, decoders.

`CompiledCode` is fast, and what a transport uses. `SionnaCode` is the reference that the tests hold it to, lets gradients
through, and stands in where numba is missing. Both encode to the same bits.
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
"""Coded bits that Sionna encodes or decodes at once; larger batches are no faster and take more memory."""
CERTAIN = 1e4
"""Soft bits are cut to this size, and that of a filler bit."""


@dataclass(frozen=True, eq=False)
class Code(abc.ABC):
    """Encoder and decoder of one code; make it with `code_for`.

    Fields:
        k: information bits of a word
        n: coded bits of a word
        iterations: most iterations of the decoder
        scrambling: bits uint8 (n,) that are added to every coded word, so that any payload has unit mean symbol power
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
        """Soft bits float32 (words, n), log p1/p0 -> the most likely bits uint8 (words, k); NaN counts as not known."""


@dataclass(frozen=True, eq=False)
class CompiledCode(Code):
    """The loops of `compiled.py` around the rate matching. Words go to as many threads as PyTorch may use; each is its own.

    It keeps some kilobytes, not the megabytes of Sionna's tables: a run may use a code for every length of a stream.

    Fields:
        graph: the entries of the parity-check matrix
        order: bits that one symbol carries, which are interleaved
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
        """Where information (the first 2 Z bits excepted) and parity that are sent lie in a word; bits of the former."""
        punctured, filled = 2 * self.graph.lifting, self._filled
        systematic = min(self.k - punctured, self.n)
        return slice(punctured, punctured + systematic), slice(filled, filled + self.n - systematic), systematic

    def encode(self, bits: torch.Tensor) -> torch.Tensor:
        import torch

        from semcore_channels.coding import compiled

        words = np.zeros((len(bits), self.graph.bits), np.uint8)
        words[:, : self.k] = bits.numpy()
        columns, shifts, solves, starts = self._steps
        self._share(
            len(words),
            lambda part: compiled.encode(
                np.empty(self.graph.lifting, np.uint8), words[part], columns, shifts, solves, starts, self.graph.lifting
            ),
        )
        information, parity, _ = self._sent
        matched = np.concatenate((words[:, information], words[:, parity]), 1)
        coded = np.ascontiguousarray(matched.reshape(len(words), self.order, -1).transpose(0, 2, 1)).reshape(
            len(words), self.n
        )
        return torch.from_numpy(coded ^ self.scrambling)

    def decode(self, soft: torch.Tensor) -> torch.Tensor:
        import torch

        from semcore_channels.coding import compiled

        graph = self.graph
        information, parity, systematic = self._sent
        clean = torch.nan_to_num(soft.detach(), nan=0.0).clamp(-CERTAIN, CERTAIN).numpy() * self._signs
        words = np.zeros((len(soft), graph.bits), np.float32)
        matched = np.ascontiguousarray(clean.reshape(len(soft), -1, self.order).transpose(0, 2, 1)).reshape(len(soft), self.n)
        words[:, information], words[:, parity] = matched[:, :systematic], matched[:, systematic:]
        words[:, self.k : self._filled] = CERTAIN
        decided = np.empty(words.shape, np.uint8)
        self._share(
            len(words),
            lambda part: compiled.decode(
                words[part], decided[part], graph.columns, graph.shifts, graph.starts, graph.lifting, self.iterations
            ),
        )
        return torch.from_numpy(decided[:, : self.k])

    @functools.cached_property
    def _signs(self) -> np.ndarray:
        """What turns log p1/p0 of a scrambled bit into log p0/p1 of the bit."""
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


@dataclass(frozen=True, eq=False)
class SionnaCode(Code):
    """Sionna's encoder, and its flooding belief propagation with exact checks (boxplus-phi).

    Fields:
        encoder: Sionna's, which knows the sizes and tables of the code
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
        """Like `decode`, but log p1/p0 of every information bit, with gradients back to `soft`."""
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

        settings = {"cn_update": "boxplus-phi", "num_iter": self.iterations, "hard_out": hard_out, "device": "cpu"}
        return LDPC5GDecoder(self.encoder, **settings)


def can_compile() -> bool:
    """Whether numba is there."""
    return importlib.util.find_spec("numba") is not None


def code_for(blocks: Blocks, bits_per_symbol: int, iterations: int, decoder: Decoder = "min-sum") -> Code:
    """The code of `blocks`; `min-sum` becomes belief propagation where numba is missing."""
    compiled = decoder == "min-sum" and can_compile()
    return _code(blocks.k, blocks.n, blocks.base_graph, bits_per_symbol, iterations, compiled)


@functools.lru_cache(maxsize=256)
def _code(k: int, n: int, base_graph: int, bits_per_symbol: int, iterations: int, compiled: bool) -> Code:
    sionna_phy()
    from sionna.phy.fec.ldpc import LDPC5GEncoder
    from sionna.phy.nr.utils import generate_prng_seq

    encoder = LDPC5GEncoder(k, n, num_bits_per_symbol=bits_per_symbol, bg=f"bg{base_graph}", device="cpu", check_input=False)
    scrambling = np.asarray(generate_prng_seq(n, c_init=1)).astype(np.uint8)
    if compiled:
        graph = Graph.of(encoder)
        vars(encoder).clear()  # it refers to itself: megabytes of tables would stay until Python looks for cycles
        return CompiledCode(k, n, iterations, scrambling, graph, bits_per_symbol)
    return SionnaCode(k, n, iterations, scrambling, encoder)
