"""How a satellite passes over the ground: on a circular orbit, or by its elements (SGP4)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from semcore.errors import RunError
from semcore_channels.constants import SPEED_OF_LIGHT_M_S
from semcore_channels.ntn.geometry import EARTH_MU_KM3_S2, EARTH_RADIUS_KM

ILLUSTRATION = Path(__file__).with_name("illustration.tle")
"""Elements of an orbit like that of the case study, STARLINK-11479 (NORAD 62270); not the satellite's own."""
_WGS84_A_KM, _WGS84_F = 6378.137, 1 / 298.257223563
_EARTH_TURN_RAD_S = 7.292115e-5
MOST_AGE = timedelta(weeks=3)
"""How far from their epoch elements are used: SGP4 is off by 1 to 3 km a day, and a low satellite may have fallen."""
MOST_AT_REST_KM = 8000.0
"""Altitude up to which the earth is taken to be at rest: above, it turns more than a quarter as fast as the orbit."""


@dataclass(frozen=True)
class Look:
    """How a site sees a satellite at a moment.

    Fields:
        time_s: since the beginning of the pass
        elevation_deg: above the horizon; negative: below
        range_km: slant range
        range_rate_km_s: growth of the range; negative: it comes closer
        altitude_km: of the satellite above the (mean) earth
    """

    time_s: float
    elevation_deg: float
    range_km: float
    range_rate_km_s: float
    altitude_km: float

    def doppler_hz(self, frequency_hz: float) -> float:
        """Doppler shift of a carrier, before compensation."""
        return -self.range_rate_km_s * 1e3 / SPEED_OF_LIGHT_M_S * frequency_hz


def circular_pass(altitude_km: float, highest_deg: float = 90.0, lowest_deg: float = 10.0, step_s: float = 20.0) -> list[Look]:
    """A pass on a circular orbit over an earth at rest, from `lowest_deg` up to `highest_deg` and down again.

    The angle g at the earth's centre between site and satellite obeys cos g(t) = cos g0 cos(w t), w = sqrt(mu / a^3).
    The culmination lies on one of the moments. An earth that turns changes a LEO pass by some percent; see `site_pass`.

    Raises:
        RunError: the satellite is so high that the earth must not be taken to be at rest
    """
    if altitude_km > MOST_AT_REST_KM:
        raise RunError(
            f"a satellite at {altitude_km:g} km does not pass as over an earth at rest (a geostationary one stands still): "
            "give its elements (--tle)"
        )
    axis = EARTH_RADIUS_KM + altitude_km
    rate = math.sqrt(EARTH_MU_KM3_S2 / axis**3)
    nearest = _central_angle(altitude_km, highest_deg)
    edge = _central_angle(altitude_km, min(lowest_deg, highest_deg))
    half_s = math.acos(min(math.cos(edge) / math.cos(nearest), 1.0)) / rate
    steps, looks = int(half_s / step_s + 1e-9), []
    for step in range(-steps, steps + 1):
        turned = rate * step * step_s
        cosine = math.cos(nearest) * math.cos(turned)
        distance = math.sqrt(EARTH_RADIUS_KM**2 + axis**2 - 2 * EARTH_RADIUS_KM * axis * cosine)
        elevation = math.degrees(math.asin((axis * cosine - EARTH_RADIUS_KM) / distance))
        growth = EARTH_RADIUS_KM * axis * math.cos(nearest) * math.sin(turned) * rate / distance
        looks.append(Look((step + steps) * step_s, elevation, distance, growth, altitude_km))
    return looks


def _central_angle(altitude_km: float, elevation_deg: float) -> float:
    """Angle at the earth's centre between a site and a satellite that it sees at an elevation."""
    elevation = math.radians(elevation_deg)
    return math.acos(EARTH_RADIUS_KM / (EARTH_RADIUS_KM + altitude_km) * math.cos(elevation)) - elevation


@dataclass(frozen=True)
class Site:
    """A place on the ground: geodetic latitude and longitude in degrees (WGS 84), height in km."""

    latitude_deg: float
    longitude_deg: float
    height_km: float = 0.0

    def position_km(self) -> tuple[float, float, float]:
        """Earth-fixed coordinates."""
        latitude, longitude = math.radians(self.latitude_deg), math.radians(self.longitude_deg)
        square = _WGS84_F * (2 - _WGS84_F)
        curve = _WGS84_A_KM / math.sqrt(1 - square * math.sin(latitude) ** 2)
        level = (curve + self.height_km) * math.cos(latitude)
        return (
            level * math.cos(longitude),
            level * math.sin(longitude),
            (curve * (1 - square) + self.height_km) * math.sin(latitude),
        )

    def up(self) -> tuple[float, float, float]:
        """The local vertical."""
        latitude, longitude = math.radians(self.latitude_deg), math.radians(self.longitude_deg)
        level = math.cos(latitude)
        return level * math.cos(longitude), level * math.sin(longitude), math.sin(latitude)


