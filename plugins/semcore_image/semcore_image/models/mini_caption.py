"""mini-caption, a small LLaVA: a frozen image tower, a projection and an autoregressive text
decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from semcore import on_device
from semcore_image.models.mini_clip import MiniClip, as_float
from semcore_image.vocabulary import CLASSES, COLOURS

# Prompt -> template of the answer; without a prompt the answer is the full caption.
PROMPTS = {
    "": "{a} {colour} {class} on {b} {background} background",
    "what is it?": "{a} {class}",
    "describe it briefly": "{a} {colour} {class}",
    "what colour is it?": "{colour}",
    "what colour is the background?": "{background}",
}
SPECIAL = ("<pad>", "<unknown>", "<answer>", "<end>")
PAD, UNKNOWN, ANSWER, END = range(len(SPECIAL))
MAX_PROMPT_WORDS, MAX_ANSWER_WORDS = 6, 9
"""Maximum words of a prompt, and of an answer with a one-word class, <end> included."""


def vocabulary(classes: Sequence[str]) -> tuple[str, ...]:
    """All words of answers and prompts."""
    names = [word for name in classes for word in name.split()]
    answers = tuple(dict.fromkeys(("a", "an", "on", "background", *COLOURS, *names)))
    prompts = {word for prompt in PROMPTS for word in prompt.replace("?", "").split()}
    return (*SPECIAL, *answers, *sorted(prompts - set(answers)))


def encode_prompt(prompt: str | None, index: Mapping[str, int]) -> list[int]:
    """Word ids of a prompt, ended by <answer>. Case and question marks are ignored; other words are
    <unknown>."""
    words = (prompt or "").lower().replace("?", "").split()[:MAX_PROMPT_WORDS]
    return [index.get(word, UNKNOWN) for word in words] + [ANSWER]


class CaptionDecoder(nn.Module):
    """A causal transformer over words with cross-attention to the 16 cells of the feature map."""

    causal: torch.Tensor

    def __init__(
        self,
        channels: int = 256,
        width: int = 128,
        layers: int = 2,
        heads: int = 4,
        classes: Sequence[str] = CLASSES,
    ) -> None:
        super().__init__()
        self.classes, self.vocabulary = tuple(classes), vocabulary(classes)
        self.index = {word: number for number, word in enumerate(self.vocabulary)}
        self.longest = MAX_ANSWER_WORDS - 1 + max(len(name.split()) for name in classes)
        length = MAX_PROMPT_WORDS + 1 + self.longest
        self.project = nn.Sequential(
            nn.Linear(channels, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.cells = nn.Parameter(torch.randn(16, width) * 0.02)
        self.words = nn.Embedding(len(self.vocabulary), width)
        self.positions = nn.Parameter(torch.randn(length, width) * 0.02)
        layer = nn.TransformerDecoderLayer(
            width, heads, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerDecoder(layer, layers, nn.LayerNorm(width))
        self.head = nn.Linear(width, len(self.vocabulary))
        hidden = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        self.register_buffer("causal", hidden, persistent=False)

    def memory(self, feature_map: torch.Tensor) -> torch.Tensor:
        """Feature map (B, C, 4, 4) to the memory of the decoder, (B, 16, width)."""
        return self.project(feature_map.flatten(2).transpose(1, 2)) + self.cells

    def forward(self, words: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        """Word ids (B, L) and `memory` (B, 16, width) to logits of the next words, (B, L,
        vocabulary)."""
        length = words.shape[1]
        x = self.words(words) + self.positions[:length]
        return self.head(self.layers(x, memory, tgt_mask=self.causal[:length, :length]))


class MiniCaption(nn.Module):
    """Pictures to captions, with an optional prompt."""

    def __init__(self, clip: MiniClip, decoder: CaptionDecoder) -> None:
        super().__init__()
        self.clip, self.decoder = clip, decoder

    @on_device
    @torch.no_grad()
    def caption(self, images: torch.Tensor, prompt: str | None = None) -> list[str]:
        """Captions of pictures (uint8 or float 0..1, (B, 3, 32, 32)), by greedy decoding.

        Args:
            prompt: one of PROMPTS; None for the full caption, "a brown bird on a green background"
        """
        images = as_float(images)
        count = len(images)
        # The scores of a picture and its mirror image are added.
        both = torch.cat([images, images.flip(3)])
        memory = self.decoder.memory(self.clip.image_map(both))
        words = torch.tensor([encode_prompt(prompt, self.decoder.index)] * count)
        first = words.shape[1]
        ended = torch.zeros(count, dtype=torch.bool)
        for _ in range(self.decoder.longest):
            scores = F.log_softmax(self.decoder(words.repeat(2, 1), memory)[:, -1], dim=-1)
            following = (scores[:count] + scores[count:]).argmax(-1)
            following[ended] = END
            ended |= following == END
            if ended.all():
                break
            words = torch.cat([words, following[:, None]], dim=1)
        return [self._text(row) for row in words[:, first:].tolist()]

    def _text(self, row: list[int]) -> str:
        return " ".join(self.decoder.vocabulary[index] for index in row if index != END)
