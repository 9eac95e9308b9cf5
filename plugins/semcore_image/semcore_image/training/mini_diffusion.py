"""Recipe of mini-diffusion: the denoiser of latents, conditioned on embeddings of mini-clip."""

from __future__ import annotations

import copy
import functools
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler
from diffusers.models.attention_processor import AttnProcessor

from semcore import Source
from semcore.training import (
    NetworkRecipe,
    RowBatches,
    Step,
    Training,
    at_place,
    one_cycle,
    warming,
    write_model,
)
from semcore_image.models.digests import check_written
from semcore_image.models.mini_clip import MiniClip
from semcore_image.models.mini_diffusion import SCHEDULE, MiniDiffusion, MiniVae, build_unet
from semcore_image.models.weights import fill, folder_of, load_mini
from semcore_image.training.card import data_summary, model_card
from semcore_image.training.data import UNSEEN, Split, load_split, name_colours
from semcore_image.training.noise import corrupt
from semcore_image.vocabulary import CLASSES, TEMPLATES, caption, with_article

SETTINGS = {
    "sample_size": 8,
    "in_channels": 8,
    "out_channels": 8,
    "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    "block_out_channels": [128, 128],
    "layers_per_block": 1,
    "cross_attention_dim": 128,
    "attention_head_dim": 2,  # diffusers takes this as the number of heads
    "norm_num_groups": 16,
    "time_embedding_dim": 256,
}
SIGNAL = UniPCMultistepScheduler(**SCHEDULE).alphas_cumprod
"""Share of the picture in the power at each time step, float32 (steps,)."""
GUIDANCE = 4.0
"""Guidance for classes that mini-classifier does not know."""
TOKENS = 48  # the longest clean caption has 45 characters


