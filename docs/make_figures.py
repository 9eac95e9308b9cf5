"""Draw the figures of the docs: python docs/make_figures.py [FOLDER] [--quick]"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from scipy import stats

from semcore.rng import Rng
from semcore.types import Bitstream, Layout, Semantics, Symbols
from semcore_channels.coding.codes import code_for
from semcore_channels.coding.scheme import Scheme
from semcore_channels.flat import AWGN, Rayleigh, Rician
from semcore_channels.modulation import load
from semcore_channels.modulation.qam import QAM4
from semcore_channels.ntn.channels import NTNTDL, Satellite
from semcore_channels.ntn.orbit import circular_pass
from semcore_channels.ntn.scenarios import moments
from semcore_channels.ofdm.slots import SlotRange
from semcore_channels.tr38901.cells import RMa, UMa, UMi
from semcore_channels.tr38901.profiles import CDL, TDL
from semcore_channels.transports.uncoded import Uncoded

RNG = Rng(2024, ("figures",))
COLOURS = ("#0b5394", "#c4553b", "#38761d", "#b08a2e", "#674ea7")


def row(count: int) -> Symbols:
    """One row of ones."""
    return Symbols(
        torch.ones(1, count, dtype=torch.complex64), Layout((count,), (), ("row",), (("row", ""),))
    )


def error_rates(axis: Axes, scale: int) -> None:
    """Bit errors without a code: closed forms as lines, measured rates as points."""
    snrs, count = np.arange(-4, 21, 2), 400_000 // scale
    smooth = np.linspace(-4, 20, 100)
    for colour, modulation in zip(COLOURS, ("bpsk", "4qam", "16qam", "64qam"), strict=False):
        order, data = load(modulation).bits_per_symbol, np.random.default_rng(0).bytes(count)
        if order <= 2:
            ratio = 10 ** (smooth / 10) / order
            axis.plot(smooth, stats.norm.sf(np.sqrt(2 * ratio)), color=colour, lw=1)
            axis.plot(smooth, (1 - np.sqrt(ratio / (1 + ratio))) / 2, color=colour, lw=1, ls="--")
        for channel, mark in ((AWGN(), "o"), (Rayleigh(coherence="symbol"), "^")):
            rates = []
            for snr_db in snrs:
                transport = Uncoded(modulation)
                sent = transport.send([Semantics("a", {"x": Bitstream(data)})], RNG)
                [got] = transport.receive(
                    replace(channel, snr_db=float(snr_db)).transmit(sent, RNG.at(modulation))
                )
                wrong = np.frombuffer(data, np.uint8) ^ np.frombuffer(
                    got.streams["x"].data, np.uint8
                )  # type: ignore[attr-defined]
                rates.append(np.unpackbits(wrong).mean() or np.nan)
            label = modulation if mark == "o" else None
            axis.plot(
                snrs,
                rates,
                mark,
                ms=4,
                color=colour,
                mfc="none",
                label=label,
                ls="" if order <= 2 else ":",
                lw=0.8,
            )
    axis.set(yscale="log", ylim=(1e-5, 0.6), xlabel="Es/N0 (dB)", ylabel="bit error rate")
    axis.set_title("no code: awgn (circles), rayleigh (triangles)", fontsize=9)
    axis.legend(fontsize=8)


def fading(axis: Axes, scale: int) -> None:
    """Distribution of the channel gain: outage probability."""
    power_db = np.linspace(-30, 10, 200)
    power = 10 ** (power_db / 10)
    for colour, channel in zip(
        COLOURS, (Rayleigh(), Rician(k_factor_db=3.0), Rician(k_factor_db=10.0)), strict=False
    ):
        gains = (
            replace(channel, coherence="symbol")
            .gains(row(200_000 // scale), RNG)[0]
            .abs()
            .square()
            .numpy()
        )
        k_factor = 10 ** (channel.k_factor_db / 10) if isinstance(channel, Rician) else 0.0
        name = (
            f"rician, K = {channel.k_factor_db:g} dB" if isinstance(channel, Rician) else "rayleigh"
        )
        axis.plot(
            power_db,
            stats.ncx2.cdf(2 * (k_factor + 1) * power, 2, 2 * k_factor),
            color=colour,
            lw=1,
            label=name,
        )
        axis.plot(
            power_db[::10],
            [(gains < one).mean() or np.nan for one in power[::10]],
            "o",
            ms=4,
            color=colour,
            mfc="none",
        )
    axis.set(yscale="log", ylim=(1e-4, 1.2), xlabel="|h|² (dB)", ylabel="probability of less")
    axis.set_title("gains: closed forms (lines), realised (circles)", fontsize=9)
    axis.legend(fontsize=8)


def cells(axis: Axes, scale: int) -> None:
    """Power of a slot over drops, and with the link budget."""
    for colour, channel in zip(COLOURS, (UMa, UMi, RMa), strict=False):
        slots = channel(snr_db=0.0).ensemble.draw(RNG, 2048 // scale)
        power = slots.response.abs().square().mean((1, 2, 3))
        for values, style in ((power, "-"), (10 ** (power.log10()) * slots.gain, ":")):
            in_db = np.sort(10 * np.log10(values.numpy()))
            shown = in_db - (np.median(in_db) if style == ":" else 0)
            axis.plot(shown, (np.arange(len(shown)) + 0.5) / len(shown), style, color=colour, lw=1,
                      label=channel.__name__.lower() if style == "-" else None)  # fmt: skip
    axis.set(xlim=(-30, 30), xlabel="mean |h|² of a slot (dB)", ylabel="share of drops below")
    axis.set_title("cells: snr_db (solid); with path loss, against its median (dotted)", fontsize=9)
    axis.legend(fontsize=8)


def profiles(axis: Axes, scale: int) -> None:
    """One slot each, over its subcarriers."""
    for colour, channel in zip(
        COLOURS,
        (TDL(snr_db=0.0, model="A"), TDL(snr_db=0.0, model="D"), CDL(snr_db=0.0, model="C"),
         NTNTDL(snr_db=0.0), NTNTDL(snr_db=0.0, model="C")),
        strict=True,
    ):  # fmt: skip
        one = replace(channel, subcarriers=120, subcarrier_spacing_hz=20e6 / 120, cyclic_prefix=8)
        response = one.draw([SlotRange("figure", 0, 1)], RNG).response[0, 0, 0]
        megahertz = (np.arange(120) - 60) * 20 / 120
        name = "ntn-tdl" if isinstance(channel, NTNTDL) else type(channel).__name__.lower()
        axis.plot(
            megahertz,
            20 * np.log10(response.abs().numpy()),
            color=colour,
            lw=1,
            label=f"{name} {channel.model}",
        )
    axis.set(xlabel="frequency (MHz)", ylabel="|h|² (dB)", ylim=(-30, 12))
    axis.set_title("one slot in 20 MHz, 100 ns delay spread", fontsize=9)
    axis.legend(fontsize=8)


def codes(axis: Axes, scale: int) -> None:
    """Lost blocks of the 5G code with both decoders, on the same noise."""
    for colour, (rate, bits, start) in zip(
        COLOURS, (("1/3", 1024, -1.6), ("1/2", 1536, 0.4), ("3/4", 3000, 4.0)), strict=False
    ):
        scheme = Scheme(Fraction(rate), 2)
        blocks = scheme.blocks(scheme.uses(bits))
        for decoder, style, count in (("min-sum", "-o", 3000), ("belief-propagation", ":^", 300)):
            code, rates = code_for(blocks, 2, 20, decoder), []  # type: ignore[arg-type]
            snrs = start + np.arange(0, 1.7, 0.2)
            for snr_db in snrs:
                generator = torch.Generator().manual_seed(1)
                word = torch.randint(
                    0,
                    2,
                    (max(count // scale, 20), blocks.k),
                    generator=generator,
                    dtype=torch.uint8,
                )
                sent, noise_var = QAM4.modulate(code.encode(word)), 10 ** (-snr_db / 10)
                got = sent + noise_var**0.5 * torch.randn(
                    sent.shape, dtype=torch.complex64, generator=generator
                )
                decided = code.decode(QAM4.demodulate(got, torch.full(got.shape, noise_var)))
                rates.append(float((decided != word).any(1).float().mean()) or np.nan)
            label = f"rate {rate}, {blocks.k} bits" if style == "-o" else None
            axis.plot(snrs, rates, style, ms=3, color=colour, lw=1, label=label)
    axis.set(yscale="log", ylim=(1e-3, 1.2), xlabel="Es/N0 (dB)", ylabel="lost blocks")
    axis.set_title(
        "ldpc, 4-QAM, 20 iterations: min-sum (solid), belief propagation (dotted)", fontsize=9
    )
    axis.legend(fontsize=8)


def budgets(axis: Axes, scale: int) -> None:
    """Table I of the satellite paper in both interpretations, over elevation."""
    elevations = np.linspace(10, 90, 60 if scale == 1 else 10)
    for colour, altitude_km in zip(COLOURS, (300.0, 600.0, 1200.0), strict=False):
        for power_dbm, style in ((55.0, "-"), (25.0, ":")):
            link = Satellite(tx_power_dbm=power_dbm, altitude_km=altitude_km)
            snrs = [
                replace(link, elevation_deg=float(one)).unit_gain_snr_db() for one in elevations
            ]
            axis.plot(
                elevations,
                snrs,
                style,
                color=colour,
                lw=1,
                label=f"{altitude_km:g} km" if style == "-" else None,
            )
    axis.axhline(0, color="#999999", lw=0.5)
    axis.set(xlabel="elevation (degrees)", ylabel="SNR (dB)")
    axis.set_title("Table I: read as 25 dBW (solid), as printed, 25 dBm (dotted)", fontsize=9)
    axis.legend(fontsize=8)


def passes(axis: Axes, scale: int) -> None:
    """SNR along passes, dry and in rain."""
    base = Satellite(
        tx_power_dbm=80.0, carrier_frequency_hz=20e9, altitude_km=550.0, subcarrier_spacing_hz=240e3
    )
    for colour, rate in zip(COLOURS, (0.0, 5.0, 25.0), strict=False):
        along = moments(
            replace(base, rain_rate_mm_h=rate),
            [(look,) for look in circular_pass(550, 80, step_s=20 * scale)],
        )
        label = f"{rate:g} mm/h" if rate else "clear"
        axis.plot(
            [one.look.time_s for one in along],
            [one.snr_db for one in along],
            ".-",
            color=colour,
            lw=1,
            label=label,
        )
    axis.set(xlabel="time (s)", ylabel="SNR (dB)")
    axis.set_title("a pass at 550 km, 20 GHz, 80 dBm, in 20 s intervals", fontsize=9)
    axis.legend(fontsize=8)


Panel = Callable[[Axes, int], None]
FIGURES: dict[str, tuple[Panel, ...]] = {
    "channels-flat": (error_rates, fading),
    "channels-ofdm": (cells, profiles),
    "channels-ldpc": (codes,),
    "satellite-link": (budgets, passes),
}


def main(folder: Path, quick: bool) -> None:
    """Every figure, as a PNG in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, panels in FIGURES.items():
        figure, axes = plt.subplots(
            1, len(panels), figsize=(5.2 * len(panels), 3.6), layout="constrained", squeeze=False
        )
        for axis, panel in zip(axes[0], panels, strict=True):
            panel(axis, 20 if quick else 1)
            axis.grid(alpha=0.3, lw=0.5)
        settings: dict[str, Any] = {"metadata": {"Software": None}}
        figure.savefig(folder / f"{name}.png", dpi=110, **settings)
        plt.close(figure)
        print(folder / f"{name}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent / "images")
    parser.add_argument("--quick", action="store_true", help="fewer points, for a test")
    given = parser.parse_args()
    main(given.folder, given.quick)