@dataclass(frozen=True)
class Elements:
    """Two-line elements of a satellite.

    Fields:
        name: of the satellite
        first: line that begins with 1
        second: line that begins with 2
    """

    name: str
    first: str
    second: str

    @classmethod
    def read(cls, path: Path, satellite: str | None = None, when: datetime | None = None) -> Elements:
        """The elements of a satellite in a file: an optional name and two lines each; lines with # are comments.

        Args:
            path: the file
            satellite: name or catalogue number of the satellite; None: the only one in the file
            when: of several sets of elements of one satellite, as a history holds them, that of the nearest epoch is taken;
                UTC; None: there must be one set

        Raises:
            RunError: the file cannot be read, a line is damaged, or it does not hold exactly one such satellite
        """
        every = cls.read_all(path)
        if satellite is None:
            found, wanted = every, ""
        else:
            wanted = satellite.strip()
            number = wanted.lstrip("0")
            found = [one for one in every if one.name.lower() == wanted.lower() or number and one.number.lstrip("0") == number]
        if len(found) == 1:
            return found[0]
        if found and when is not None and len({one.number for one in found}) == 1:
            wanted_at = when if when.tzinfo else when.replace(tzinfo=UTC)
            return min(found, key=lambda one: abs(one.epoch - wanted_at))
        listed = ", ".join(f"{one.name} ({one.number})" for one in every[:8]) + (", ..." if len(every) > 8 else "")
        if satellite is None:
            raise RunError(f"{path} holds {len(every)} satellites: choose one with --satellite, by name or number: {listed}")
        problem = (
            f"holds no satellite {wanted!r}" if not found else f"holds {len(found)} sets of elements of {wanted!r}: keep one"
        )
        raise RunError(f"{path} {problem}; it holds {listed}")

    @classmethod
    def read_all(cls, path: Path) -> list[Elements]:
        """The elements of every satellite in a file, in order.

        Raises:
            RunError: the file cannot be read, holds no elements, or a line is damaged or belongs to another satellite
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error
        lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        firsts = [at for at, line in enumerate(lines) if line.startswith("1 ") and len(line) > 60]
        if not firsts:
            raise RunError(f"{path} holds no two-line elements: a line that begins with '1 ' and one that begins with '2 '")
        for line in lines:
            if line[:2] in ("1 ", "2 ") and len(line) > 60 and not _is_whole(line):
                raise RunError(f"{path} is damaged: the checksum of the line '{line[:24]}...' is wrong")
        found = []
        for at in firsts:
            first, second = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
            if not (second.startswith("2 ") and _is_whole(second)):
                raise RunError(f"{path}: behind the line '{first[:24]}...' stands no line that begins with '2 '")
            if first[2:7] != second[2:7]:
                raise RunError(
                    f"{path} mixes the lines of two satellites: {first[2:7].strip()} in '{first[:24]}...' and "
                    f"{second[2:7].strip()} in '{second[:24]}...'"
                )
            above = lines[at - 1] if at else ""
            named = above and above[:2] not in ("1 ", "2 ")
            found.append(cls(above.removeprefix("0 ").strip() if named else first[2:7].strip(), first, second))
        return found

    @property
    def number(self) -> str:
        """The satellite's catalogue number."""
        return self.first[2:7].strip()

    @property
    def epoch(self) -> datetime:
        """The time (UTC) to which they belong."""
        from sgp4.api import Satrec
        from sgp4.conveniences import sat_epoch_datetime

        return sat_epoch_datetime(Satrec.twoline2rv(self.first, self.second))

    def check_age(self, when: datetime) -> None:
        """Refuse a time too far from that of the elements.

        Raises:
            RunError: `when` is more than `MOST_AGE` before or after the epoch
        """
        age = when - self.epoch
        if abs(age) > MOST_AGE:
            apart = abs((when.date() - self.epoch.date()).days)
            where = "after" if age > timedelta(0) else "before"
            raise RunError(
                f"the elements of {self.name} are of {self.epoch:%Y-%m-%d}, and {when:%Y-%m-%d} is {apart} days "
                f"{where} that: beyond {MOST_AGE.days} days they say nothing of where the satellite is; take newer ones"
            )

    def looks(self, site: Site, begin: datetime, moments_s: Sequence[float]) -> Iterator[Look]:
        """How `site` sees the satellite at so many seconds after `begin` (UTC).

        SGP4 gives positions in the true equator and mean equinox of the date; the earth turns under them by Greenwich mean
        sidereal time. Polar motion and UT1 - UTC are left out: some hundred metres.
        """
        from sgp4.api import SGP4_ERRORS, Satrec, jday

        satellite, station, up = Satrec.twoline2rv(self.first, self.second), site.position_km(), site.up()
        for moment in moments_s:
            when = begin + timedelta(seconds=moment)
            day, part = jday(when.year, when.month, when.day, when.hour, when.minute, when.second + when.microsecond / 1e6)
            error, position, velocity = satellite.sgp4(day, part)
            if error:
                raise RunError(f"{self.name} has no position at {when:%Y-%m-%d %H:%M:%S} UTC: {SGP4_ERRORS[error]}")
            x, y, z = _turned(position, _sidereal_angle(day, part))
            vx, vy, vz = _turned(velocity, _sidereal_angle(day, part))
            vx, vy = vx + _EARTH_TURN_RAD_S * y, vy - _EARTH_TURN_RAD_S * x
            sight = (x - station[0], y - station[1], z - station[2])
            distance = math.hypot(*sight)
            rise = sum(a * b for a, b in zip(sight, up, strict=True)) / distance
            growth = (sight[0] * vx + sight[1] * vy + sight[2] * vz) / distance
            altitude = math.hypot(x, y, z) - EARTH_RADIUS_KM
            yield Look(moment, math.degrees(math.asin(max(-1.0, min(1.0, rise)))), distance, growth, altitude)


