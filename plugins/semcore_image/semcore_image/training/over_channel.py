"""Recipes that train through a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from annotated_types import Ge, Le

from semcore import ChannelModel, Rng, Source
from semcore.training import NetworkRecipe, symbols_of

Decibels = Annotated[float, Ge(-50), Le(100)]


@dataclass(frozen=True)
class TrainedOverChannel(NetworkRecipe):
    """Training through a differentiable channel model.

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        channel: channel model to train over, for example channel.use=awgn; its `snr_db` is drawn at
            random in each step, and one without is taken as it is
        snr_db: lowest and highest Es/N0 of the training, dB
        batch_size: pictures per step
        learning_rate: peak rate (AdamW)
        seed: seed of weights, order, augmentation and noise
    """

    data: str | Source
    channel: ChannelModel
    snr_db: tuple[Decibels, Decibels] = (0.0, 23.0)
    batch_size: Annotated[int, Ge(8)] = 128
    learning_rate: float = 1.2e-3
    seed: int = 6


def sent_features(features: torch.Tensor, channel: ChannelModel, rng: Rng) -> torch.Tensor:
    """Features (B, D) sent over a channel as by the transport `analog`: unit power, linear MMSE
    estimate, known scale."""
    symbols = torch.view_as_complex(
        F.pad(features.float(), (0, features.shape[1] % 2)).reshape(len(features), -1, 2)
    )
    rms = symbols.abs().square().mean(1, keepdim=True).clamp(min=1e-12).sqrt()
    # The channel computes on the CPU, where its random numbers are drawn.
    received = channel.transmit(symbols_of((symbols / rms).cpu()), rng)
    estimate = (received.values / (1 + received.noise_var)).to(rms.device) * rms
    return torch.view_as_real(estimate).flatten(1)[:, : features.shape[1]]
