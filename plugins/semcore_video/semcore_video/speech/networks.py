"""Networks that make mel spectrograms: of phones and durations (A2V), and of lips and phones
(V2A)."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from semcore_video.mixer import Mixer
from semcore_video.speech.lips import HEIGHT, WIDTH
from semcore_video.speech.mel import BANDS
from semcore_video.speech.phones import NAMES

EXPANSION = 4
"""Mel frames for a frame of video: n = 16000 / (160 x 25), equation 21."""
MEAN, SPREAD = -5.0, 2.0
"""About those of log mel values."""
WAVES = 16
"""Sines and cosines that tell a place."""


class MelDecoder(nn.Module):
    """Features over time to pitch, energy and a mel spectrogram; pitch and energy shape the rest
    (FastSpeech 2)."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.variance = nn.Sequential(
            Mixer(width, 5), Mixer(width, 5), nn.LayerNorm(width), nn.Linear(width, 2)
        )
        self.shaped = nn.Linear(2, width)
        self.blocks = nn.ModuleList(Mixer(width, 9) for _ in range(depth))
        self.mel = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, BANDS))

    def forward(
        self, x: torch.Tensor, known: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, T, W) -> pitch and energy (B, T, 2), mel (B, T, 80); `known`: the true pitch and
        energy, in training."""
        variance = self.variance(x)
        x = x + self.shaped(variance if known is None else known)
        for block in self.blocks:
            x = block(x)
        return variance, MEAN + SPREAD * self.mel(x)


class MelVoice(nn.Module):
    """Phones and durations to a mel spectrogram: G_mel of equation 16, after FastSpeech 2.

    Args:
        voices: speakers
        width: channels
        depth: blocks before and behind the durations
    """

    typical: torch.Tensor
    """Frames that each phone lasts on average."""

    def __init__(self, voices: int, width: int = 160, depth: int = 4) -> None:
        super().__init__()
        self.phones = nn.Embedding(len(NAMES), width)
        self.voices = nn.Embedding(voices, width)
        self.encoder = nn.ModuleList(Mixer(width, 5) for _ in range(depth))
        self.within = nn.Linear(3, width)
        self.register_buffer("typical", torch.full((len(NAMES),), 8.0))
        self.decoder = MelDecoder(width, depth)

    def settings(self) -> dict[str, Any]:
        """What it was built with."""
        return {
            "voices": self.voices.num_embeddings,
            "width": self.phones.embedding_dim,
            "depth": len(self.encoder),
        }

    def forward(
        self,
        phones: torch.Tensor,
        durations: torch.Tensor,
        voices: torch.Tensor,
        known: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Pitch and energy (B, T, 2) and mel (B, T, 80), T the longest sum of durations.

        Args:
            phones: int64 (B, P)
            durations: frames, int64 (B, P); 0 behind the end of a row
            voices: int64 (B,)
            known: the true pitch and energy (B, T, 2), in training
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
        found: tuple[torch.Tensor, torch.Tensor] = self.decoder(x, known)
        return found


def regulated(durations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The length regulator: durations (B, P) -> of each frame its phone and its place in it, (B, T)
    each."""
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

    Convolutions read each picture of the lips, and blocks over time their motion (eq. 19);
    multi-head attention asks the phones of the text what these lips may say (eq. 20); a transposed
    convolution makes four mel frames of a frame of video (eq. 21), and the mel decoder the rest
    (eq. 22). Where in the speech a frame of video is, and where a phone would be if all lasted as
    long as they typically do, is told both.

    Args:
        voices: speakers
        width: channels
        depth: blocks over time of lips, of phones and of the decoder
        heads: of the attention
    """

    typical: torch.Tensor
    """Frames that each phone lasts on average."""

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
        """What it was built with."""
        heads, depth = self.attention.num_heads, len(self.motion)
        return {
            "voices": self.voices.num_embeddings,
            "width": self.phones.embedding_dim,
            "depth": depth,
            "heads": heads,
        }

    def forward(
        self,
        lips: torch.Tensor,
        phones: torch.Tensor,
        there: torch.Tensor,
        interval: torch.Tensor,
        voices: torch.Tensor,
        known: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Pitch and energy (B, 4 T, 2), mel (B, 4 T, 80), and how much each frame of video looks at
        each phone (B, T, P).

        Args:
            known: the true pitch and energy (B, 4 T, 2), in training; the others are those of
                `attend`
        """
        x, looked = self.attend(lips, phones, there, interval, voices)
        for block in self.fused:
            x = block(x)
        x = F.gelu(self.expansion(x.transpose(1, 2)).transpose(1, 2))
        return *self.decoder(x, known), looked

    def attend(
        self,
        lips: torch.Tensor,
        phones: torch.Tensor,
        there: torch.Tensor,
        interval: torch.Tensor,
        voices: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What each frame of video sees and hears (B, T, W), and how much it looks at each phone
        (B, T, P): eq. 19 and 20.

        Args:
            lips: pictures, float32 (B, T, 24, 32), zero mean and unit deviation over a clip
            phones: int64 (B, P)
            there: which phones there are, bool (B, P)
            interval: first and last moment of the speech, frames of video, float32 (B, 2)
            voices: int64 (B,)
        """
        batch, frames = lips.shape[:2]
        seen = self.eye(lips.reshape(-1, 1, HEIGHT, WIDTH)).reshape(batch, frames, -1)
        for block in self.motion:
            seen = block(seen)
        said = self.phones(phones) + self.voices(voices)[:, None]
        for block in self.text:
            said = block(said * there[..., None])
        first, last = interval[:, :1], interval[:, 1:]
        when = (torch.arange(frames) + 0.5 - first) / (last - first).clamp(min=1)
        lasts = self.typical[phones] * there
        order = (lasts.cumsum(1) - lasts / 2) / lasts.sum(1, keepdim=True).clamp(min=1)
        seen, said = seen + self.place(_waves(when)), said + self.place(_waves(order))
        queries = self.asked(torch.cat([seen, self.place(_waves(when))], -1))
        heard, looked = self.attention(queries, said, said, key_padding_mask=~there)
        return seen + heard, looked


def _waves(places: torch.Tensor) -> torch.Tensor:
    """Places, 0 the beginning of the speech and 1 its end, (B, T) -> (B, T, 2 WAVES + 2)."""
    inside = (places > 0) & (places < 1)
    angles = math.pi * places.clamp(-0.1, 1.1)[..., None] * torch.arange(1, WAVES + 1)
    return torch.cat(
        [angles.sin(), angles.cos(), inside[..., None].float(), places.clamp(-0.5, 1.5)[..., None]],
        -1,
    )
