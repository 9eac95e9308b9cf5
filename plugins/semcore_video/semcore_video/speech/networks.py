"""Networks that make mel spectrograms: from phones and durations (A2V), and from lips and phones
(V2A)."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from semcore import on_device
from semcore_video.mixer import Mixer
from semcore_video.speech.lips import HEIGHT, WIDTH
from semcore_video.speech.mel import BANDS
from semcore_video.speech.phones import NAMES

EXPANSION = 4
"""Mel frames per frame of video: n = 16000 / (160 x 25), equation 21."""
MEAN, SPREAD = -5.0, 2.0
"""Approximate mean and standard deviation of log mel values."""
WAVES = 16
"""Number of sines and cosines of the positional encoding."""


class MelDecoder(nn.Module):
    """Features over time to pitch, energy and a mel spectrogram conditioned on both (FastSpeech
    2)."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.variance = nn.Sequential(
            Mixer(width, 5), Mixer(width, 5), nn.LayerNorm(width), nn.Linear(width, 2)
        )
        self.shaped = nn.Linear(2, width)
        self.blocks = nn.ModuleList(Mixer(width, 9) for _ in range(depth))
        self.mel = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, BANDS))

    def forward(
        self, x: torch.Tensor, true_variance: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, W) -> pitch and energy (B, T, 2), mel (B, T, 80); `true_variance`: the true pitch
        and energy, in training."""
        variance = self.variance(x)
        x = x + self.shaped(variance if true_variance is None else true_variance)
        for block in self.blocks:
            x = block(x)
        return variance, MEAN + SPREAD * self.mel(x)


class MelVoice(nn.Module):
    """Phones and durations to a mel spectrogram: G_mel of equation 16, after FastSpeech 2.

    Args:
        voices: number of speakers
        width: channels
        depth: blocks before and after the length regulator
    """

    typical: torch.Tensor
    """Average duration of each phone, frames."""

    def __init__(self, voices: int, width: int = 160, depth: int = 4) -> None:
        super().__init__()
        self.phones = nn.Embedding(len(NAMES), width)
        self.voices = nn.Embedding(voices, width)
        self.encoder = nn.ModuleList(Mixer(width, 5) for _ in range(depth))
        self.within = nn.Linear(3, width)
        self.register_buffer("typical", torch.full((len(NAMES),), 8.0))
        self.decoder = MelDecoder(width, depth)

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {
            "voices": self.voices.num_embeddings,
            "width": self.phones.embedding_dim,
            "depth": len(self.encoder),
        }

    @on_device
    def forward(
        self,
        phones: torch.Tensor,
        durations: torch.Tensor,
        voices: torch.Tensor,
        true_variance: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pitch and energy (B, T, 2) and mel (B, T, 80), T the largest sum of durations.

        Args:
            phones: int64 (B, P)
            durations: frames, int64 (B, P); 0 after the end of a row
            voices: int64 (B,)
            true_variance: the true pitch and energy (B, T, 2), in training
        """
        x = self.phones(phones) + self.voices(voices)[:, None]
        for block in self.encoder:
            x = block(x)
        owner, place = regulated(durations)
        length = durations.gather(1, owner)[..., None].float()
        within = torch.cat(
            [
                place[..., None] / length.clamp(min=1),
                1 / (1 + place[..., None]),
                length.clamp(max=50) / 20,
            ],
            -1,
        )
        x = x.gather(1, owner[..., None].expand(-1, -1, x.shape[-1])) + self.within(within)
        found: tuple[torch.Tensor, torch.Tensor] = self.decoder(x, true_variance)
        return found


