"""Sentence BLEU."""

from __future__ import annotations

import functools
import importlib.util
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from semcore import ComponentError, Record, Score, Statistic
from semcore.metrics import RecordMetric
from semcore_llm.metrics.texts import mean, texts

if TYPE_CHECKING:
    from sacrebleu.metrics import BLEU

Tokenizer = Literal["auto", "13a", "intl", "char", "zh", "ja-mecab", "ko-mecab", "none"]
EXTRAS = {"ja-mecab": ("MeCab", "sacrebleu[ja]"), "ko-mecab": ("mecab_ko", "sacrebleu[ko]")}
"""Tokenizer -> required module, and the package extra that installs it."""
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd]")
"""Chinese characters, which `zh` of sacrebleu splits."""
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f]"
)
"""Characters of other scripts without spaces between words: Thai, Lao, Tibetan, Burmese, Khmer,
hiragana and katakana."""


@dataclass(frozen=True)
class SentenceBLEU(RecordMetric):
    """Sentence BLEU of the text that arrived against the text that was sent, 0..1 (sacrebleu).

    n-grams up to four tokens, fewer for shorter texts (effective order), case-sensitive. The mean
    over the text streams; a lost stream counts 0, equal texts 1. None if no text was sent.

    Fields:
        smoothing: smoothing method of sacrebleu for zero precisions
        tokenizer: tokenizer of sacrebleu: `13a` (mteval-v13a), `intl` (Unicode classes), `char`,
            `zh` (Chinese by characters, the rest as 13a), `ja-mecab` and `ko-mecab` (with
            sacrebleu[ja] or sacrebleu[ko]), `none` (spaces only); `auto`: 13a, but zh for Chinese
            sent texts, and char for other scripts without spaces between words
    """

    version: ClassVar[int] = 2
    reference: ClassVar[str] = (
        "K. Papineni et al., ACL 2002; M. Post, A Call for Clarity in BLEU Scores, WMT 2018"
    )
    cites: ClassVar[tuple[str, ...]] = ("papineni2002bleu", "post2018call")
    statistic: ClassVar[Statistic] = Score(0.0, 1.0)

    smoothing: Literal["exp", "floor", "add-k", "none"] = "exp"
    tokenizer: Tokenizer = "auto"

    def check(self) -> None:
        module, extra = EXTRAS.get(self.tokenizer, ("", ""))
        if module and importlib.util.find_spec(module) is None:
            raise ComponentError(
                f"SentenceBLEU.tokenizer: {self.tokenizer} needs {module}, which is not "
                f"installed: pip install '{extra}'"
            )

    def _bleu(self, tokenizer: str) -> BLEU:
        if tokenizer not in self._made:
            from sacrebleu.metrics import BLEU

            self._made[tokenizer] = BLEU(
                effective_order=True, smooth_method=self.smoothing, tokenize=tokenizer
            )
        return self._made[tokenizer]

    @functools.cached_property
    def _made(self) -> dict[str, BLEU]:
        return {}

    @property
    def signature(self) -> str:
        bleu = self._bleu("13a" if self.tokenizer == "auto" else self.tokenizer)
        bleu.sentence_score("a", ["a"])  # sacrebleu sets its signature with the first score
        unspaced = ",chinese=zh,unspaced=char" if self.tokenizer == "auto" else ""
        return (
            f"BLEU|{self.version}|scale=0..1,streams=mean,lost=0{unspaced}|{bleu.get_signature()}"
        )

    def value(self, record: Record) -> float | None:
        return mean([self._score(sent, arrived) for sent, arrived in texts(record)])

    def _score(self, sent: str, arrived: str | None) -> float:
        if arrived is None:
            return 0.0
        if sent == arrived:
            return 1.0
        tokenizer = tokenizer_of(sent) if self.tokenizer == "auto" else self.tokenizer
        return min(1.0, self._bleu(tokenizer).sentence_score(arrived, [sent]).score / 100)


def tokenizer_of(text: str) -> str:
    """The tokenizer for a text under `auto`; see `SentenceBLEU`."""
    return "char" if UNSPACED.search(text) else "zh" if HAN.search(text) else "13a"