@dataclass(frozen=True, kw_only=True)
class MiniDiffusionRecipe(NetworkRecipe):
    """Trains mini-diffusion: a latent denoiser with cross-attention to the characters of a caption.

    Fields:
        data: folder with train/<class>/ and test/<class>/, with <class>/, or with the binary
            version of CIFAR-10; or a source of pictures
        epochs: passes over the training pictures
        batch_size: pictures per step
        learning_rate: peak rate (AdamW)
        dropped: share of captions replaced by the empty text, for classifier-free guidance
        noisy: share of captions with corrupted characters
        max_noise: maximum share of corrupted characters in those
        vae: folder written by the recipe `mini-vae`, which is copied next to the weights; null: the
            shipped autoencoder
        seed: seed of weights, order, noise and time steps
    """

    cites: ClassVar[tuple[str, ...]] = (
        "rombach2022high",
        "ho2022classifier",
        "krizhevsky2009learning",
    )
    cpu_dtype: ClassVar[Literal["bfloat16"]] = "bfloat16"

    data: str | Source
    epochs: int = 9
    batch_size: int = 128
    learning_rate: float = 1e-3
    dropped: float = 0.12
    noisy: float = 0.1
    max_noise: float = 0.15
    seed: int = 4
    threads: int = 2
    vae: str | None = None

    def check(self) -> None:
        check_written(self, "vae", self.vae)

    @at_place
    def train(self, out: Path) -> None:
        split, test = load_split(self.data, "train"), load_split(self.data, "test")
        unseen, clip = test.some(UNSEEN), load_mini("mini-clip")
        vae = (
            fill(MiniVae, folder_of(self.vae) if self.vae else "mini-diffusion/vae")
            .eval()
            .requires_grad_(False)
            .to(self.place)
        )

        @functools.cache  # computed lazily: not needed if training is finished
        def prepared(seen: bool) -> tuple[torch.Tensor, CaptionTable]:
            chosen = split if seen else unseen
            parts = [encode_both(vae, part, self) for part in chosen.images.split(500)]
            return torch.cat(parts, dim=1), CaptionTable(clip, chosen)

        measurable = set(split.classes) <= set(CLASSES)  # mini-classifier knows no others
        torch.manual_seed(self.seed)  # initial weights only; everything later has its own generator
        unet = build_unet(SETTINGS).to(self.place).to(memory_format=torch.channels_last)
        average = copy.deepcopy(unet)
        # Explicit attention: at this size the masked backward pass of the fused kernel is several
        # times slower.
        unet.set_attn_processor(AttnProcessor())
        self.translate([unet])
        adam = torch.optim.AdamW(
            [{"params": list(unet.parameters()), "peak": self.learning_rate}],
            lr=1.0,
            betas=(0.9, 0.99),
            weight_decay=0.01,
        )

        def measure(average: Any) -> dict[str, float]:
            model = MiniDiffusion(clip, vae, average, guidance=GUIDANCE)
            known = split.classes if measurable else ()
            return {"class_accuracy": class_accuracy(model, 10, self.seed, known)} if known else {}

        training = Training(
            network=unet,
            optimizers={"adam": adam},
            batches=RowBatches([torch.arange(len(split))], self.batch_size),
            cost=lambda net, batch, step: self.cost(net, batch[0], step, *prepared(net.training)),
            epochs=self.epochs,
            unseen=RowBatches([torch.arange(len(unseen))], self.batch_size),
            measure=measure,
            rate=functools.partial(one_cycle, warm_up=0.05),
            decay=functools.partial(warming, most=0.999),
            average=average,
        )
        average, seconds = training.run(self, out)
        scales = (2.0, 3.0, 4.0, 6.0) if measurable else ()
        trials = {
            g: class_accuracy(MiniDiffusion(clip, vae, average, g), 20, 1, split.classes)
            for g in scales
        }
        # The smallest guidance close to the best accuracy: more guidance reduces variety.
        guidance = min(
            (g for g, score in trials.items() if score >= max(trials.values()) - 0.02),
            default=GUIDANCE,
        )
        scores = evaluate(MiniDiffusion(clip, vae, average, guidance), test, trials)
        scores.append((f"training time on {self.hardware}", f"{seconds / 60:.1f} min"))
        config = {"guidance": guidance, "unet": SETTINGS, "classes": list(split.classes)}
        card = model_card(TITLE, SUMMARY, self, scores, NOTES, data_summary(split))
        write_model(out, config, average, card)
        if self.vae:  # the denoiser needs this autoencoder
            (out / "vae").mkdir(exist_ok=True)
            for name in ("config.json", "model.safetensors"):
                shutil.copyfile(Path(self.vae).expanduser() / name, out / "vae" / name)

    def cost(
        self,
        unet: Any,
        chosen: torch.Tensor,
        step: Step,
        latents: torch.Tensor,
        captions: CaptionTable,
    ) -> torch.Tensor:
        """Weighted squared error of the velocity; `latents`: of all pictures and their mirror
        images, on the CPU as the captions."""
        place, chosen, generator = chosen.device, chosen.cpu(), step.generator
        mirrored = torch.randint(0, 2, (len(chosen),), generator=generator)
        clean = latents[mirrored, chosen].float().contiguous(memory_format=torch.channels_last)
        times = torch.randint(0, len(SIGNAL), (len(chosen),), generator=generator)
        noise = torch.randn(clean.shape, generator=generator).contiguous(
            memory_format=torch.channels_last
        )
        kept = SIGNAL[times].view(-1, 1, 1, 1)
        noised = kept.sqrt() * clean + (1 - kept).sqrt() * noise
        target = (kept.sqrt() * noise - (1 - kept).sqrt() * clean).to(place)  # v-prediction
        tokens, mask = captions.draw(
            chosen, generator, step.numbers, self.dropped, self.noisy, self.max_noise
        )
        with self.casting():
            predicted = unet(
                noised.to(place),
                times.to(place),
                tokens.to(place),
                encoder_attention_mask=mask.to(place),
            ).sample
        error = (predicted.float() - target).square().mean((1, 2, 3))
        ratio = (kept / (1 - kept)).flatten().to(place)
        # Min-SNR weighting, gamma 5.
        return (error * ratio.clamp(max=5.0) / (ratio + 1)).mean()


@torch.no_grad()
def encode_both(vae: MiniVae, images: torch.Tensor, recipe: NetworkRecipe) -> torch.Tensor:
    """Latents of pictures and of their mirror images on the CPU, bfloat16 (2, B, c, 8, 8)."""
    images = images.to(recipe.place)
    with recipe.casting():
        return torch.stack([vae.encode(images), vae.encode(images.flip(3))]).bfloat16().cpu()


