"""Recipes of DeepWiVe and DeepSC-S: frames and waveforms through encoder, noisy channel and decoder, over a range of SNRs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from semcore.interfaces import ChannelModel
from semcore.rng import Rng
from semcore.training.loop import at_snrs, command_of, drawn_db, measured_at, run_epochs, run_steps, write_model
from semcore_video.jscc.components import RATE_HZ, level
from semcore_video.jscc.networks import FrameCode, WaveCode
from semcore_video.sources.clips import Clips
from semcore_video.speech.stretch import resampled
from semcore_video.training import JointRecipe
from semcore_video.training.corpus import sentences, spoken
from semcore_video.training.data import learnt_from

MEASURED = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
SIDE, GROUPS = 96, 3
"""What is cut out of a video for a step: squares of so many pixels, so many groups of frames."""
SECONDS = 1.0
"""What is cut out of a sound."""
SENTENCES, SPOKEN_SHARE = 300, 0.5
"""Sentences by eSpeak NG, and how many of a batch they are; the others are of the clips."""
SCALES = (256, 512, 1024)
"""Windows of the spectrograms that are compared, samples."""
Draw = Callable[[torch.Generator], torch.Tensor]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def train_frames(recipe: JointRecipe, out: Path) -> None:
    """Train `deepwive` into `out`: checkpoints, then config.json, model.safetensors and the model card."""
    torch.manual_seed(recipe.seed)  # initial weights only; everything later has its own generator
    clips = Clips(recipe.data).samples()
    videos = {clip.user: clip.video for clip in clips if clip.video is not None}
    kept = [video for user, video in videos.items() if user not in recipe.leave_out]
    network = FrameCode()

    def draw(generator: torch.Generator) -> torch.Tensor:
        return torch.stack([_cut(kept, network.group * GROUPS, generator) for _ in range(recipe.batch_size)])

    def loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
        return (found - true).abs().mean() + 5 * (found - true).square().mean()

    def psnr(average: FrameCode, snr_db: float) -> float:
        tried = [video[: network.group * GROUPS] for user, video in videos.items() if user in recipe.leave_out] or kept[:1]
        found = []
        for number, video in enumerate(tried):
            true = _frames(video)
            noisy = over(recipe.channel, average.encode(true), [snr_db], Rng(1).at("measure", number))
            pixels = (average.decode(noisy).clamp(0, 1) * 255).round() / 255
            found.append(-10 * np.log10(float((pixels - true).square().mean())))
        return float(np.mean(found))

    _train(
        recipe, out, network, draw, loss, psnr, ("deepwive", "PSNR of strangers' frames, dB", "Frames to numbers and back.")
    )


def train_sound(recipe: JointRecipe, out: Path) -> None:
    """Train `deepsc-s` into `out`: checkpoints, then config.json, model.safetensors and the model card."""
    torch.manual_seed(recipe.seed)  # initial weights only; everything later has its own generator
    rng = np.random.Generator(np.random.PCG64(recipe.seed))
    clips = Clips(recipe.data).samples()
    heard = {clip.user: level(_at_rate(clip.audio, clip.sample_rate_hz)) for clip in clips if clip.audio is not None}
    kept = [sound for user, sound in heard.items() if user not in recipe.leave_out]
    said = [level(_at_rate(one.audio, one.sample_rate_hz)) for one in spoken(sentences(SENTENCES, rng), rng)]
    network, count = WaveCode(), int(SECONDS * RATE_HZ) // 64 * 64

    def draw(generator: torch.Generator) -> torch.Tensor:
        spoken_ones = round(recipe.batch_size * SPOKEN_SHARE)
        chosen = [_part(said if row < spoken_ones else kept, count, generator) for row in range(recipe.batch_size)]
        return torch.stack(chosen)

    def loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
        wave = (found - true).square().mean() / true.square().mean()
        return wave + 0.2 * torch.stack([_spectral(found, true, size) for size in SCALES]).mean()

    def ratio_db(average: WaveCode, snr_db: float) -> float:
        tried = [sound for user, sound in heard.items() if user in recipe.leave_out] or kept[:1]
        found = []
        for number, sound in enumerate(tried):
            true = torch.from_numpy(np.pad(sound, (0, -len(sound) % average.hop)))[None]
            heard_again = average.decode(over(recipe.channel, average.encode(true), [snr_db], Rng(1).at("measure", number)))
            found.append(10 * np.log10(float(true.square().mean() / (heard_again - true).square().mean())))
        return float(np.mean(found))

    name = ("deepsc-s", "signal over error of strangers' speech, dB", "A waveform at 16 kHz to numbers and back.")
    _train(recipe, out, network, draw, loss, ratio_db, name)


def over(channel: ChannelModel, numbers: torch.Tensor, snrs_db: Sequence[float], rng: Rng) -> torch.Tensor:
    """Numbers (B, ...) over the channel as `analog` sends them, as many equal parts of the batch at as many SNRs."""
    flat = numbers.flatten(1)
    sent = torch.view_as_complex(F.pad(flat, (0, flat.shape[1] % 2)).reshape(len(flat), -1, 2)) / 2**0.5
    values, noise_var = at_snrs(channel, sent, snrs_db, rng)
    return torch.view_as_real(values / (1 + noise_var) * 2**0.5).flatten(1)[:, : flat.shape[1]].reshape(numbers.shape)


def _train(
    recipe: JointRecipe,
    out: Path,
    network: Any,
    draw: Draw,
    loss: Loss,
    measure: Callable[[Any, float], float],
    names: tuple[str, str, str],
) -> None:
    torch.set_num_threads(recipe.threads)
    average = copy.deepcopy(network).eval()
    adam = torch.optim.AdamW([{"params": list(network.parameters()), "peak": recipe.learning_rate}], lr=1.0, betas=(0.9, 0.99))

    def cost(generator: torch.Generator, done: int) -> torch.Tensor:
        true = draw(generator)
        snrs = drawn_db(recipe.snr_db, len(true), generator)
        return loss(network.decode(over(recipe.channel, network.encode(true), snrs, Rng(recipe.seed).at(done))), true)

    def run_epoch(epoch: int) -> dict[str, float]:
        mean = run_steps(recipe, epoch, adam, network, average, cost, warm_up=0.05)
        with torch.no_grad():
            return {"loss": mean, **{f"{snr:g}dB": measure(average, snr) for snr in (0.0, 10.0, 20.0)}}

    seconds = run_epochs(recipe, out, recipe.epochs, {"network": network, "average": average}, {"adam": adam}, run_epoch)
    average.half().float()  # what is measured is what is shipped: float16 weights
    with torch.no_grad():
        scores = "\n".join(f"| {snr:g} | {measure(average, snr):.1f} |" for snr in MEASURED)
    name, what, about = names
    settings = {key: value for key, value in recipe.settings().items() if key not in ("data", "channel")}
    write_model(out, network.settings(), average, CARD.format(
        name=name, what=what, about=about, command=command_of(recipe), data=learnt_from(recipe.data),
        measured=measured_at(recipe.channel),
        fields=", ".join(f"{k} = {v}" for k, v in settings.items()),
        scores=scores, minutes=round(seconds / 60), threads=recipe.threads,
        size=sum(weights.numel() for weights in network.parameters()),
    ))  # fmt: skip


def _cut(videos: Sequence[np.ndarray], frames: int, generator: torch.Generator) -> torch.Tensor:
    """A square of some frames of a video, mirrored and tinted at random: float32 (frames, 3, SIDE, SIDE)."""

    def below(limit: int) -> int:
        return int(torch.randint(limit, (), generator=generator))

    video = videos[below(len(videos))]
    start, down, across = (below(size - part + 1) for size, part in zip(video.shape, (frames, SIDE, SIDE), strict=False))
    part = torch.from_numpy(video[start : start + frames, down : down + SIDE, across : across + SIDE])
    found = part.permute(0, 3, 1, 2).float() / 255
    tint = 1 + 0.15 * torch.randn(1, 3, 1, 1, generator=generator)
    found = (found * tint).clamp(0, 1)
    return found.flip(3) if below(2) else found


def _frames(video: np.ndarray) -> torch.Tensor:
    """A video uint8 (T, H, W, 3) as float32 (1, T, 3, H, W), 0..1."""
    return torch.from_numpy(video).permute(0, 3, 1, 2)[None].float() / 255


def _at_rate(sound: np.ndarray, sample_rate_hz: int | None) -> np.ndarray:
    return resampled(sound, sample_rate_hz or RATE_HZ, RATE_HZ)


def _part(sounds: Sequence[np.ndarray], count: int, generator: torch.Generator) -> torch.Tensor:
    """A part of a sound, mostly where something is heard: float32 (count,)."""
    sound = sounds[int(torch.randint(len(sounds), (), generator=generator))]
    sound = np.pad(sound, (0, max(count - len(sound), 0)))
    start = int(torch.randint(len(sound) - count + 1, (), generator=generator))
    return torch.from_numpy(np.ascontiguousarray(sound[start : start + count]))


def _spectral(found: torch.Tensor, true: torch.Tensor, size: int) -> torch.Tensor:
    """Mean absolute difference of logarithmic spectrograms."""
    window = torch.hann_window(size)
    one, other = (torch.stft(x, size, size // 4, window=window, return_complex=True).abs() for x in (found, true))
    return (torch.log(one + 0.1) - torch.log(other + 0.1)).abs().mean()


CARD = """# {name}

{about} {size:,} parameters.

## Training

```
{command}
```

Settings: {fields}.

Learnt from {data}. {minutes} min on {threads} CPU thread(s).

## Measured

On the clips that were left out, {measured}.

| SNR, dB | {what} |
|---|---|
{scores}
"""
