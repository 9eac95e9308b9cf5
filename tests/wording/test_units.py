"""Units: what a value in one is in another, and what a hint says of it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semcore.config.document import scalar
from semcore.wording.units import (
    UNITS,
    Unit,
    in_unit_of,
    meant,
    split_unit,
    with_other_unit,
    written,
)

PAIRS = [(a, b) for a, b in itertools.product(UNITS.values(), repeat=2) if a.quantity == b.quantity]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda unit: unit.symbol or "linear")
def test_there_and_back_is_where_it_began(one: Unit, other: Unit) -> None:
    for value in (0.25, 1.0, 28.0):
        there = one.to(other, value)
        assert there is not None and other.to(one, there) == pytest.approx(value)


@pytest.mark.parametrize(
    ("have", "want", "value", "result"),
    [("ghz", "hz", 28, 28e9), ("mps", "kmh", 10, 36), ("linear", "db", 100, 20),
     ("dbm", "dbw", 30, 0), ("mw", "dbm", 100, 20),
     ("bytes", "bits", 3, 24), ("rad", "deg", 3.141592653589793, 180), ("mph", "kmh", 60, 96.56064),
     ("us", "s", 5, 5e-6)],
)  # fmt: skip
def test_factors_are_those_of_the_textbook(
    have: str, want: str, value: float, result: float
) -> None:
    assert UNITS[have].to(UNITS[want], value) == pytest.approx(result)


def test_what_has_no_logarithm_has_no_decibels() -> None:
    assert UNITS["linear"].to(UNITS["db"], 0) is UNITS["linear"].to(UNITS["db"], -3) is None
    assert UNITS["db"].to(UNITS["linear"], 1e6) is None
    assert with_other_unit("snr_linear", -1, ["snr_db"]) == "this setting is in dB"


@given(st.floats(-1e15, 1e15, allow_subnormal=False))
def test_a_number_is_written_as_one_that_is_read_back(value: float) -> None:
    assert scalar(written(value)) == pytest.approx(value, rel=1e-5, abs=1e-300)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("carrier_frequency_hz", "28 GHz", "this setting is in Hz: carrier_frequency_hz: 28e9"),
        ("carrier_frequency_hz", "28ghz", "this setting is in Hz: carrier_frequency_hz: 28e9"),
        ("speed_kmh", ["10 m/s", "36km/h"], "this setting is in km/h: speed_kmh: [36, 36]"),
        ("delay_s", "5 µs", "this setting is in s: delay_s: 5e-6"),
        ("delay_s", "5 \u03bcs", "this setting is in s: delay_s: 5e-6"),
        ("snr_db", "3 km", "this setting is in dB, and km measures something else"),
        ("carrier_frequency_hz", "28G", ""),  # a factor, not a unit
        ("snr_db", "ten", ""),
        ("snr_db", "10", ""),
        ("snr_db", [], ""),
        ("quality", "5 dB", ""),
        ("snr_db", "9" * 500 + " dB", ""),
    ],
)
def test_a_value_with_its_unit_is_converted(name: str, value: object, hint: str) -> None:
    assert in_unit_of(name, value) == hint


def test_a_setting_in_another_unit_is_recognised() -> None:
    names = ["carrier_frequency_hz", "speed_kmh", "snr_db", "quality"]
    assert (
        with_other_unit("carrier_frequency_ghz", 3.5, names)
        == "this setting is in Hz: carrier_frequency_hz: 3.5e9"
    )
    assert (
        with_other_unit("carier_frequency_mhz", 900, names)
        == "this setting is in Hz: carrier_frequency_hz: 900e6"
    )
    assert (
        with_other_unit("speed_mps", [10, 20], names)
        == "this setting is in km/h: speed_kmh: [36, 72]"
    )
    for key, value in {
        "snr": 3,
        "snr_db": 3,
        "quality_db": 3,
        "snr_linear": True,
        "delay_s": 3,
        "snr_hz": {},
    }.items():
        assert with_other_unit(key, value, names) == ""


def test_a_number_out_of_bounds_may_be_one_in_another_unit() -> None:
    assert (
        meant("carrier_frequency_hz", 28, lambda hz: 0.5e9 <= hz <= 100e9)
        == "this setting is in Hz: 28 GHz is 28e9"
    )
    assert (
        meant("carrier_frequency_hz", 28, lambda hz: False)
        == meant("steps", 0, lambda steps: True)
        == ""
    )


@pytest.mark.parametrize(
    ("name", "stem", "symbol"),
    [("snr_db", "snr", "dB"), ("db", "db", None), ("_db", "_db", None), ("max_x", "max_x", None)],
)
def test_the_unit_is_the_end_of_the_name(name: str, stem: str, symbol: str | None) -> None:
    found, unit = split_unit(name)
    assert (found, unit and unit.symbol) == (stem, symbol)
