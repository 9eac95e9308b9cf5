"""Transports that are networks: pictures to symbols, over any channel."""

from __future__ import annotations

import abc
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from semcore import (
    Adaptive,
    ComponentError,
    Layout,
    Picture,
    Received,
    Rng,
    Semantics,
    Span,
    Stream,
    Symbols,
    device,
    placed,
)
from semcore_image.pixels import from_tensor

if TYPE_CHECKING:
    import torch
    from torch import nn

    from semcore_image.jscc.network import PictureNetwork


@dataclass(frozen=True)
class LearnedTransport(Adaptive, abc.ABC):
    """Pictures to symbols and back by a network with two halves.

    There are no bits, header or CRC; every channel use is `data`. The encoder gets the mean SNR
    of the channel, which both ends know (or `snr_db`), the decoder the noise variance after
    equalisation of each symbol.
    """

    carries: ClassVar[tuple[type[Stream], ...]] = (Picture,)

    @property
    @abc.abstractmethod
    def network(self) -> PictureNetwork:
        """The network with its weights, in inference mode."""

    @functools.cached_property
    def encoder(self) -> nn.Module:
        """Pictures float32 0..1 (B, 3, H, W) -> symbols complex64 (B, uses) of unit power; see
        `semcore_image.jscc.network.Sender`."""
        from semcore_image.jscc.network import Sender

        return Sender(self.network, self.design_snr_db)

    @functools.cached_property
    def decoder(self) -> nn.Module:
        """Symbols, the noise variance of each, and (H, W) -> pictures float32 (B, 3, H, W); see
        `semcore_image.jscc.network.Recipient`."""
        from semcore_image.jscc.network import Recipient

        return Recipient(self.network)

    def embed(self, pixels: np.ndarray) -> torch.Tensor | None:
        """Text embedding of a picture for a network that reads text: float32 (1, D), or None."""
        return None

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        import torch

        rows, spans = list[torch.Tensor](), list[Span]()
        for index, semantics in enumerate(batch):
            row, start = [torch.zeros(0, dtype=torch.complex64)], 0
            for name, stream in semantics.streams.items():
                if not isinstance(stream, Picture):
                    raise ComponentError(
                        f"{type(self).__name__} only sends pictures, and stream {name!r} is not one"
                    )
                row.append(self._symbols(stream.pixels))
                spans.append(
                    Span(index, start, start + len(row[-1]), index, name, Picture, stream.form)
                )
                start += len(row[-1])
            rows.append(torch.cat(row))
        senders = tuple((semantics.key, semantics.user) for semantics in batch)
        layout = Layout(
            tuple(map(len, rows)), tuple(spans), tuple(key for key, _ in senders), senders
        )
        return Symbols(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), layout)

    def receive(self, received: Received) -> list[Semantics]:
        streams = {
            (span.sample, span.stream): (self._picture(span, received), None)
            for span in received.layout.spans
        }
        return received.layout.semantics(streams)

    def _symbols(self, pixels: np.ndarray) -> torch.Tensor:
        import torch

        images = (
            torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float() / 255
        )
        snr_db, text, place = torch.tensor([self.design_snr_db]), self.embed(pixels), device()
        with torch.inference_mode():
            symbols = placed(self.network).encode(
                images.to(place), snr_db.to(place), None if text is None else text.to(place)
            )
            return symbols[0].cpu().clone()

    def _picture(self, span: Span, received: Received) -> Picture:
        import torch

        at = span.row, slice(span.start, span.stop)
        noise_var = torch.nan_to_num(received.noise_var[at].detach().cpu(), nan=1e12).clamp(
            1e-12, 1e12
        )
        parts = torch.nan_to_num(
            torch.view_as_real(received.values[at].detach().cpu()), nan=0.0
        ).clamp(-1e6, 1e6)
        symbols, place = torch.view_as_complex(parts)[None], device()
        with torch.inference_mode():
            decoded = placed(self.network).decode(
                symbols.to(place), noise_var[None].to(place), (span.form[0], span.form[1])
            )
        return Picture(from_tensor(torch.nan_to_num(decoded, nan=0.5))[0])