def site_pass(
    elements: Elements, sites: Sequence[Site], around: datetime, lowest_deg: float = 10.0, step_s: float = 20.0
) -> tuple[datetime, list[tuple[Look, ...]]]:
    """The pass around a time (UTC): from its first moment until its last, how every site sees the satellite.

    Raises:
        RunError: the elements are too old, or not all sites see the satellite above `lowest_deg` at that time; it names the
            nearest time at which they do
    """
    around = around.replace(tzinfo=UTC) if around.tzinfo is None else around.astimezone(UTC)
    elements.check_age(around)
    reach = 24 * 3600.0

    def seen(moment: float) -> bool:
        return all(next(elements.looks(site, around, [moment])).elevation_deg >= lowest_deg for site in sites)

    if not seen(0.0):
        found = next((at for at in _outwards(step_s, reach) if seen(at)), None)
        hint = (
            "nor within a day of it"
            if found is None
            else f"but it is at {around + timedelta(seconds=found):%Y-%m-%d %H:%M:%S}"
        )
        raise RunError(
            f"{elements.name} is not above {lowest_deg:g} degrees at every site at {around:%Y-%m-%d %H:%M:%S} UTC, {hint}"
        )
    first, last = 0.0, 0.0
    while first > -reach and seen(first - step_s):
        first -= step_s
    while last < reach and seen(last + step_s):
        last += step_s
    begin = around + timedelta(seconds=first)
    moments = [step * step_s for step in range(round((last - first) / step_s) + 1)]
    return begin, list(zip(*(elements.looks(site, begin, moments) for site in sites), strict=True))


def _outwards(step_s: float, reach_s: float) -> Iterator[float]:
    for step in range(1, int(reach_s / step_s)):
        yield from (step * step_s, -step * step_s)


def _is_whole(line: str) -> bool:
    return len(line) >= 69 and line[68].isdigit() and _checksum(line) == int(line[68])


def _checksum(line: str) -> int:
    return sum(int(one) if one.isdigit() else one == "-" for one in line[:68]) % 10


def _turned(vector: Sequence[float], angle: float) -> tuple[float, float, float]:
    x, y, z = vector
    return math.cos(angle) * x + math.sin(angle) * y, -math.sin(angle) * x + math.cos(angle) * y, z


def _sidereal_angle(day: float, part: float) -> float:
    """Greenwich mean sidereal time, IAU 1982, in radians."""
    centuries = (day - 2_451_545.0 + part) / 36_525
    seconds = 67_310.54841 + (876_600 * 3600 + 8_640_184.812866) * centuries + 0.093104 * centuries**2 - 6.2e-6 * centuries**3
    return math.radians(seconds / 240 % 360)
