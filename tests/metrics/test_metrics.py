"""Closed forms, the paper's own numbers, and missing, lost or damaged content."""

from __future__ import annotations

import math
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcore.interfaces import Record
from semcore.metrics.bits import Bits, compare_bits
from semcore.metrics.builtin import (
    BER,
    BLER,
    CBR,
    PSNR,
    SSIM,
    ChannelUses,
    CompressionRatio,
    DataRate,
    NetRate,
    PayloadBits,
    StreamError,
)
from semcore.types import Bitstream, Entry, Features, Ledger, Sample, Semantics, Text, Tokens

ALL = (PSNR, SSIM, BER, BLER, CBR, ChannelUses, PayloadBits, CompressionRatio, DataRate, NetRate)


def record(
    sent=None, arrived=None, *, source=None, result=None, entries=(), report=None, intact=None
) -> Record:
    return Record(
        Sample("a", image=source),
        Semantics("a", sent or {}),
        Semantics("a", arrived or {}, intact=intact or {}),
        Sample("a", image=result),
        Ledger(tuple(Entry("a", *entry) for entry in entries)),
        report or {},
    )


def flat(value: int, height: int = 32, width: int = 32) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def noise(seed: int, height: int = 32, width: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


# ---------------------------------------------------------------------------------------------- all


@pytest.mark.parametrize("metric", ALL)
def test_a_metric_survives_a_record_with_nothing_in_it_and_says_what_it_is(metric):
    measured = metric().measure([record(), record()])
    assert len(measured) == 2 and measured[0] in (None, 0.0)
    assert metric().signature.startswith(f"{metric.__name__}|{metric.version}|")
    assert metric().better in {"higher", "lower"}
    assert pickle.loads(pickle.dumps(metric())) == metric()


# ----------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("error", [1, 2, 16, 255])
def test_psnr_of_a_constant_error_is_known(error):
    value = PSNR().value(record(source=flat(0), result=flat(error)))
    assert value == pytest.approx(20 * math.log10(255 / error), abs=1e-12)


def test_identical_pictures_are_exact_and_have_ssim_one():
    same = record(source=noise(0), result=noise(0))
    assert PSNR().value(same) == math.inf
    assert SSIM().value(same) == pytest.approx(1.0, abs=1e-12)


def test_ssim_of_two_flat_pictures_is_its_luminance_term():
    value = SSIM().value(record(source=flat(100), result=flat(150)))
    c1 = (0.01 * 255) ** 2
    assert value == pytest.approx((2 * 100 * 150 + c1) / (100**2 + 150**2 + c1), abs=1e-9)


def test_ssim_falls_with_noise_and_lies_near_zero_for_unrelated_pictures():
    source = noise(1)
    slightly = np.clip(source.astype(int) + (noise(2) % 21).astype(int) - 10, 0, 255).astype(
        np.uint8
    )
    some, none = (
        SSIM().value(record(source=source, result=result)) for result in (slightly, noise(3))
    )
    assert 1 > some > 0.9 and abs(none) < 0.1


def test_a_result_of_another_size_is_resized_to_the_source():
    assert PSNR().value(record(source=flat(10), result=flat(10, 8, 64))) == math.inf
    assert SSIM().value(record(source=flat(10), result=flat(10, 64, 8))) == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(10, 32), (32, 1)])
def test_ssim_does_not_apply_below_its_window(shape):
    assert SSIM().value(record(source=flat(0, *shape), result=flat(0, *shape))) is None
    assert SSIM().value(record(source=flat(0, 11, 11), result=flat(0, 11, 11))) == pytest.approx(
        1.0
    )


def test_pictures_are_measured_one_by_one():
    records = [record(source=noise(seed), result=noise(seed + 1)) for seed in range(3)]
    for metric in (PSNR(), SSIM()):
        assert metric.measure(records) == [metric.measure([one])[0] for one in records]


# ------------------------------------------------------------------------------------------- errors


