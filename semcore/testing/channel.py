"""The laws of a channel: calibrated noise, gradients, and rows that know nothing of each other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import torch

from semcore.interfaces import ChannelModel, Transport
from semcore.rng import Rng
from semcore.testing.compare import difference
from semcore.testing.examples import RNG, symbols
from semcore.testing.law import Given, LawBroken, NotApplicable, require
from semcore.testing.placement import MixedDevicesError, elsewhere, on_gpu
from semcore.types import Layout, Received, Semantics, Symbols

LENGTHS = (300, 0, 7, 1)
"""Rows of every kind, an empty one included."""
STEP = 0.05
"""Of a finite difference: small against a symbol, large against the rounding of single
precision."""
SIGMAS = 5.0
"""Standard errors beyond which a statistical law is broken: by chance once in two million."""


def use(channel: ChannelModel, given: Given) -> Any:
    """What comes out for rows of several lengths."""
    return channel.transmit(symbols(LENGTHS), RNG)


def returns_what_a_channel_returns(channel: ChannelModel, given: Given) -> None:
    """Rows of any length, 0 included, come back in their shape, finite, with positive noise and
    their layout."""
    sent = symbols(LENGTHS)
    before = sent.values.clone()
    got = channel.transmit(sent, RNG)
    require(torch.equal(sent.values, before), "it changes the symbols that it is given")
    require(
        got.values.shape == sent.values.shape,
        f"{tuple(sent.values.shape)} became {tuple(got.values.shape)}",
    )
    require(got.layout == sent.layout, "the layout is not the one that was sent")
    for row, length in enumerate(LENGTHS):
        values, noise_var = got.values[row, :length], got.noise_var[row, :length]
        require(
            torch.isfinite(torch.view_as_real(values)).all(),
            f"row {row} holds values that are not finite",
        )
        require(
            (torch.isfinite(noise_var) & (noise_var > 0)).all(),
            f"row {row}: noise_var must be finite and > 0",
        )
    require(
        all(uses >= 0 for spent in got.overhead for uses in spent.values()),
        "overhead must not be negative",
    )


def draws_other_noise_for_another_seed_and_row(channel: ChannelModel, given: Given) -> None:
    """Another address gives other noise, and no two rows share theirs."""
    sent = symbols((300, 300))
    one, other = channel.transmit(sent, RNG), channel.transmit(sent, RNG.at("another"))
    errors = [got.values - sent.values for got in (one, other)]
    require(
        not torch.equal(errors[0], errors[1]),
        "another rng gives the same noise: draw it at `rng.at(key)`",
    )
    require(
        not torch.allclose(errors[0][0], errors[0][1]),
        "two rows get the same noise: draw it at `rng.at(key)`",
    )


def tells_how_much_noise_is_left(channel: ChannelModel, given: Given) -> None:
    """|received - sent|^2 is noise_var on average."""
    sent = symbols((1200,) * 12)
    got = channel.transmit(sent, RNG.at("noise"))
    ratio = ((got.values - sent.values).abs().square() / got.noise_var).double().mean(1)
    spread = float(ratio.std()) / math.sqrt(len(ratio)) + 1 / math.sqrt(ratio.numel() * 1200)
    off = float(ratio.mean()) - 1
    require(
        abs(off) < 0.03 + SIGMAS * spread,
        f"|y-x|^2 is {1 + off:.3f} times noise_var, not 1 ± {SIGMAS * spread:.3f}",
    )


def leaves_symbols_as_large_as_they_were(channel: ChannelModel, given: Given) -> None:
    """What is received is the symbol sent plus noise, neither shrunk nor grown: equalisers are made
    unbiased.

    An estimate from pilots is noisy and shrinks symbols a little, whoever makes it; so a channel
    that spends pilots is tried with 30 dB more.
    """
    sent = symbols((1200,) * 12)
    got = channel.transmit(sent, RNG.at("gain"))
    if any(spent.get("pilots") for spent in got.overhead):
        name, label = label_of(channel)
        got = dataclasses.replace(channel, **{name: label + 30}).transmit(sent, RNG.at("gain"))
    weight = float((sent.values.abs().square() / got.noise_var).sum())
    gain = float(((got.values * sent.values.conj()).real / got.noise_var).sum()) / weight
    bound = 0.02 + SIGMAS / math.sqrt(2 * weight)
    require(abs(gain - 1) < bound, f"symbols come out {gain:.3f} times as large as they went in")


def delivers_the_snr_on_its_label(channel: ChannelModel, given: Given) -> None:
    """`snr_db` is the mean of |h|^2/N0 over many rows, `block_snr_db` that of every one; without
    fading, 1/noise_var."""
    name, label = label_of(channel)
    got = channel.transmit(symbols((8,) * 64), RNG.at("label"))
    require(
        all("snr_db" in seen for seen in got.report),
        f"it has {name}, so its report must hold the true snr_db",
    )
    seen = torch.tensor([10 ** (row["snr_db"] / 10) for row in got.report], dtype=torch.float64)
    off = 10 * math.log10(float(seen.mean())) - label
    spread = float(seen.std() / seen.mean()) / math.sqrt(len(seen))
    bound = 0.05 + SIGMAS * 10 / math.log(10) * spread
    if name == "block_snr_db":
        require(
            float(seen.std() / seen.mean()) < 0.01,
            "block_snr_db promises every row the same SNR, and they differ",
        )
    require(
        abs(off) < bound,
        f"rows have {label + off:.2f} dB on average, {name} says {label} dB (± {bound:.2f} dB)",
    )
    noise_var = got.noise_var
    if float(noise_var.max() - noise_var.min()) <= 1e-6 * float(noise_var.max()):
        delivered = -10 * math.log10(float(noise_var.mean()))
        require(
            abs(delivered - label) < 0.05,
            f"noise_var means {delivered:.2f} dB, {name} says {label} dB",
        )


def more_snr_never_means_more_error(channel: ChannelModel, given: Given) -> None:
    """With the same random numbers, 6 dB more leave no row with more error."""
    name, label = label_of(channel)
    sent, errors = symbols((200,) * 6), []
    for more in (0.0, 6.0):
        better = dataclasses.replace(channel, **{name: label + more})
        errors.append(
            (better.transmit(sent, RNG.at("more")).values - sent.values).abs().square().sum(1)
        )
    require(
        (errors[1] <= 1.001 * errors[0]).all(),
        f"{name} + 6 dB: errors {errors[0].tolist()} -> {errors[1].tolist()}",
    )


def leaves_circular_noise(channel: ChannelModel, given: Given) -> None:
    """Noise is as strong in the real part as in the imaginary, and the two are not correlated."""
    sent = symbols((1200,) * 12)
    got = channel.transmit(sent, RNG.at("circular"))
    square = ((got.values - sent.values).square() / got.noise_var).mean(1)
    off = abs(complex(square.mean()))
    bound = (
        0.03 + SIGMAS * (float((square - square.mean()).abs().square().mean()) / len(square)) ** 0.5
    )
    require(
        off < bound,
        f"the mean of (y-x)^2 / noise_var is {off:.3f}, not 0 ± {bound:.3f}: real and "
        "imaginary noise differ",
    )


def decisions_fail_as_often_as_noise_var_says(channel: ChannelModel, given: Given) -> None:
    """Signs of 4-QAM are wrong with probability Q(sqrt(1 / noise_var)) on average: the noise is
    Gaussian, the gain one.

    Soft bits are made of noise_var, so a decoder believes that. A channel with a label is tried at
    3 dB.
    """
    try:
        name, _ = label_of(channel)
        channel = dataclasses.replace(channel, **{name: 3.0})
    except NotApplicable:
        pass
    sent = symbols((1200,) * 12)
    signs = torch.complex(sent.values.real.sign(), sent.values.imag.sign())
    got = channel.transmit(dataclasses.replace(sent, values=signs * 0.5**0.5), RNG.at("decisions"))
    wrong = ((got.values.real * signs.real < 0).double() + (got.values.imag * signs.imag < 0)) / 2
    expected = torch.special.erfc((0.5 / got.noise_var.double()).sqrt()) / 2
    off = (wrong - expected).mean(1)
    spread = float(off.std()) / math.sqrt(len(off)) + float(expected.mean() / wrong.numel()) ** 0.5
    bound = 0.003 + 0.03 * float(expected.mean()) + SIGMAS * spread
    counts = (
        f"{float(wrong.mean()):.4f} of the signs are wrong, noise_var says "
        f"{float(expected.mean()):.4f}"
    )
    require(abs(float(off.mean())) < bound, f"{counts} (± {bound:.4f})")


def lets_gradients_through(channel: ChannelModel, given: Given) -> None:
    """The gradient of what is received by every symbol sent is finite, not zero, and right: codecs
    train through it.

    Right is what a small step of the symbols does to what is received, with the same random
    numbers.
    """
    sent = symbols((40, 25))
    values = sent.values.clone().requires_grad_()
    got = channel.transmit(dataclasses.replace(sent, values=values), RNG)
    require(got.values.requires_grad, "received.values is cut off from symbols.values")
    probe = (
        RNG.at("loss").complex_normal(("loss",), (40,)).conj() / (1 + got.noise_var.detach()).sqrt()
    )
    (got.values * probe).real.sum().backward()
    gradient = values.grad
    require(gradient is not None, "no gradient reaches the symbols")
    for row, length in enumerate(sent.layout.lengths):
        mine = torch.view_as_real(gradient[row, :length])  # type: ignore[index]
        require(torch.isfinite(mine).all(), f"the gradient of row {row} is not finite")
        require((mine.abs().sum(-1) > 0).all(), f"some symbols of row {row} have no gradient")

    direction = RNG.at("step").complex_normal(sent.layout.keys, sent.layout.lengths)
    with torch.no_grad():
        moved = [
            channel.transmit(
                dataclasses.replace(sent, values=sent.values + step * direction), RNG
            ).values
            for step in (STEP, -STEP)
        ]
    seen = float(((moved[0] - moved[1]) * probe).real.sum()) / (2 * STEP)
    slope = float((gradient.conj() * direction).real.sum())  # type: ignore[union-attr]
    size = float(gradient.abs().square().sum().sqrt())  # type: ignore[union-attr]
    require(
        abs(seen - slope) < 0.05 * size,
        f"a small step changes the sum by {seen:.4g}, the gradient says {slope:.4g}",
    )


def answers_on_the_device_of_the_symbols(channel: ChannelModel, given: Given) -> None:
    """Symbols on another device come back on that device, with the same numbers: random numbers and
    tables are moved to the symbols.

    It is tried with tensors that only say where they are, so it needs no GPU, and on a GPU if
    PyTorch has one.
    """
    sent = symbols(LENGTHS)
    wanted = channel.transmit(sent, RNG.at("device"))
    for place in (elsewhere, on_gpu) if torch.cuda.is_available() else (elsewhere,):
        with place() as move:
            values = move(sent.values.clone())
            try:
                got = channel.transmit(dataclasses.replace(sent, values=values), RNG.at("device"))
            except MixedDevicesError as error:
                raise LawBroken(
                    f"{error}: move what it computes with to `symbols.values.device`"
                ) from error
            parts = {"values": got.values, "noise_var": got.noise_var}
            for name, part in parts.items():
                require(
                    part.device == values.device,
                    f"symbols on {values.device} give {name} on {part.device}",
                )
                where = difference(getattr(wanted, name), part.cpu(), 1e-3)
                require(not where, f"on {values.device}, {name} has other numbers: {where}")


def gives_a_row_the_same_in_any_batch(channel: ChannelModel, given: Given) -> None:
    """A row comes out the same alone, in another order, and with more padding behind it."""
    sent = symbols(LENGTHS)
    together = channel.transmit(sent, RNG)
    for rows, width in (([0], 300), ([3, 2], 7), ([1], 0), ([2, 1, 0], 450)):
        apart = channel.transmit(_rows(sent, rows, width), RNG)
        for place, row in enumerate(rows):
            where = difference(_row(together, row), _row(apart, place), 1e-4)
            require(not where, f"row {row} in the batch {rows} of width {width}: {where}")


def says_in_words_what_it_cannot_serve(channel: ChannelModel, given: Given) -> None:
    """`incompatibility` with an unknown transport is a text: the reason, or ""."""
    reason = channel.incompatibility(_Unknown())
    require(
        isinstance(reason, str),
        f"incompatibility is {reason!r}: it must be a text, empty if there is none",
    )


LAWS = (
    returns_what_a_channel_returns, draws_other_noise_for_another_seed_and_row,
    tells_how_much_noise_is_left, leaves_circular_noise, decisions_fail_as_often_as_noise_var_says,
    leaves_symbols_as_large_as_they_were, delivers_the_snr_on_its_label,
    more_snr_never_means_more_error, lets_gradients_through, answers_on_the_device_of_the_symbols,
    gives_a_row_the_same_in_any_batch, says_in_words_what_it_cannot_serve,
)  # fmt: skip


# ------------------------------------------------------------------------------------------ helpers


@dataclasses.dataclass(frozen=True)
class _Unknown(Transport):
    """An unknown transport without settings."""

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        raise NotImplementedError

    def receive(self, received: Received) -> list[Semantics]:
        raise NotImplementedError


def label_of(channel: ChannelModel) -> tuple[str, float]:
    """Name and value of the channel's SNR setting."""
    for name in ("snr_db", "block_snr_db"):
        if getattr(channel, name, None) is not None:
            return name, getattr(channel, name)
    raise NotApplicable("it has neither snr_db nor block_snr_db")


def _rows(sent: Symbols, rows: Sequence[int], width: int) -> Symbols:
    """Some rows of `sent`, as a transmission of their own that is `width` columns wide."""
    layout = sent.layout
    values = torch.zeros(len(rows), width, dtype=torch.complex64)
    for place, row in enumerate(rows):
        values[place, : layout.lengths[row]] = sent.values[row, : layout.lengths[row]]
    spans = tuple(
        dataclasses.replace(layout.spans[row], row=place, sample=place)
        for place, row in enumerate(rows)
    )
    lengths, keys = (tuple(part[row] for row in rows) for part in (layout.lengths, layout.keys))
    return Symbols(values, Layout(lengths, spans, keys, tuple(layout.senders[row] for row in rows)))  # type: ignore[arg-type]


def _row(got: Received, row: int) -> tuple[Any, ...]:
    length = got.layout.lengths[row]
    return got.values[row, :length], got.noise_var[row, :length], got.overhead[row]
