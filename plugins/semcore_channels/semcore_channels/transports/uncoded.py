"""Bytes as symbols with nothing in between: the bit errors of the channel itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from semcore.interfaces import Codec
from semcore.rng import Rng
from semcore.types import Bitstream, Picture, Received, Span, Stream, Text, Tokens, apportion
from semcore_channels.modulation import ModulationName, load
from semcore_channels.modulation.registry import identity
from semcore_channels.transports.payload import from_bytes, to_bytes
from semcore_channels.transports.stream_layout import Burst, StreamTransport

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Uncoded(StreamTransport):
    """Bytes straight to BPSK or QAM, and hard decisions: no code, no header, no check.

    A stream becomes bytes as in `ldpc`, and its bits are scrambled, so that any payload has unit mean power. How many bytes
    there are follows from the number of channel uses. Bit errors go into what arrives; there is no verdict in
    `Semantics.intact`.

    Fields:
        modulation: constellation, Gray labels of TS 38.211
        codec: turns pictures into bytes; null: pictures are refused
    """

    reference: ClassVar[str] = "3GPP TS 38.211, 5.1 (modulation)"
    cites: ClassVar[tuple[str, ...]] = ("ts38211",)
    carries: ClassVar[tuple[type[Stream], ...]] = (Text, Tokens, Bitstream, Picture)
    modulation: ModulationName = "4qam"
    codec: Codec | None = None

    def identity(self) -> str | None:
        return identity(self.modulation) or None

    def incompatibility(self, stream: type[Stream]) -> str:
        if stream is Picture and self.codec is None:
            return "needs a `codec` to send pictures, for example `codec: {use: raw}`"
        return super().incompatibility(stream)

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        modulation, data = load(self.modulation), to_bytes(stream, self.codec)
        order = modulation.bits_per_symbol
        uses = -(-8 * len(data) // order)
        padded = np.zeros(uses * order, np.uint8)
        padded[: 8 * len(data)] = np.unpackbits(np.frombuffer(data, np.uint8))
        symbols = modulation.modulate(torch.from_numpy(padded ^ _scrambling(len(padded))))
        bits = {"data": 8 * len(data), "padding": len(padded) - 8 * len(data)}
        return Burst(name, stream, symbols, dict(zip(bits, apportion(uses, list(bits.values())), strict=True)), bits)

    def stream(self, span: Span, received: Received) -> Stream | None:
        at = (span.row, slice(span.start, span.stop))
        values: torch.Tensor = received.values[at].detach().cpu()
        nearest = values.real.new_full(values.shape, 1e-4)  # then the likeliest bit is that of the nearest point
        soft = load(self.modulation).demodulate(values, nearest)
        decided = (soft > 0).numpy().astype(np.uint8) ^ _scrambling(len(soft))
        return from_bytes(span, np.packbits(decided[: len(decided) // 8 * 8]).tobytes(), self.codec)


def _scrambling(bits: int) -> np.ndarray:
    """Bits that both ends know, uint8 (bits,)."""
    return Rng(path=("scrambling",)).numpy().integers(0, 2, bits, np.uint8)