@given(data=st.binary(min_size=1, max_size=40), flips=st.sets(st.integers(0, 319)))
def test_ber_counts_flipped_bits_exactly(data, flips):
    flips = {bit for bit in flips if bit < 8 * len(data)}
    damaged = bytearray(data)
    for bit in flips:
        damaged[bit // 8] ^= 1 << bit % 8
    one = record({"x": Bitstream(data)}, {"x": Bitstream(bytes(damaged))})
    assert BER().value(one) == len(flips) / (8 * len(data))
    assert BLER().value(one) == float(bool(flips))


@given(sent=st.text(max_size=20), arrived=st.text(max_size=20) | st.none())
def test_error_rates_of_any_text_are_rates(sent, arrived):
    one = record({"x": Text(sent)}, {} if arrived is None else {"x": Text(arrived)})
    ber = BER().value(one)
    assert ber is None if not (sent or arrived) else 0 <= ber <= 1
    assert (ber == 0) <= (BLER().value(one) == 0)


def test_what_is_wrong_with_a_stream_is_a_share() -> None:
    sent = {
        "x": Features(np.array([3.0, 4.0], np.float32)),
        "y": Tokens(np.array([1, 2, 3, 4]), 9),
        "z": Text("words"),
    }
    wrong = {
        "x": Features(np.array([3.0, 3.0], np.float32)),
        "y": Tokens(np.array([1, 2, 0, 4]), 9),
        "z": Text("wolds!"),
    }
    for name, share in {"x": 1 / 25, "y": 1 / 4, "z": 2 / 6}.items():
        metric = StreamError(stream=name)
        assert metric.measure(
            [record(sent, wrong), record(sent, sent), record(sent, {}), record({}, {})]
        ) == [pytest.approx(share), 0.0, 1.0, None]


def test_lost_streams_and_missing_bits_are_a_guess():
    assert BER().value(record({"x": Text("abcd")})) == 0.5
    assert BLER().value(record({"x": Text("abcd"), "y": Text("e")}, {"y": Text("e")})) == 0.5
    assert BER().value(record({"x": Bitstream(b"abcd")}, {"x": Bitstream(b"ab")})) == 0.25
    assert BER().value(record({"x": Bitstream(b"ab")}, {"x": Bitstream(b"abcd")})) == 0.25
    assert BLER().value(record({"x": Text("")})) == 1.0


def test_of_a_byte_that_was_no_utf8_only_the_high_bit_is_known():
    garbled = b"a br\xf7wn bird".decode("utf-8", "replace")
    assert compare_bits(Text("a brown bird"), Text(garbled)) == Bits(
        right=88, wrong=1, missing=0, hidden=7
    )
    assert BER().value(record({"x": Text("a brown bird")}, {"x": Text(garbled)})) == 1 / 89
    odd = Text("\ufffd is a character, too")
    assert BER().value(record({"x": odd}, {"x": odd})) == 0
    assert BER().value(record({"x": Bitstream(b"\xff")}, {"x": Bitstream(b"\xff")})) == 0


def test_the_ber_of_damaged_text_is_that_of_its_bits():
    sent = "a brown bird on a green background" * 100
    data = np.frombuffer(sent.encode(), np.uint8)
    flips = np.random.default_rng(7).random(8 * data.size) < 0.02
    damaged = np.packbits(np.unpackbits(data) ^ flips).tobytes()
    # As a transport does it: one U+FFFD for each byte that is no UTF-8.
    text = re.sub("[\udc80-\udcff]", "\ufffd", damaged.decode("utf-8", "surrogateescape"))
    expected = flips.mean()
    assert (
        BER().value(record({"x": Bitstream(data.tobytes())}, {"x": Bitstream(damaged)})) == expected
    )
    # 2 % of the bytes hide seven bits each; four standard deviations of their errors are allowed.
    assert BER().value(record({"x": Text(sent)}, {"x": Text(text)})) == pytest.approx(
        expected, abs=4.6e-4
    )


def test_text_that_no_sender_could_write_is_measured():
    assert BER().value(record({"x": Text("a")}, {"x": Text("\ud800")})) > 0


def test_the_transports_check_decides_on_streams_that_are_not_bytes():
    features = {"f": Features(np.zeros(4, np.float32))}
    assert BLER().value(record(features, features)) is None
    assert BLER().value(record(features, {})) == 1.0
    assert BLER().value(record(features, features, intact={"f": True})) == 0.0
    assert BLER().value(record(features, features, intact={"f": False})) == 1.0
    assert BER().value(record(features, features)) is None


# --------------------------------------------------------------------------------------------- cost

CAPTION = "x" * 174  # 1392 bit, the paper's 1.392 kb
PAPER = [
    ("caption", "data", 696, 1392), ("caption", "parity", 740, 1480), ("caption", "crc", 12, 24),
    ("caption", "header", 8, 16), ("caption", "padding", 80, 160), ("frame", "pilots", 256, 0),
]  # fmt: skip
SLOT_S = 14 / 240e3


def test_the_papers_compression_ratio():
    one = record({"caption": Text(CAPTION)}, source=flat(0, 493, 500), entries=PAPER)
    assert one.source.source_bits == 5.916e6
    assert PayloadBits().value(one) == 1392
    assert CompressionRatio().value(one) == 5.916e6 / 1.392e3 == 4250


def test_the_papers_data_rate():
    sent = {"caption": Text(CAPTION)}
    one = record(sent, sent, entries=PAPER, report={"duration_s": SLOT_S})
    assert DataRate().value(one) == pytest.approx(23.863, rel=1e-4)
    damaged = {"caption": Text("p" * 6 + CAPTION[6:])}  # x -> p is one bit: 6 of 1392 wrong
    one = record(
        sent, damaged, entries=PAPER, report={"duration_s": SLOT_S, "air_time_s": 1.07 * SLOT_S}
    )
    assert DataRate().value(one) == pytest.approx((1392 / SLOT_S) * (1386 / 1392) / 1e6)
    assert NetRate().value(one) == 0.0


def test_the_net_rate_pays_for_everything_on_the_air():
    sent = {"caption": Text(CAPTION)}
    update = [("reference", "data", 500, 1000), ("update", "feedback", 0, 1)]
    times = {"duration_s": 2 * SLOT_S, "air_time_s": 2.14 * SLOT_S}
    one = record(sent, sent, entries=PAPER + update, report=times)
    assert NetRate().value(one) == pytest.approx(1392 / (2.14 * SLOT_S) / 1e6)
    assert NetRate().value(one) < DataRate().value(one) == pytest.approx(1392 / (2 * SLOT_S) / 1e6)
    one = record(sent, sent, entries=PAPER, report={"duration_s": SLOT_S})
    assert NetRate().value(one) == pytest.approx(1392 / SLOT_S / 1e6)


def test_rates_need_a_duration_and_bits():
    sent = {"caption": Text(CAPTION)}
    for metric in (DataRate(), NetRate()):
        assert metric.value(record(sent, sent, entries=PAPER)) is None
        assert metric.value(record(sent, sent, entries=PAPER, report={"duration_s": 0.0})) is None
        analog = record(sent, sent, entries=[("caption", "data", 9, 0)], report={"duration_s": 1.0})
        assert metric.value(analog) is None
        assert metric.value(record(sent, {}, entries=PAPER, report={"duration_s": 1.0})) == 0.0


def test_a_stream_that_is_not_bytes_counts_whole_if_its_check_passed():
    features = {"f": Features(np.zeros(4, np.float32))}
    entries = [("f", "data", 64, 128)]
    for metric in (DataRate(), NetRate()):
        good, bad = (
            metric.value(
                record(
                    features,
                    features,
                    entries=entries,
                    report={"duration_s": 1.0},
                    intact={"f": verdict},
                )
            )
            for verdict in (True, False)
        )
        assert (good, bad) == (128e-6, 0)


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from(["data", "pilots"]), st.integers(0, 99)),
        max_size=9,
    )
)
def test_every_channel_use_is_counted(entries):
    one = record(source=flat(0), entries=entries)
    total = sum(uses for _, _, uses in entries)
    assert ChannelUses().value(one) == total
    assert CBR().value(one) * 32 * 32 * 3 == pytest.approx(total)


def test_analog_streams_have_no_bits():
    mixed = record(
        source=flat(0), entries=[("caption", "data", 8, 16), ("features", "data", 100, 0)]
    )
    assert PayloadBits().value(mixed) is None and CompressionRatio().value(mixed) is None
    assert CBR().value(mixed) == 108 / 3072
    paid = record(
        source=flat(0), entries=[*PAPER, ("reference", "data", 5, 10), ("update", "feedback", 0, 1)]
    )
    assert PayloadBits().value(paid) == 1402
    assert (
        CompressionRatio().value(record(source=flat(0), entries=[("caption", "header", 8, 16)]))
        is None
    )
