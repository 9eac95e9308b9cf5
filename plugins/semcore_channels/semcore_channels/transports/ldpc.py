"""Bytes over the 5G LDPC code: the conventional way to send a stream, and the baseline of the
others.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from pydantic import BeforeValidator

from semcore import (
    Bitstream,
    Codec,
    Features,
    Picture,
    Received,
    Rng,
    Semantics,
    Stream,
    Symbols,
    Text,
    Tokens,
    Transport,
    apportion,
)
from semcore_channels.coding.codes import Code, Decoder, can_compile, code_for
from semcore_channels.coding.crc import CRC_BYTES, crc24b_bits
from semcore_channels.coding.framing import frame, frame_bytes, header, salvage, unframe
from semcore_channels.coding.scheme import LARGEST, Blocks, Scheme
from semcore_channels.modulation import Modulation, ModulationName, load, registry
from semcore_channels.transports.payload import from_bytes, to_bytes
from semcore_channels.transports.stream_layout import Burst, lay_out

if TYPE_CHECKING:
    import torch

WORDS_AT_ONCE = 64
"""Code words that are decoded together: larger batches take more memory and are no faster."""


def ratio(value: object) -> object:
    """A number, or a fraction such as `1/2`, as a number."""
    try:
        return float(Fraction(value)) if isinstance(value, str) else value
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError("must be a number or a fraction such as 1/2") from error


@dataclass(frozen=True)
class LDPC(Transport):
    """Bytes of any length with a CRC, the 5G LDPC code and QAM.

    A stream becomes bytes (text as UTF-8, tokens packed at fixed width, features quantised to
    `feature_bits`, a picture by its `codec`), then a frame [length | payload | CRC24A], then equal
    code blocks, each with a CRC24B if there are several, the last one padded with zeros, then
    coded, interleaved and scrambled bits, then symbols. The receiver knows the number of channel
    uses beforehand; the code blocks follow from it, the length of the payload from the frame.

    The receiver computes soft bits from the effective noise variance of each symbol, decodes, and
    checks the CRC24A. If it fails, `deliver` delivers the damaged payload, at the largest length
    that the channel uses allow (the header may be damaged, too; bytes that are not UTF-8 become
    U+FFFD), and `erase` drops the stream; `Semantics.intact` has the verdict in both cases. Damaged
    features are always dropped, because a wrong range would corrupt all of them.

    `min-sum` is compiled, stops when all checks hold, and in the waterfall loses fewer blocks than
    `belief-propagation` at the same number of iterations. `belief-propagation` is Sionna's, and
    also replaces `min-sum` where numba is not installed.

    Left out: redundancy versions and repetition, so base graph 2 serves all rates below 1/3; the
    CRC16 of short payloads.

    Fields:
        rate: code rate, information bits per coded bit, 1/5..8/9, as a number or as a fraction such
            as 1/2
        modulation: constellation, Gray labels of TS 38.211
        iterations: largest number of iterations of the decoder
        decoder: `min-sum`, or `belief-propagation` as the reference
        on_error: what follows a failed CRC: `deliver` the damaged payload, or `erase` the stream
        max_code_block_bits: largest number of information bits of a code block; base graph 2 has at
            most 3840
        codec: turns pictures into bytes; null: pictures are refused
        feature_bits: bits per feature, uniform quantisation; null: features are refused
    """

    reference: ClassVar[str] = (
        "3GPP TS 38.212, 5.1 (CRC), 5.2.2 (segmentation), 5.3.2 (LDPC), 5.4.2 (rate matching)"
    )
    cites: ClassVar[tuple[str, ...]] = ("ts38212", "ts38211", "hoydis2022sionna")
    carries: ClassVar[tuple[type[Stream], ...]] = (Text, Tokens, Bitstream, Picture, Features)
    test_settings = ({}, {"feature_bits": 8})
    rate: Annotated[float, BeforeValidator(ratio), Ge(1 / 5), Le(8 / 9)] = 0.5
    modulation: ModulationName = "4qam"
    iterations: Annotated[int, Ge(1), Le(200)] = 20
    decoder: Decoder = "min-sum"
    on_error: Literal["deliver", "erase"] = "deliver"
    max_code_block_bits: Annotated[int, Ge(128), Le(LARGEST[1])] = LARGEST[1]
    codec: Codec | None = None
    feature_bits: Annotated[int, Ge(1), Le(24)] | None = None

    @functools.cached_property
    def _modulation(self) -> Modulation:
        return load(self.modulation)

    @functools.cached_property
    def scheme(self) -> Scheme:
        """Code rate, modulation order and largest code block."""
        rate = Fraction(self.rate).limit_denominator(1024)
        return Scheme(rate, self._modulation.bits_per_symbol, self.max_code_block_bits)

    def identity(self) -> str:
        decoder: str = self.decoder
        if decoder == "min-sum" and not can_compile():
            decoder = "belief-propagation"
        modulation = registry.identity(self.modulation)
        return f"{decoder}, modulation {modulation}" if modulation else decoder

    def incompatibility(self, stream: type[Stream]) -> str:
        if stream is Picture and self.codec is None:
            return "needs a `codec` to send pictures, for example `codec: {use: jpeg}`"
        if stream is Features and self.feature_bits is None:
            return "needs `feature_bits` to send features, for example `feature_bits: 6`"
        return super().incompatibility(stream)

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        items = [
            (row, name, stream)
            for row, semantics in enumerate(batch)
            for name, stream in semantics.streams.items()
        ]
        payloads = [to_bytes(stream, self.codec, self.feature_bits) for _, _, stream in items]
        symbols = self._encode([frame(payload) for payload in payloads])
        bursts: list[list[Burst]] = [[] for _ in batch]
        for (row, name, stream), payload, values in zip(items, payloads, symbols, strict=True):
            bits = self._bits_by_kind(len(payload), len(values))
            uses = dict(zip(bits, apportion(len(values), list(bits.values())), strict=True))
            bursts[row].append(Burst(name, stream, values, uses, bits))
        return lay_out(batch, bursts)

    def receive(self, received: Received) -> list[Semantics]:
        streams: dict[tuple[int, str], tuple[Stream | None, bool | None]] = {}
        for span, data in zip(received.layout.spans, self._decode(received), strict=True):
            uses = span.stop - span.start
            payload = unframe(data)
            intact = payload is not None and self._sends(len(payload), uses)
            if not intact:
                delivered = self.on_error == "deliver" and span.type is not Features
                payload = salvage(data, self.longest(uses)) if delivered else None
            stream = None
            if payload is not None:
                stream = from_bytes(span, payload, self.codec, self.feature_bits)
            streams[span.sample, span.stream] = (stream, intact)
        return received.layout.semantics(streams)

    def _sends(self, payload_bytes: int, uses: int) -> bool:
        """Whether the frame of a payload of that length takes that many channel uses."""
        return self.scheme.uses(8 * frame_bytes(payload_bytes)) == uses

    def _bits_by_kind(self, payload_bytes: int, uses: int) -> dict[str, int]:
        """Channel bits by kind of a payload that takes `uses` channel uses."""
        blocks = self.scheme.blocks(uses)
        header_bits = 8 * len(header(payload_bytes))
        bits = {"data": 8 * payload_bytes, "header": header_bits, "crc": 8 * CRC_BYTES}
        bits["padding"] = blocks.room - sum(bits.values())
        bits["crc"] += blocks.count * blocks.check_bits
        bits["parity"] = blocks.count * (blocks.n - blocks.k)
        return bits

    def longest(self, uses: int) -> int:
        """Bytes of the longest payload whose frame fits into at most `uses` channel uses."""
        uses = self._filled(uses)
        room = self.scheme.blocks(uses).room // 8
        sizes = range(max(room - 9, 0), room)
        return max((size for size in sizes if frame_bytes(size) <= room), default=0)

    def blocks(self, uses: int) -> int:
        """Number of code blocks in at most `uses` channel uses."""
        return self.scheme.blocks(self._filled(uses)).count

    def _filled(self, uses: int) -> int:
        """The largest number of channel uses, at most `uses`, that equal blocks fill."""
        return next((fewer for fewer in range(uses, 0, -1) if self.scheme.holds(fewer)), 1)

    def _encode(self, frames: Sequence[bytes]) -> list[torch.Tensor]:
        """Symbols of each frame; blocks of the same code are encoded together."""
        import torch

        every = [self.scheme.blocks(self.scheme.uses(8 * len(data))) for data in frames]
        symbols = [torch.empty(0)] * len(frames)
        for blocks, places in _by_value(every).items():
            segments = [_segmented(frames[place], blocks) for place in places]
            coded = self._code(blocks).encode(torch.from_numpy(np.concatenate(segments)))
            values = self._modulation.modulate(coded)
            for place, part in zip(places, values.split(blocks.count), strict=True):
                symbols[place] = part.flatten()
        return symbols

    def _decode(self, received: Received) -> list[bytes]:
        """The decoded bytes of each span; blocks of the same code are decoded together."""
        import torch

        spans = received.layout.spans
        data = [b""] * len(spans)
        values, noise_var = received.values.detach().cpu(), received.noise_var.detach().cpu()
        every = [self.scheme.blocks(span.stop - span.start) for span in spans]
        for blocks, same in _by_value(every).items():
            step = max(WORDS_AT_ONCE // blocks.count, 1)
            for start in range(0, len(same), step):
                places = same[start : start + step]
                columns = [slice(spans[place].start, spans[place].stop) for place in places]
                rows = [spans[place].row for place in places]
                symbols = torch.stack([values[at] for at in zip(rows, columns, strict=True)])
                variance = torch.stack([noise_var[at] for at in zip(rows, columns, strict=True)])
                soft = self._modulation.demodulate(symbols, variance)
                bits = self._code(blocks).decode(soft.reshape(-1, blocks.n)).numpy()
                frames = bits[:, : blocks.k - blocks.check_bits].reshape(len(places), -1)
                for place, frame_bits in zip(places, np.packbits(frames, axis=1), strict=True):
                    data[place] = frame_bits.tobytes()
        return data

    def _code(self, blocks: Blocks) -> Code:
        return code_for(blocks, self.scheme.bits_per_symbol, self.iterations, self.decoder)


def _by_value(every: Sequence[Blocks]) -> dict[Blocks, list[int]]:
    """The places of each value in a list."""
    places: dict[Blocks, list[int]] = defaultdict(list)
    for place, blocks in enumerate(every):
        places[blocks].append(place)
    return places


def _segmented(data: bytes, blocks: Blocks) -> np.ndarray:
    """The bits of `data`, padded with zeros, in code blocks with their CRCs: uint8 (count, k)."""
    bits = np.zeros(blocks.room, np.uint8)
    bits[: 8 * len(data)] = np.unpackbits(np.frombuffer(data, np.uint8))
    parts = bits.reshape(blocks.count, -1)
    return np.concatenate((parts, crc24b_bits(parts)), 1) if blocks.check_bits else parts
