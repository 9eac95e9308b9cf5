"""Real numbers as symbols, without bits in between: quality falls gently with the SNR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from semcore.errors import ComponentError
from semcore.types import Features, Picture, Received, Span, Stream
from semcore_channels import scale
from semcore_channels.rows import Burst, StreamTransport

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Analog(StreamTransport):
    """Features or pixels sent as they are, two real numbers a complex symbol.

    A sample's numbers, pixels mapped from 0..255 to -1..1, are paired into complex symbols and divided by their root
    mean square, so that every sample has unit power. The receiver must know that scale to undo it: it travels in a
    header of 24 channel uses (its logarithm, 12 bits in steps of 0.047 dB, Golay-coded 4-QAM). The shape is known from
    the session.

    Symbols that are sent `repetition` times are combined with weights 1/noise_var (maximum ratio). With noise of
    variance v left in a symbol, the linear estimate of least mean square error is y / (1 + v): `mmse: true` applies it,
    `false` leaves the estimate unbiased. There is no check, so what arrives has no verdict in `Semantics.intact`.

    Channel uses by kind: data (the numbers), parity (their repetitions), header (the scale).

    Fields:
        repetition: how often every symbol is sent
        mmse: whether the receiver scales its estimates for the least mean square error
    """

    reference: ClassVar[str] = "T. J. Goblick, IEEE Trans. Inf. Theory 11(4), 1965 (uncoded transmission)"
    cites: ClassVar[tuple[str, ...]] = ("goblick1965theoretical",)
    carries: ClassVar[tuple[type[Stream], ...]] = (Features, Picture)
    repetition: Annotated[int, Ge(1), Le(1000)] = 1
    mmse: bool = True

    def burst(self, name: str, stream: Stream) -> Burst:
        import torch

        numbers = _numbers(name, stream)
        data = torch.view_as_complex(torch.nn.functional.pad(numbers, (0, numbers.numel() % 2)).reshape(-1, 2))
        rms = float(data.to(torch.complex128).abs().square().mean().sqrt()) if len(data) else 0.0
        if rms >= scale.LARGEST:
            raise ComponentError(
                f"the features of stream {name!r} have a root mean square of {rms:.3g}, and the header of `analog` can tell "
                f"the receiver of less than {scale.LARGEST:g}: scale them in the encoder"
            )
        level = scale.level_of(rms)
        symbols = torch.cat((scale.codebook()[level], (data / scale.scale_of(level)).repeat(self.repetition)))
        uses = {"header": scale.USES, "data": len(data), "parity": (self.repetition - 1) * len(data)}
        return Burst(name, stream, symbols, uses, {})

    def stream(self, span: Span, received: Received) -> Stream:
        import torch

        at = span.row, slice(span.start, span.stop)
        parts = torch.nan_to_num(torch.view_as_real(received.values[at].detach().cpu()), nan=0.0)
        values = torch.view_as_complex(parts.clamp(-1e6, 1e6))
        noise_var = torch.nan_to_num(received.noise_var[at].detach().cpu(), nan=1e12).clamp(1e-12, 1e12)
        level = scale.decode_level(values[: scale.USES], noise_var[: scale.USES])
        copies = values[scale.USES :].reshape(self.repetition, -1)
        weights = 1 / noise_var[scale.USES :].reshape(self.repetition, -1)
        estimate = (copies * weights).sum(0) / (weights.sum(0) + self.mmse)  # v = 1 / sum of the weights
        count = int(np.prod(span.form))
        numbers = torch.view_as_real(estimate).flatten()[:count].numpy() * np.float32(scale.scale_of(level))
        if span.type is Picture:
            return Picture(((numbers + 1) * 127.5).round().clip(0, 255).astype(np.uint8).reshape(span.form))
        return Features(numbers.reshape(span.form))


def _numbers(name: str, stream: Stream) -> torch.Tensor:
    """The real numbers of a stream, float32 (D,)."""
    import torch

    if isinstance(stream, Picture):
        return torch.from_numpy(stream.pixels.flatten().astype(np.float32) / 127.5 - 1)
    if not isinstance(stream, Features):
        raise ComponentError(f"analog sends numbers, and stream {name!r} is a {type(stream).__name__}: use `ldpc`")
    numbers = torch.from_numpy(stream.values.flatten())
    if not torch.isfinite(numbers).all():
        raise ComponentError(f"the features of stream {name!r} hold NaN or infinity, which no transmitter can send")
    return numbers
