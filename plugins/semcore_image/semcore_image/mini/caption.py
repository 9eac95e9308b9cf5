"""mini-caption: LLaVA in miniature. A frozen image tower, a projection, and a decoder that writes word by word."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from semcore_image.mini.clip import MiniClip, as_float
from semcore_image.mini.data import CLASSES, COLOURS

# What can be asked, and the form of the answer; without a prompt the answer is the full caption.
PROMPTS = {
    "": "{a} {colour} {class} on {b} {background} background",
    "what is it?": "{a} {class}",
    "describe it briefly": "{a} {colour} {class}",
    "what colour is it?": "{colour}",
    "what colour is the background?": "{background}",
}
SPECIAL = ("<pad>", "<unknown>", "<answer>", "<end>")
ANSWER_WORDS = ("a", "an", "on", "background", *COLOURS, *CLASSES)
PROMPT_WORDS = tuple(sorted({word for prompt in PROMPTS for word in prompt.replace("?", "").split()} - set(ANSWER_WORDS)))
VOCABULARY = (*SPECIAL, *ANSWER_WORDS, *PROMPT_WORDS)
INDEX = {word: index for index, word in enumerate(VOCABULARY)}
PAD, UNKNOWN, ANSWER, END = range(len(SPECIAL))
MAX_PROMPT_WORDS, MAX_ANSWER_WORDS = 6, 9


def encode_prompt(prompt: str | None) -> list[int]:
    """Word ids of a prompt, closed by <answer>; case and question marks do not matter, other words are <unknown>."""
    words = (prompt or "").lower().replace("?", "").split()[:MAX_PROMPT_WORDS]
    return [INDEX.get(word, UNKNOWN) for word in words] + [ANSWER]


class CaptionDecoder(nn.Module):
    """A causal transformer over words that cross-attends to the 16 cells of the image tower's feature map."""

    causal: torch.Tensor

    def __init__(self, channels: int = 256, width: int = 128, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        length = MAX_PROMPT_WORDS + 1 + MAX_ANSWER_WORDS
        self.project = nn.Sequential(nn.Linear(channels, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.cells = nn.Parameter(torch.randn(16, width) * 0.02)
        self.words = nn.Embedding(len(VOCABULARY), width)
        self.positions = nn.Parameter(torch.randn(length, width) * 0.02)
        layer = nn.TransformerDecoderLayer(width, heads, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerDecoder(layer, layers, nn.LayerNorm(width))
        self.head = nn.Linear(width, len(VOCABULARY))
        hidden = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        self.register_buffer("causal", hidden, persistent=False)

    def see(self, feature_map: torch.Tensor) -> torch.Tensor:
        """Feature map (B, C, 4, 4) to what the decoder attends to, (B, 16, width)."""
        return self.project(feature_map.flatten(2).transpose(1, 2)) + self.cells

    def forward(self, words: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """Word ids (B, L) and `see(...)` to the logits of each next word, (B, L, vocabulary)."""
        length = words.shape[1]
        x = self.words(words) + self.positions[:length]
        return self.head(self.layers(x, seen, tgt_mask=self.causal[:length, :length]))


class MiniCaption(nn.Module):
    """Pictures to sentences, with an optional prompt."""

    def __init__(self, clip: MiniClip, decoder: CaptionDecoder) -> None:
        super().__init__()
        self.clip, self.decoder = clip, decoder

    @torch.no_grad()
    def caption(self, images: torch.Tensor, prompt: str | None = None) -> list[str]:
        """One sentence a picture (uint8 or float 0..1, (B, 3, 32, 32)), the likeliest word each time.

        prompt: one of PROMPTS; None asks for the full caption, "a brown bird on a green background"
        """
        images = as_float(images)
        count = len(images)
        both = torch.cat([images, images.flip(3)])  # a picture and its mirror image vote on every word
        seen = self.decoder.see(self.clip.image_map(both))
        words = torch.tensor([encode_prompt(prompt)] * count)
        first = words.shape[1]
        ended = torch.zeros(count, dtype=torch.bool)
        for _ in range(MAX_ANSWER_WORDS):
            scores = F.log_softmax(self.decoder(words.repeat(2, 1), seen)[:, -1], dim=-1)
            following = (scores[:count] + scores[count:]).argmax(-1)
            following[ended] = END
            ended |= following == END
            if ended.all():
                break
            words = torch.cat([words, following[:, None]], dim=1)
        return [" ".join(VOCABULARY[i] for i in row if i != END) for row in words[:, first:].tolist()]
