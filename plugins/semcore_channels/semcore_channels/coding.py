"""The 5G LDPC code of TS 38.212 by Sionna: which code blocks a number of channel uses holds, encoder, decoder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from semcore.errors import ComponentError
from semcore_channels.sionna_rng import sionna_phy

if TYPE_CHECKING:
    import torch

BATCH_BITS = 2**18
"""Coded bits that are encoded or decoded at once; larger batches are no faster and take more memory."""


@dataclass(frozen=True)
class Blocks:
    """Equal code blocks.

    Fields:
        count: how many
        k: information bits of each
        n: coded bits of each
    """

    count: int
    k: int
    n: int


@dataclass(frozen=True)
class Scheme:
    """A code rate with a modulation: what both ends need to know to agree on the code blocks.

    Fields:
        rate: information bits per coded bit
        bits_per_symbol: coded bits per channel use
        max_block_bits: most information bits of a code block
    """

    rate: Fraction
    bits_per_symbol: int
    max_block_bits: int

    def uses(self, bits: int) -> int:
        """The fewest channel uses that hold `bits` information bits in equal blocks."""
        uses = -(-bits // (self.rate * self.bits_per_symbol))
        while uses % self._count(uses) or (blocks := self.blocks(uses)).count * blocks.k < bits:
            uses += 1
        return uses

    def blocks(self, uses: int) -> Blocks:
        """The equal blocks that `uses` channel uses hold; the receiver's way back from `uses`.

        Raises:
            ComponentError: no sender of this scheme fills `uses` channel uses
        """
        count = self._count(uses)
        if uses < 1 or uses % count:
            raise ComponentError(
                f"{uses} channel uses do not hold equal code blocks of this rate and modulation: "
                "both ends of a link need the same settings"
            )
        n = uses // count * self.bits_per_symbol
        return Blocks(count, -(-n * self.rate.numerator // self.rate.denominator), n)

    def _count(self, uses: int) -> int:
        return max(-(-uses * self.bits_per_symbol * self.rate // self.max_block_bits), 1)


@dataclass(frozen=True, eq=False)
class Code:
    """Encoder and decoder of one code; make it with `code_for`.

    Fields:
        encode_blocks: float32 bits (B, k) -> (B, n)
        decode_blocks: float32 soft bits (B, n), log p1/p0 -> bits (B, k)
        scrambling: bits (n,) that are added to every coded block, so that any payload has unit mean symbol power
    """

    encode_blocks: Callable[[torch.Tensor], torch.Tensor]
    decode_blocks: Callable[[torch.Tensor], torch.Tensor]
    scrambling: torch.Tensor

    def encode(self, bits: torch.Tensor) -> torch.Tensor:
        """Bits uint8 (B, k) -> coded, interleaved, scrambled bits uint8 (B, n)."""
        import torch

        step = max(BATCH_BITS // len(self.scrambling), 1)
        with torch.no_grad():
            coded = [self.encode_blocks(part.float()).to(torch.uint8) for part in bits.split(step)]
            return torch.cat(coded) ^ self.scrambling

    def decode(self, soft: torch.Tensor) -> torch.Tensor:
        """Soft bits float32 (B, n), log p1/p0 -> the most likely bits uint8 (B, k)."""
        import torch

        step = max(BATCH_BITS // len(self.scrambling), 1)
        with torch.no_grad():
            soft = torch.nan_to_num(soft, nan=0.0) * (1 - 2 * self.scrambling.float())
            return torch.cat([self.decode_blocks(part).to(torch.uint8) for part in soft.split(step)])


@functools.lru_cache(maxsize=256)
def code_for(k: int, n: int, bits_per_symbol: int, iterations: int) -> Code:
    """The code with `k` information and `n` coded bits, decoded by belief propagation (boxplus-phi, flooding)."""
    sionna_phy()
    import torch
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
    from sionna.phy.nr.utils import generate_prng_seq

    encoder = LDPC5GEncoder(k, n, num_bits_per_symbol=bits_per_symbol, device="cpu", check_input=False)
    decoder = LDPC5GDecoder(encoder, cn_update="boxplus-phi", num_iter=iterations, device="cpu")
    scrambling = torch.from_numpy(generate_prng_seq(n, c_init=1)).to(torch.uint8)
    return Code(encoder, decoder, scrambling)
