"""Units of settings: which there are, how they are written, and what a value in one of them is in
another.

The unit of a setting is the end of its name (`snr_db`, `carrier_frequency_hz`); values are bare
numbers. Where somebody writes another unit all the same, the message says what the number should
be.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from semcore.wording.suggest import to_ascii


@dataclass(frozen=True)
class Unit:
    """A unit.

    Fields:
        symbol: how it is written; "" for a bare ratio
        quantity: what it measures; units of one quantity can be converted
        factor: how many of the quantity's first unit it is
        decibel: whether a value is ten times the logarithm of that
    """

    symbol: str
    quantity: str
    factor: float = 1.0
    decibel: bool = False

    def to(self, other: Unit, value: float) -> float | None:
        """`value` in another unit of the same quantity, or None if it has none."""
        try:
            plain = self.factor * (10 ** (value / 10) if self.decibel else value) / other.factor
            return 10 * math.log10(plain) if other.decibel else plain
        except (ValueError, OverflowError):
            return None


UNITS = {
    "db": Unit("dB", "ratio", decibel=True),
    "linear": Unit("", "ratio"),
    "dbi": Unit("dBi", "antenna gain", decibel=True),
    "dbm": Unit("dBm", "power", 1e-3, decibel=True),
    "dbw": Unit("dBW", "power", decibel=True),
    "mw": Unit("mW", "power", 1e-3),
    "hz": Unit("Hz", "frequency"),
    "khz": Unit("kHz", "frequency", 1e3),
    "mhz": Unit("MHz", "frequency", 1e6),
    "ghz": Unit("GHz", "frequency", 1e9),
    "thz": Unit("THz", "frequency", 1e12),
    "mps": Unit("m/s", "speed"),
    "kmh": Unit("km/h", "speed", 1 / 3.6),
    "mph": Unit("mph", "speed", 0.44704),
    "m": Unit("m", "length"),
    "km": Unit("km", "length", 1e3),
    "cm": Unit("cm", "length", 1e-2),
    "mm": Unit("mm", "length", 1e-3),
    "s": Unit("s", "time"),
    "ms": Unit("ms", "time", 1e-3),
    "us": Unit("µs", "time", 1e-6),
    "ns": Unit("ns", "time", 1e-9),
    "deg": Unit("°", "angle"),
    "rad": Unit("rad", "angle", 180 / math.pi),
    "bits": Unit("bit", "information"),
    "bytes": Unit("byte", "information", 8),
    "k": Unit("K", "temperature"),
}
"""End of a setting's name -> its unit."""

_WRITTEN = {
    **{name: unit for name, unit in UNITS.items() if unit.symbol},
    **{unit.symbol.casefold(): unit for unit in UNITS.values() if unit.symbol},
    "kph": UNITS["kmh"], "degrees": UNITS["deg"], "w": Unit("W", "power"),
    "min": Unit("min", "time", 60), "h": Unit("h", "time", 3600),
}  # fmt: skip
"""How a unit may be written behind a number, in small letters."""
_PREFIXES = ("k", "K", "M", "G", "T")
"""Behind a number these are more likely factors than units."""

_QUANTITY = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zA-Z\u00b5\u03bc°/]+)\s*\Z"
)


def split_unit(name: str) -> tuple[str, Unit | None]:
    """What a setting is called without its unit, and the unit that its name ends in."""
    stem, _, end = name.rpartition("_")
    return (stem, UNITS[end]) if stem and end in UNITS else (name, None)


def in_unit_of(name: str, value: Any, have: Unit | None = None, *, part: bool = False) -> str:
    """A hint what `value`, written with a unit or else in `have`, is for the setting `name`; "" if
    nothing is known.

    Args:
        part: whether it is only one value of a list
    """
    want = split_unit(name)[1]
    numbers = [_read(one, have) for one in (value if isinstance(value, list) else [value])]
    if not want or not numbers or not all(numbers):
        return ""
    known = list(filter(None, numbers))
    if foreign := [unit for _, unit in known if unit.quantity != want.quantity]:
        return (
            f"this setting is in {want.symbol}, and {foreign[0].symbol or 'a bare ratio'} "
            "measures something else"
        )
    converted = [
        written(one) for number, unit in known if (one := unit.to(want, number)) is not None
    ]
    if len(converted) < len(known):
        return f"this setting is in {want.symbol}"
    text = f"[{', '.join(converted)}]" if isinstance(value, list) else converted[0]
    return f"this setting is in {want.symbol}: {text if part else f'{name}: {text}'}"


def with_other_unit(key: str, value: Any, names: Iterable[str]) -> str:
    """A hint for a setting `key` that is not known, if one of `names` is the same thing in another
    unit; else ""."""
    stem, have = split_unit(key)
    stems = {split_unit(name)[0]: name for name in names if split_unit(name)[1]}
    close = (
        [stem] if stem in stems else difflib.get_close_matches(stem, stems, 1, 0.8) if have else []
    )
    return (
        in_unit_of(stems[close[0]], value, have)
        if close and have != split_unit(stems[close[0]])[1]
        else ""
    )


def meant(name: str, value: Any, fits: Callable[[float], bool]) -> str:
    """A hint for a number out of bounds, which another unit of the same quantity might bring within
    them."""
    want = split_unit(name)[1]
    if not want or not want.symbol:
        return ""
    for unit in UNITS.values():
        if (
            unit.quantity == want.quantity
            and unit.symbol
            and unit != want
            and not unit.decibel
            and _is_number(value)
        ):
            converted = unit.to(want, value)
            if converted is not None and fits(converted):
                return (
                    f"this setting is in {want.symbol}: {value:g} {unit.symbol} is "
                    f"{written(converted)}"
                )
    return ""


def written(number: float) -> str:
    """A number as one would write it in a pipeline: 28e9 and not 28000000000.0."""
    number = float(f"{number:.6g}")
    if number and not 1e-3 <= abs(number) < 1e5:
        exponent = 3 * math.floor(math.log10(abs(number)) / 3)
        return f"{number / 10**exponent:.6g}e{exponent}"
    return f"{number:.6g}"


def _read(value: Any, have: Unit | None) -> tuple[float, Unit] | None:
    """A number with its unit: the one behind it, or else `have`."""
    match = _QUANTITY.match(_ascii(value)) if isinstance(value, str) and len(value) < 60 else None
    if match and match[2].casefold() in _WRITTEN and match[2] not in _PREFIXES:
        return float(match[1]), _WRITTEN[match[2].casefold()]
    return (value, have) if have and _is_number(value) else None


def _ascii(text: str) -> str:
    """The number of a quantity in ASCII; units have letters of their own (µ, °)."""
    number = re.match(r"[^a-zA-Z\u00b5\u03bc°/]*", text)
    return to_ascii(number[0]) + text[number.end() :] if number else text


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