class CaptionTable:
    """Text embeddings of all captions of a split, computed once."""

    def __init__(self, clip: MiniClip, split: Split) -> None:
        self.clip = clip
        unique, self.rows = split.facts.unique(dim=0, return_inverse=True)
        self.texts = [
            caption(f, template, split.classes) for f in unique.tolist() for template in TEMPLATES
        ] + [""]
        parts = [clip.text_tokens(self.texts[i : i + 500]) for i in range(0, len(self.texts), 500)]
        self.tokens = torch.cat([tokens[:, :TOKENS].bfloat16().cpu() for tokens, _ in parts])
        self.mask = torch.cat([mask[:, :TOKENS].cpu() for _, mask in parts])

    def draw(
        self,
        chosen: torch.Tensor,
        generator: torch.Generator,
        rng: np.random.Generator,
        dropped: float,
        noisy: float,
        max_noise: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Embeddings and mask of a random caption of each chosen picture; some corrupted, some
        empty."""
        templates = torch.randint(0, len(TEMPLATES), (len(chosen),), generator=generator)
        # The full caption is the common case.
        templates[torch.rand(len(chosen), generator=generator) < 0.4] = 0
        rows = self.rows[chosen] * len(TEMPLATES) + templates
        tokens, mask = self.tokens[rows].float(), self.mask[rows]
        damaged = (torch.rand(len(chosen), generator=generator) < noisy).nonzero().flatten()
        if len(damaged):
            texts = [
                corrupt(self.texts[rows[i]], rng.random() * max_noise, rng)
                for i in damaged.tolist()
            ]
            # the table is on the CPU
            some_tokens, some_mask = (one.cpu() for one in self.clip.text_tokens(texts))
            tokens[damaged], mask[damaged] = some_tokens[:, :TOKENS], some_mask[:, :TOKENS]
        empty = torch.rand(len(chosen), generator=generator) < dropped
        tokens[empty], mask[empty] = self.tokens[-1].float(), self.mask[-1]
        return tokens, mask


def class_prompts(count: int, classes: Sequence[str] = CLASSES) -> list[str]:
    """`count` prompts "a photo of a ..." per class, grouped by class."""
    return [f"a photo of {with_article(name)}" for name in classes for _ in range(count)]


def draw_noise(model: MiniDiffusion, count: int, seed: int) -> torch.Tensor:
    """Standard normal initial noise (count, *latent_shape)."""
    return torch.randn((count, *model.latent_shape), generator=torch.Generator().manual_seed(seed))


def class_accuracy(
    model: MiniDiffusion, count: int, seed: int, classes: Sequence[str] = CLASSES
) -> float:
    """Share of pictures, `count` per class, that mini-classifier assigns to the class of the
    prompt."""
    prompts = class_prompts(count, classes)
    labels = torch.tensor([CLASSES.index(name) for name in classes]).repeat_interleave(count)
    return _classified(model, prompts, draw_noise(model, len(prompts), seed), labels)[0]


def _classified(
    model: MiniDiffusion, texts: list[str], noise: torch.Tensor, labels: torch.Tensor | None
) -> tuple[float, torch.Tensor]:
    """The share of pictures that mini-classifier assigns to their labels (0 without labels), and
    the pictures."""
    parts = zip(range(0, len(texts), 100), noise.split(100), strict=True)
    pictures = torch.cat([model.sample(texts[i : i + 100], part) for i, part in parts])
    if labels is None:
        return 0.0, pictures
    classes = load_mini("mini-classifier").classify(pictures).argmax(1)
    return classes.eq(labels).float().mean().item(), pictures


def evaluate(
    model: MiniDiffusion, test: Split, trials: dict[float, float]
) -> list[tuple[str, str]]:
    """Class accuracy by mini-classifier, and accuracy of the colours in the caption."""
    scores = [
        (
            f"class accuracy at guidance {g:g}, by which the default was chosen (n = 200)",
            f"{score:.1%}",
        )
        for g, score in trials.items()
    ]
    measurable = set(test.classes) <= set(CLASSES)
    if measurable:
        final, drawn = class_accuracy(model, 50, 2, test.classes), 50 * len(test.classes)
        at = f"the default guidance {model.guidance:g}, fresh noise"
        scores.append((f"class accuracy at {at} (n = {drawn})", f"{final:.1%}"))
    start = time.perf_counter()
    model.sample((class_prompts(2, test.classes) * 8)[:16], draw_noise(model, 16, 0))
    scores.append(
        ("16 pictures in 20 steps, wall-clock time", f"{time.perf_counter() - start:.1f} s")
    )
    some = test.facts[:: max(1, len(test) // 250)][:250]
    noise = draw_noise(model, len(some), 3)
    for rate in (0.0, 0.1, 0.2):
        rng = np.random.default_rng(5)
        texts = [corrupt(caption(f, classes=test.classes), rate, rng) for f in some.tolist()]
        labels = None
        if measurable:
            labels = torch.tensor([CLASSES.index(test.classes[f[0]]) for f in some.tolist()])
        right, pictures = _classified(model, texts, noise, labels)
        label = (
            f"class accuracy, full captions of unseen pictures, {rate:.0%} damaged characters "
            f"(n = {len(some)})"
        )
        scores += [(label, f"{right:.1%}")] if measurable else []
        if rate == 0:
            pixels = (pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
            named = torch.from_numpy(name_colours(pixels)).eq(some[:, 1:]).float().mean(0)
            scores.append(
                (
                    "object colour as in the caption (background colour)",
                    f"{named[0]:.1%} ({named[1]:.1%})",
                )
            )
    return scores


TITLE = "mini-diffusion"
SUMMARY = (
    "A small latent diffusion model: diffusers' UNet2DConditionModel on 8×8×8 latents with "
    "cross-attention to the character embeddings of mini-clip and classifier-free guidance; "
    "sampled with UniPC in 20 steps. Class accuracy is measured by mini-classifier."
)
NOTES = (
    "Pictures of 32×32 pixels. It does not know words other than those of the training captions."
)
