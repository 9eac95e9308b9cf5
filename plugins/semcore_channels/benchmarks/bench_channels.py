"""Both sides in one process: a plain Sionna script and semcore, the same links, threads, batch and
SNR.

    make bench-channels

Repetitions take turns, so that a busy moment hits both sides; figures are medians. semcore is used
through its public interface (`LDPC.send`, `transmit`, `LDPC.receive`), with frames and checks, and
only its payload bits are counted. Every repetition draws new channels on both sides.
"""

# ruff: noqa: B023 - what is timed is called at once
from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch

from semcore import Bitstream, ChannelModel, Rng, Semantics
from semcore.testing.internals import MIB, peak
from semcore_channels.coding.codes import CompiledCode, code_for
from semcore_channels.flat import AWGN
from semcore_channels.modulation import load
from semcore_channels.modulation.qam import QAM
from semcore_channels.ntn.channels import NTNTDL
from semcore_channels.tr38901.cells import UMa
from semcore_channels.transports.ldpc import LDPC

BATCH = 64
STAGES = (
    "encode",
    "modulate",
    "draw responses",
    "grid, noise, estimate, equalise",
    "demodulate",
    "decode",
)
C_PROBE_NS = 0.42
"""Nanoseconds per edge and iteration of normalised min-sum in C, single precision."""


@dataclass
class Sides:
    """Seconds a block of both sides, one figure a repetition."""

    sionna: list[float] = field(default_factory=list)
    semcore: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        theirs, ours = statistics.median(self.sionna) * 1e3, statistics.median(self.semcore) * 1e3
        return f"{name:<34}{theirs:>12.4f}{ours:>12.4f}{theirs / ours:>9.1f} x"


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


@dataclass(frozen=True)
class Case:
    """A link: what it is called, our parts, and the SNR near 10 % of lost blocks with Sionna's
    receiver.
    """

    name: str
    transport: LDPC
    channel: ChannelModel
    payload_bytes: int
    snr_db: float

    def batch(self, seed: int, count: int = BATCH) -> list[Semantics]:
        data = torch.randint(
            0, 256, (count, self.payload_bytes), generator=torch.Generator().manual_seed(seed)
        )
        return [
            Semantics(f"{seed}/{number}", {"x": Bitstream(bytes(row.tolist()))})
            for number, row in enumerate(data)
        ]

    def run(self, seed: int, count: int = BATCH) -> int:
        """Wrong blocks of a batch over channels that were never drawn before."""
        batch, rng = self.batch(seed, count), Rng(seed)
        symbols = self.transport.send(batch, rng.at("transport"))
        arrived = self.transport.receive(self.channel.transmit(symbols, rng.at("channel")))
        return sum(
            one.streams.get("x") != sent.streams["x"]
            for one, sent in zip(arrived, batch, strict=True)
        )


CASES = {
    "A": Case("UMa, 4-QAM, rate 1/2", LDPC(), UMa(block_snr_db=3.7, realisations=BATCH), 187, 3.7),
    "B": Case(
        "NTN-TDL-A, 64-QAM, rate 1/2", LDPC(modulation="64qam"), NTNTDL(snr_db=19.5), 467, 19.5
    ),
}


def end_to_end(case: Case, link: Any, repetitions: int) -> Sides:
    """Bits to bits.

    A repetition of ours draws a whole pool of `realisations`, as many as it has slots.
    """
    sides, lost = Sides(), [0, 0]
    link.run(BATCH, case.snr_db)
    case.run(10**6)
    for number in range(repetitions):
        seconds, wrong = timed(lambda: link.run(BATCH, case.snr_db))
        sides.sionna.append(seconds / BATCH)
        lost[0] += wrong
        seconds, wrong = timed(lambda number=number: case.run(number))
        sides.semcore.append(seconds / BATCH)
        lost[1] += wrong
    blocks = BATCH * repetitions
    theirs, ours = (statistics.median(one) for one in (sides.sionna, sides.semcore))
    payload = 8 * case.payload_bytes
    print(f"\n{case.name} at {case.snr_db:g} dB, {blocks} blocks, batch {BATCH}")
    print(
        f"{'end to end, ms per block':<34}{theirs * 1e3:>12.3f}{ours * 1e3:>12.3f}"
        f"{theirs / ours:>9.1f} x"
    )
    rates = link.k / theirs / 1e6, payload / ours / 1e6
    print(
        f"{'information, Mbit/s':<34}{rates[0]:>12.3f}{rates[1]:>12.3f}"
        f"{rates[1] / rates[0]:>9.1f} x"
    )
    print(f"{'blocks lost':<34}{lost[0] / blocks:>12.3f}{lost[1] / blocks:>12.3f}")
    return sides