def regulated(durations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Length regulator: durations (B, P) -> phone index and position within the phone of each
    frame, (B, T) each."""
    ends = durations.cumsum(1)
    frames = torch.arange(int(ends[:, -1].max()), device=durations.device).expand(
        len(durations), -1
    )
    owner = torch.searchsorted(ends, frames.contiguous(), right=True).clamp(
        max=durations.shape[1] - 1
    )
    return owner, frames - (ends - durations).gather(1, owner)


class LipVoice(nn.Module):
    """Lips and phones to a mel spectrogram: equations 19 to 22.

    Convolutions encode each crop of the lips, and blocks over time their motion (eq. 19);
    multi-head attention relates them to the phones of the text (eq. 20); a transposed convolution
    makes four mel frames per frame of video (eq. 21), followed by the mel decoder (eq. 22).
    Positional encodings of both are relative to the speech interval; that of a phone assumes
    typical durations.

    Args:
        voices: number of speakers
        width: channels
        depth: blocks over time of lips, of phones and of the decoder
        heads: of the attention
    """

    typical: torch.Tensor
    """Average duration of each phone, frames."""

    def __init__(self, voices: int, width: int = 160, depth: int = 3, heads: int = 4) -> None:
        super().__init__()
        self.eye = nn.Sequential(
            nn.Conv2d(1, 16, 5, 2, 2),
            nn.GELU(),
            nn.Conv2d(16, 32, 3, 2, 1),
            nn.GELU(),
            nn.Conv2d(32, 48, 3, 2, 1),
            nn.GELU(),
            nn.Flatten(),
            nn.Linear(48 * (HEIGHT // 8) * (WIDTH // 8), width),
        )
        self.motion = nn.ModuleList(Mixer(width, 7) for _ in range(depth))
        self.phones = nn.Embedding(len(NAMES), width)
        self.voices = nn.Embedding(voices, width)
        self.text = nn.ModuleList(Mixer(width, 5) for _ in range(depth))
        self.place = nn.Linear(2 * WAVES + 2, width)
        self.asked = nn.Linear(2 * width, width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.fused = nn.ModuleList(Mixer(width, 7) for _ in range(2))
        self.expansion = nn.ConvTranspose1d(width, width, 2 * EXPANSION, EXPANSION, EXPANSION // 2)
        self.register_buffer("typical", torch.full((len(NAMES),), 8.0))
        self.decoder = MelDecoder(width, depth + 1)

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        heads, depth = self.attention.num_heads, len(self.motion)
        return {
            "voices": self.voices.num_embeddings,
            "width": self.phones.embedding_dim,
            "depth": depth,
            "heads": heads,
        }

    @on_device
    def forward(
        self,
        lips: torch.Tensor,
        phones: torch.Tensor,
        mask: torch.Tensor,
        interval: torch.Tensor,
        voices: torch.Tensor,
        true_variance: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Pitch and energy (B, 4 T, 2), mel (B, 4 T, 80), and the attention of each frame of video
        to each phone (B, T, P).

        Args:
            true_variance: the true pitch and energy (B, 4 T, 2), in training; other arguments as in
                `attend`
        """
        x, attention = self.attend(lips, phones, mask, interval, voices)
        for block in self.fused:
            x = block(x)
        x = F.gelu(self.expansion(x.transpose(1, 2)).transpose(1, 2))
        return *self.decoder(x, true_variance), attention

    @on_device
    def attend(
        self,
        lips: torch.Tensor,
        phones: torch.Tensor,
        mask: torch.Tensor,
        interval: torch.Tensor,
        voices: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Features of each frame of video (B, T, W), and its attention to each phone (B, T, P): eq.
        19 and 20.

        Args:
            lips: crops, float32 (B, T, 24, 32), zero mean and unit standard deviation over a clip
            phones: int64 (B, P)
            mask: which phones are valid, bool (B, P)
            interval: start and end of the speech, frames of video, float32 (B, 2)
            voices: int64 (B,)
        """
        batch, frames = lips.shape[:2]
        motion = self.eye(lips.reshape(-1, 1, HEIGHT, WIDTH)).reshape(batch, frames, -1)
        for block in self.motion:
            motion = block(motion)
        text = self.phones(phones) + self.voices(voices)[:, None]
        for block in self.text:
            text = block(text * mask[..., None])
        first, last = interval[:, :1], interval[:, 1:]
        when = (torch.arange(frames) + 0.5 - first) / (last - first).clamp(min=1)
        durations = self.typical[phones] * mask
        order = (durations.cumsum(1) - durations / 2) / durations.sum(1, keepdim=True).clamp(min=1)
        motion, text = motion + self.place(_waves(when)), text + self.place(_waves(order))
        queries = self.asked(torch.cat([motion, self.place(_waves(when))], -1))
        attended, attention = self.attention(queries, text, text, key_padding_mask=~mask)
        return motion + attended, attention


def _waves(places: torch.Tensor) -> torch.Tensor:
    """Positional encoding: positions from 0 at the start of the speech to 1 at its end, (B, T) ->
    (B, T, 2 WAVES + 2)."""
    inside = (places > 0) & (places < 1)
    angles = math.pi * places.clamp(-0.1, 1.1)[..., None] * torch.arange(1, WAVES + 1)
    return torch.cat(
        [angles.sin(), angles.cos(), inside[..., None].float(), places.clamp(-0.5, 1.5)[..., None]],
        -1,
    )
