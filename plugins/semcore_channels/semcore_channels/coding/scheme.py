"""The code blocks in a number of channel uses, as both ends of a link compute them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from semcore import ComponentError

CRC_BITS = 24
"""Length of CRC24A, which checks a payload, and of CRC24B, which checks a code block."""
LARGEST = {1: 8448, 2: 3840}
"""Largest number of information bits of a code block by base graph, TS 38.212, 5.2.2."""


@dataclass(frozen=True)
class Blocks:
    """Code blocks of equal size.

    Fields:
        count: number of blocks
        k: information bits of each, with its CRC24B if there are several blocks
        n: coded bits of each
        base_graph: 1 or 2
    """

    count: int
    k: int
    n: int
    base_graph: int

    @property
    def check_bits(self) -> int:
        """Bits of the CRC24B of a block; 0 if there is only one block."""
        return CRC_BITS if self.count > 1 else 0

    @property
    def room(self) -> int:
        """Bits that all blocks carry together."""
        return self.count * (self.k - self.check_bits)


@dataclass(frozen=True)
class Scheme:
    """A code rate with a modulation.

    The code blocks follow from the number of channel uses (`blocks`), as a receiver computes the
    transport block size from its grant (TS 38.214, 5.1.3.2). Blocks are of equal size, so the
    channel uses are a multiple of their number.

    Fields:
        rate: code rate, information bits per coded bit
        bits_per_symbol: coded bits per channel use
        max_block_bits: largest number of information bits of a code block
    """

    rate: Fraction
    bits_per_symbol: int
    max_block_bits: int = LARGEST[1]

    def uses(self, bits: int) -> int:
        """The smallest number of channel uses that carry `bits` bits in blocks of equal size."""
        uses = max(-(-bits // (self.rate * self.bits_per_symbol)), 1)
        while uses % self._count(uses) or self.blocks(uses).room < bits:
            uses += 1
        return uses

    def blocks(self, uses: int) -> Blocks:
        """The code blocks in `uses` channel uses.

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
        return Blocks(
            count, -(-n * self.rate.numerator // self.rate.denominator), n, self._base_graph(uses)
        )

    def holds(self, uses: int) -> bool:
        """Whether blocks of equal size fill `uses` channel uses."""
        return uses >= 1 and uses % self._count(uses) == 0

    def _information(self, uses: int) -> int:
        return -(-uses * self.bits_per_symbol * self.rate.numerator // self.rate.denominator)

    def _base_graph(self, uses: int) -> int:
        """TS 38.212, 7.2.2, from the payload without its CRC24A, or the part of it in one block.

        Base graph 1 would repeat bits below rate 1/3, so base graph 2 is used there, and not from
        1/4.
        """
        payload = min(self._information(uses), self.max_block_bits) - CRC_BITS
        small = payload <= 292 or (payload <= 3824 and self.rate <= Fraction(67, 100))
        return 2 if small or self.rate < Fraction(1, 3) else 1

    def _count(self, uses: int) -> int:
        largest = min(self.max_block_bits, LARGEST[self._base_graph(uses)])
        return max(-(-self._information(uses) // largest), 1)
