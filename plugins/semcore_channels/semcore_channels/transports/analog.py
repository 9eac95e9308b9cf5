"""Analog transmission: real numbers as symbols, so that quality degrades gracefully."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le

from semcore import (
    ChannelModel,
    ComponentError,
    Features,
    Picture,
    Received,
    Span,
    Stream,
    Transport,
)
from semcore_channels.transports import header_code, scale
from semcore_channels.transports.interleaving import interleave
from semcore_channels.transports.stream_layout import Burst, StreamTransport, deinterleaved_span

if TYPE_CHECKING:
    import torch

COPIES, MOST_COPIES = 2, 64
"""Copies of the header: at an SNR of 0 dB and above, and at most."""


@dataclass(frozen=True)
class Analog(StreamTransport):
    """Analog transmission of features or pixels, two real numbers per complex symbol.

    A sample's numbers (pixels mapped from 0..255 to -1..1) are paired into complex symbols and
    divided by their root mean square, so that each sample has unit power. The receiver must know
    that scale, and a wrong one would corrupt every number. So a header carries its logarithm, 12
    bits in steps of 0.047 dB, as a word of the Kerdock code of length 64, 32 channel uses, sent
    twice or more often. The receiver rejects a header with an error probability above 1e-6; the
    stream is lost then. All symbols are interleaved over the burst, so that no short fade erases
    the header. The shape is known from the session.

    With `rms`, both ends know the scale beforehand, from the training of an encoder, and there is
    no header: each sample is sent at unit power and received with that root mean square, whatever
    its own was.

    Symbols that are sent `repetition` times are combined with weights 1/noise_var (maximum ratio).
    With noise of variance v left in a symbol, the linear minimum mean square error estimate is
    y / (1 + v): `mmse: true` applies it, `false` leaves the estimate unbiased. Nothing is verified,
    so `Semantics.intact` has no entry for the stream.

    Channel uses by kind: data (the numbers), parity (their repetitions), header (the scale).

    Fields:
        repetition: number of times each symbol is sent
        mmse: whether the receiver scales its estimates for the minimum mean square error
        rms: root mean square of the numbers of a stream, known to both ends; null: sent in the
            header
        header_copies: number of times the header is sent; null: 2, or 2/SNR where both ends know
            that the noise is stronger than the signal
    """

    reference: ClassVar[str] = (
        "T. J. Goblick, IEEE Trans. Inf. Theory 11(4), 1965 (uncoded transmission)"
    )
    cites: ClassVar[tuple[str, ...]] = ("goblick1965theoretical",)
    carries: ClassVar[tuple[type[Stream], ...]] = (Features, Picture)
    repetition: Annotated[int, Ge(1), Le(1000)] = 1
    mmse: bool = True
    rms: Annotated[float, Gt(0), Le(1e6)] | None = None
    header_copies: Annotated[int, Ge(1), Le(1000)] | None = None

    def adapted_to(self, channel: ChannelModel) -> Transport:
        snr_db = channel.mean_snr_db()
        if self.rms is not None or self.header_copies is not None or snr_db is None:
            return self
        copies = math.ceil(COPIES * 10 ** (-snr_db / 10))
        return replace(self, header_copies=min(max(copies, COPIES), MOST_COPIES))

    @property
    def _copies(self) -> int:
        return self.header_copies or COPIES

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        numbers = _numbers(name, stream)
        even = torch.nn.functional.pad(numbers, (0, numbers.numel() % 2))
        data = torch.view_as_complex(even.reshape(-1, 2))
        rms = 0.0
        if len(data):
            rms = float(data.to(torch.complex128).abs().square().mean().sqrt())
        uses = {"data": len(data), "parity": (self.repetition - 1) * len(data)}
        if self.rms is not None:
            symbols = (data / (rms or 1.0)).repeat(self.repetition)
            return Burst(name, stream, interleave(symbols), uses, {})
        if rms >= scale.LARGEST:
            raise ComponentError(
                f"the features of stream {name!r} have a root mean square of {rms:.3g}, and the "
                f"header of `analog` can tell the receiver of less than {scale.LARGEST:g}: "
                "scale them in the encoder"
            )
        level = scale.level_of(rms)
        header = header_code.encode(level, header_code.SETS, self._copies)
        repeated = (data / scale.scale_of(level)).repeat(self.repetition)
        symbols = interleave(torch.cat((header, repeated)))
        return Burst(name, stream, symbols, {"header": len(header), **uses}, {})

    def stream(self, span: Span, received: Received) -> Stream | None:
        import torch

        values, noise_var = deinterleaved_span(span, received)
        header, rms = 0, math.sqrt(2) * (self.rms or 0.0)
        if self.rms is None:
            header = self._copies * header_code.WORD_USES
            level = header_code.decode(values[:header], noise_var[:header], header_code.SETS)
            if level is None:
                return None
            rms = scale.scale_of(level)
        copies = values[header:].reshape(self.repetition, -1)
        weights = 1 / noise_var[header:].reshape(self.repetition, -1)
        combined = (copies * weights).sum(0)
        estimate = combined.div_(weights.sum(0) + self.mmse)  # v = 1 / sum of the weights
        count = int(np.prod(span.form))
        numbers = torch.view_as_real(estimate).flatten()[:count].numpy()
        numbers *= np.float32(rms)  # in place, as below: copies of a large picture are large
        if span.type is not Picture:
            return Features(numbers.reshape(span.form))
        numbers += 1
        numbers *= 127.5
        pixels = np.rint(numbers, out=numbers).clip(0, 255, out=numbers).astype(np.uint8)
        return Picture(pixels.reshape(span.form))


def _numbers(name: str, stream: Stream) -> torch.Tensor:
    """The real numbers of a stream, float32 (D,)."""
    import torch

    if isinstance(stream, Picture):
        return torch.from_numpy(stream.pixels.flatten().astype(np.float32) / 127.5 - 1)
    if not isinstance(stream, Features):
        raise ComponentError(
            f"analog sends numbers, and stream {name!r} is a {type(stream).__name__}: use `ldpc`"
        )
    numbers = torch.from_numpy(stream.values.flatten())
    if not torch.isfinite(numbers).all():
        raise ComponentError(
            f"the features of stream {name!r} hold NaN or infinity, which no transmitter can send"
        )
    return numbers