def stages(case: Case, link: Any, repetitions: int) -> None:
    """Where the time goes, before and after."""
    modulation = load(case.transport.modulation)
    order = modulation.bits_per_symbol
    scheme, no = case.transport.scheme, torch.tensor(10 ** (-case.snr_db / 10))
    blocks = scheme.blocks(scheme.uses(8 * case.payload_bytes + 40))
    code = code_for(blocks, order, case.transport.iterations)
    sides = {name: Sides() for name in STAGES}

    def both(name: str, theirs: Callable[[], Any], ours: Callable[[], Any]) -> tuple[Any, Any]:
        found = []
        for times, work in ((sides[name].sionna, theirs), (sides[name].semcore, ours)):
            seconds, result = timed(work)
            times.append(seconds / BATCH)
            found.append(result)
        return found[0], found[1]

    for number in range(repetitions + 1):
        bits, rng = link.bits(BATCH), Rng(2_000_000 + number)
        own_bits = bits.reshape(BATCH, -1)[:, : blocks.k].to(torch.uint8)
        coded, own_coded = both("encode", lambda: link.encode(bits), lambda: code.encode(own_bits))
        points, own_points = both(
            "modulate", lambda: link.modulate(coded), lambda: modulation.modulate(own_coded)
        )
        symbols = case.transport.send(case.batch(number), rng)
        draw = _fresh(case.channel, symbols, rng)
        response, _ = both("draw responses", lambda: link.draw(BATCH), draw)
        crossed, received = both(
            "grid, noise, estimate, equalise",
            lambda: link.cross(points, response, no),
            lambda: case.channel.transmit(symbols, rng),
        )
        if isinstance(case.channel, NTNTDL):  # it draws while it transmits
            again, _ = timed(draw)
            sides["grid, noise, estimate, equalise"].semcore[-1] -= again / BATCH
        values, left = (
            received.values[:, : blocks.n // order],
            received.noise_var[:, : blocks.n // order],
        )
        soft, own_soft = both(
            "demodulate",
            lambda: link.demodulate(*crossed),
            lambda: modulation.demodulate(values, left),
        )
        both("decode", lambda: link.decode(soft), lambda: code.decode(own_soft))
        if not number:  # compiled, warmed up
            sides = {name: Sides() for name in sides}
    print(f"\n{'ms per block':<34}{'Sionna':>12}{'semcore':>12}{'ratio':>11}")
    for name, one in sides.items():
        print(one.row(name))


def _fresh(channel: Any, symbols: Any, rng: Rng) -> Callable[[], Any]:
    """Draws the channels of the rows, which `transmit` then finds again."""
    from semcore_channels.ofdm.slots import SlotRange

    counts = [-(-length // channel.grid.data_uses) for length in symbols.layout.lengths]
    parts = [
        SlotRange(key, 0, count) for key, count in zip(symbols.layout.keys, counts, strict=True)
    ]
    return lambda: channel.draw(parts, rng)


def decoder(repetitions: int) -> None:
    """The decoder alone, in its waterfall and without stopping, and how far it is from the
    arithmetic.
    """
    from fractions import Fraction

    from semcore_channels.coding.scheme import Scheme

    print(f"\n{'decoder alone, ms per word':<34}{'Sionna':>12}{'semcore':>12}{'ratio':>11}")
    for name, bits, order, snr_db in (
        ("1536 of 3072, 4-QAM, waterfall", 1536, 2, 1.2),
        ("1536 of 3072, 4-QAM, 20 iterations", 1536, 2, -3.0),
        ("3780 of 7560, 64-QAM, waterfall", 3780, 6, 10.4),
        ("3780 of 7560, 64-QAM, 20 iterations", 3780, 6, 5.0),
        ("8448 of 16896, 4-QAM, waterfall", 8448, 2, 0.95),
    ):
        scheme = Scheme(Fraction(1, 2), order)
        blocks = scheme.blocks(scheme.uses(bits))
        ours, theirs = (
            code_for(blocks, order, 20, kind) for kind in ("min-sum", "belief-propagation")
        )
        sides, lost = Sides(), [0, 0]
        for number in range(repetitions + 1):
            generator = torch.Generator().manual_seed(number)
            word = torch.randint(0, 2, (BATCH, blocks.k), generator=generator, dtype=torch.uint8)
            sent = QAM(order).modulate(ours.encode(word))
            noise_var = 10 ** (-snr_db / 10)
            got = sent + noise_var**0.5 * torch.randn(
                sent.shape, dtype=torch.complex64, generator=generator
            )
            soft = QAM(order).demodulate(got, torch.full(got.shape, noise_var))
            for place, (times, code) in enumerate(((sides.sionna, theirs), (sides.semcore, ours))):
                seconds, decoded = timed(lambda code=code: code.decode(soft))
                if number:
                    times.append(seconds / BATCH)
                    lost[place] += int((decoded != word).any(1).sum())
        print(
            f"{sides.row(name)}   lost {lost[0] / BATCH / repetitions:.3f} / "
            f"{lost[1] / BATCH / repetitions:.3f}"
        )
        if "iterations" in name:
            assert isinstance(ours, CompiledCode)
            edges = len(ours.graph.columns) * ours.graph.lifting * 20
            each = statistics.median(sides.semcore) / edges * 1e9
            print(
                f"{'':<34}{each:.2f} ns per edge and iteration; "
                f"normalised min-sum in C: {C_PROBE_NS} ns"
            )


def sweep(case: Case) -> None:
    """21 points of SNR over the same rows: fading and noise are shared."""
    points = [case.snr_db + offset / 2 for offset in range(-10, 11)]
    name = "block_snr_db" if getattr(case.channel, "block_snr_db", None) is not None else "snr_db"
    channels = [replace(case.channel, **{name: snr_db}) for snr_db in points]  # type: ignore[type-var]
    case.run(3_000_000)
    symbols = case.transport.send(case.batch(5), Rng(0))

    def along(rng: Rng) -> None:
        for channel in channels:
            channel.transmit(symbols, rng)

    one, many = [], []
    for number in range(5):
        one.append(
            timed(lambda number=number: channels[10].transmit(symbols, Rng(4_000_000 + number)))[0]
        )
        many.append(timed(lambda number=number: along(Rng(5_000_000 + number)))[0])
    ratio = statistics.median(many) / statistics.median(one)
    print(f"{case.name + ', 21 points':<34}{'':>12}{'':>12}{ratio:>9.1f} x one point")


def memory_and_time() -> None:
    """Peak memory and time per word with 64 and 256 words at once, each in its own process."""
    print(f"\n{'words at once':<34}{'peak MB':>12}{'with one':>12}{'ms per word':>12}")
    for name in CASES:
        for words in (64, 256):
            with multiprocessing.get_context("spawn").Pool(1) as fresh:
                peak, one, each = fresh.apply(words_at_once, (name, words))
            print(f"{CASES[name].name + ', ' + str(words):<34}{peak:>12}{one:>12}{each:>12}")


def peak_mb() -> int:
    """Most memory that this process ever had."""
    return peak() // MIB


def words_at_once(name: str, words: int) -> tuple[int, int, str]:
    """Peak memory with `words` at once and before, in MiB, and milliseconds per word."""
    torch.set_num_threads(1)
    case = CASES[name]
    case.run(10**6, 1)  # imports and compiles
    before = peak_mb()
    seconds = min(timed(lambda number=number: case.run(number, words))[0] for number in range(6))
    return peak_mb(), before, f"{seconds / words * 1e3:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1, help="threads of both sides")
    parser.add_argument("--repetitions", type=int, default=12)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    AWGN().transmit(LDPC().send(CASES["A"].batch(0), Rng()), Rng())  # imports and compiles
    import plain_sionna

    print(
        f"threads {given.threads}, torch {torch.__version__}; "
        f"medians of {given.repetitions} alternating repetitions"
    )
    for case, link in ((CASES["A"], plain_sionna.UMaLink()), (CASES["B"], plain_sionna.NTNLink())):
        with torch.no_grad():
            end_to_end(case, link, given.repetitions)
            stages(case, link, given.repetitions)
    decoder(max(given.repetitions // 3, 2))
    print(f"\n{'a sweep of SNR':<34}")
    for case in CASES.values():
        sweep(case)
    memory_and_time()


if __name__ == "__main__":
    main()
