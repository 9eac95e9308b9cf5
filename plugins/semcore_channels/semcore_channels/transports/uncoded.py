"""Uncoded transmission of bytes: the bit errors of the channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from semcore import Bitstream, Codec, Picture, Received, Rng, Span, Stream, Text, Tokens, apportion
from semcore_channels.modulation import ModulationName, load, registry
from semcore_channels.transports.payload import from_bytes, to_bytes
from semcore_channels.transports.stream_layout import Burst, StreamTransport

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Uncoded(StreamTransport):
    """Uncoded modulation of bytes, and hard decisions: no channel code, no header, no CRC.

    A stream becomes bytes as in `ldpc`, and its bits are scrambled, so that any payload has unit
    mean power. Its length follows from the number of channel uses. Bit errors remain in the
    received stream; nothing is verified, so `Semantics.intact` has no entry for it.

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
        return registry.identity(self.modulation) or None

    def incompatibility(self, stream: type[Stream]) -> str:
        if stream is Picture and self.codec is None:
            return "needs a `codec` to send pictures, for example `codec: {use: raw}`"
        return super().incompatibility(stream)

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        modulation, data = load(self.modulation), to_bytes(stream, self.codec)
        uses = -(-8 * len(data) // modulation.bits_per_symbol)
        padded = np.zeros(uses * modulation.bits_per_symbol, np.uint8)
        padded[: 8 * len(data)] = np.unpackbits(np.frombuffer(data, np.uint8))
        symbols = modulation.modulate(torch.from_numpy(padded ^ _scrambling(len(padded))))
        bits = {"data": 8 * len(data), "padding": len(padded) - 8 * len(data)}
        uses_by_kind = dict(zip(bits, apportion(uses, list(bits.values())), strict=True))
        return Burst(name, stream, symbols, uses_by_kind, bits)

    def stream(self, span: Span, received: Received) -> Stream | None:
        place = span.row, slice(span.start, span.stop)
        values: torch.Tensor = received.values[place].detach().cpu()
        noise_var = values.real.new_full(
            values.shape, 1e-4
        )  # so the nearest point is the likeliest
        soft = load(self.modulation).demodulate(values, noise_var)
        bits = (soft > 0).numpy().astype(np.uint8) ^ _scrambling(len(soft))
        data = np.packbits(bits[: len(bits) // 8 * 8]).tobytes()
        return from_bytes(span, data, self.codec)


def _scrambling(bits: int) -> np.ndarray:
    """The scrambling sequence, which both ends know, uint8 (bits,)."""
    return Rng(path=("scrambling",)).numpy().integers(0, 2, bits, np.uint8)
