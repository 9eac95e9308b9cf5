"""Satellite passes: on a circular orbit, or from two-line elements (SGP4)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from semcore import RunError
from semcore_channels.constants import SPEED_OF_LIGHT_M_S
from semcore_channels.ntn.geometry import EARTH_MU_KM3_S2, EARTH_RADIUS_KM

ILLUSTRATION = Path(__file__).with_name("illustration.tle")
"""Elements of an orbit like that of the case study's STARLINK-11479 (NORAD 62270), not its own."""
_WGS84_A_KM, _WGS84_F = 6378.137, 1 / 298.257223563
_EARTH_TURN_RAD_S = 7.292115e-5
MOST_AGE = timedelta(weeks=3)
"""Largest age of elements: SGP4's error grows by 1 to 3 km a day, and a low satellite may decay."""
MOST_AT_REST_KM = 8000.0
"""Altitude up to which the earth's rotation is left out: above, it is over a quarter of the orbit's
rate.
"""


@dataclass(frozen=True)
class Look:
    """Elevation, range and range rate of a satellite, as a site sees it at one moment.

    Fields:
        time_s: time since the beginning of the pass, s
        elevation_deg: elevation, degrees; negative below the horizon
        range_km: slant range, km
        range_rate_km_s: rate of change of the slant range, km/s; negative while it approaches
        altitude_km: altitude of the satellite over the mean earth radius, km
    """

    time_s: float
    elevation_deg: float
    range_km: float
    range_rate_km_s: float
    altitude_km: float

    def doppler_hz(self, frequency_hz: float) -> float:
        """Doppler shift of a carrier before compensation, Hz."""
        return -self.range_rate_km_s * 1e3 / SPEED_OF_LIGHT_M_S * frequency_hz


def circular_pass(
    altitude_km: float, highest_deg: float = 90.0, lowest_deg: float = 10.0, step_s: float = 20.0
) -> list[Look]:
    """A pass on a circular orbit, without the earth's rotation.

    The angle g at the earth's centre between site and satellite obeys cos g(t) = cos g0 cos(w t),
    w = sqrt(mu / a^3). One of the moments is the culmination. The earth's rotation changes a LEO
    pass by some percent; see `site_pass`.

    Args:
        altitude_km: altitude of the satellite
        highest_deg: elevation of the culmination
        lowest_deg: elevation at the beginning and at the end
        step_s: time from one moment to the next

    Raises:
        RunError: the altitude is too high to neglect the rotation of the earth
    """
    if altitude_km > MOST_AT_REST_KM:
        raise RunError(
            f"at {altitude_km:g} km the rotation of the earth cannot be neglected "
            "(a geostationary satellite does not move): give two-line elements (--tle)"
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
    """Angle at the earth's centre between a site and a satellite at an elevation, radians."""
    elevation = math.radians(elevation_deg)
    return (
        math.acos(EARTH_RADIUS_KM / (EARTH_RADIUS_KM + altitude_km) * math.cos(elevation))
        - elevation
    )


@dataclass(frozen=True)
class Site:
    """A place on the ground (WGS 84).

    Fields:
        latitude_deg: geodetic latitude, degrees
        longitude_deg: longitude, degrees
        height_km: height over the ellipsoid, km
    """

    latitude_deg: float
    longitude_deg: float
    height_km: float = 0.0

    def position_km(self) -> tuple[float, float, float]:
        """Earth-fixed coordinates, km."""
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
        """The local vertical, a unit vector."""
        latitude, longitude = math.radians(self.latitude_deg), math.radians(self.longitude_deg)
        level = math.cos(latitude)
        return level * math.cos(longitude), level * math.sin(longitude), math.sin(latitude)


@dataclass(frozen=True)
class Elements:
    """Two-line elements of a satellite.

    Fields:
        name: name of the satellite
        first: the line that begins with 1
        second: the line that begins with 2
    """

    name: str
    first: str
    second: str

    @classmethod
    def read(
        cls, path: Path, satellite: str | None = None, when: datetime | None = None
    ) -> Elements:
        """The elements of one satellite in a file.

        A file has two lines per satellite, and optionally its name before them; lines with # are
        comments.

        Args:
            path: the file
            satellite: name or catalogue number of the satellite; None: the only one in the file
            when: a time (UTC); of several sets of elements of one satellite (a history), the one of
                the nearest epoch is taken; None: there must be one set

        Raises:
            RunError: the file cannot be read, a line is damaged, or it does not hold exactly one
                such satellite
        """
        every = cls.read_all(path)
        found, wanted = every, ""
        if satellite is not None:
            wanted = satellite.strip()
            found = [elements for elements in every if elements.is_called(wanted)]
        if len(found) == 1:
            return found[0]
        if found and when is not None and len({elements.number for elements in found}) == 1:
            time = when if when.tzinfo else when.replace(tzinfo=UTC)
            return min(found, key=lambda elements: abs(elements.epoch - time))
        listed = ", ".join(f"{elements.name} ({elements.number})" for elements in every[:8])
        if len(every) > 8:
            listed += ", ..."
        if satellite is None:
            raise RunError(
                f"{path} holds {len(every)} satellites: "
                f"choose one with --satellite, by name or number: {listed}"
            )
        problem = f"holds no satellite {wanted!r}"
        if found:
            problem = f"holds {len(found)} sets of elements of {wanted!r}: keep one"
        raise RunError(f"{path} {problem}; it holds {listed}")

    def is_called(self, satellite: str) -> bool:
        """Whether `satellite` is its name or its catalogue number; leading zeros are optional."""
        number = satellite.lstrip("0")
        return self.name.lower() == satellite.lower() or (
            bool(number) and self.number.lstrip("0") == number
        )

    @classmethod
    def read_all(cls, path: Path) -> list[Elements]:
        """The elements of all satellites in a file, in order.

        Raises:
            RunError: the file cannot be read or holds no elements, or a line is damaged or belongs
                to another satellite
        """
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error
        lines = [line.rstrip() for line in text.splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith("#")]
        firsts = [at for at, line in enumerate(lines) if line.startswith("1 ") and len(line) > 60]
        if not firsts:
            raise RunError(
                f"{path} holds no two-line elements: "
                "a line that begins with '1 ' and one that begins with '2 '"
            )
        for line in lines:
            if line[:2] in ("1 ", "2 ") and len(line) > 60 and not _is_whole(line):
                raise RunError(
                    f"{path} is damaged: the checksum of the line '{line[:24]}...' is wrong"
                )
        return [cls._at(path, lines, at) for at in firsts]

    @classmethod
    def _at(cls, path: Path, lines: Sequence[str], at: int) -> Elements:
        """The elements whose first line is `lines[at]`."""
        first, second = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
        if not (second.startswith("2 ") and _is_whole(second)):
            raise RunError(
                f"{path}: behind the line '{first[:24]}...' stands no line that begins with '2 '"
            )
        number, other = first[2:7], second[2:7]
        if number != other:
            raise RunError(
                f"{path} mixes the lines of two satellites: {number.strip()} in "
                f"'{first[:24]}...' and {other.strip()} in '{second[:24]}...'"
            )
        above = lines[at - 1] if at else ""
        if above and above[:2] not in ("1 ", "2 "):
            return cls(above.removeprefix("0 ").strip(), first, second)
        return cls(number.strip(), first, second)

    @property
    def number(self) -> str:
        """Catalogue number of the satellite."""
        return self.first[2:7].strip()

    @property
    def epoch(self) -> datetime:
        """Epoch of the elements (UTC)."""
        from sgp4.api import Satrec
        from sgp4.conveniences import sat_epoch_datetime

        return sat_epoch_datetime(Satrec.twoline2rv(self.first, self.second))

    def check_age(self, when: datetime) -> None:
        """Refuse a time too far from the epoch.

        Raises:
            RunError: `when` is more than `MOST_AGE` before or after the epoch
        """
        age = when - self.epoch
        if abs(age) > MOST_AGE:
            apart = abs((when.date() - self.epoch.date()).days)
            where = "after" if age > timedelta(0) else "before"
            raise RunError(
                f"the elements of {self.name} are of {self.epoch:%Y-%m-%d}, and {when:%Y-%m-%d} is "
                f"{apart} days {where} that: beyond {MOST_AGE.days} days they say nothing of where "
                "the satellite is; take newer ones"
            )

    def looks(self, site: Site, begin: datetime, moments_s: Sequence[float]) -> Iterator[Look]:
        """The look of `site` at each of `moments_s`, seconds after `begin` (UTC).

        SGP4 gives positions in the true equator and mean equinox of the date; the earth rotates
        under them by Greenwich mean sidereal time. Polar motion and UT1 - UTC are left out: some
        hundred metres.
        """
        from sgp4.api import SGP4_ERRORS, Satrec, jday

        satellite = Satrec.twoline2rv(self.first, self.second)
        station, up = site.position_km(), site.up()
        for moment in moments_s:
            when = begin + timedelta(seconds=moment)
            second = when.second + when.microsecond / 1e6
            day, part = jday(when.year, when.month, when.day, when.hour, when.minute, second)
            error, position, velocity = satellite.sgp4(day, part)
            if error:
                raise RunError(
                    f"{self.name} has no position at {when:%Y-%m-%d %H:%M:%S} UTC: "
                    f"{SGP4_ERRORS[error]}"
                )
            x, y, z = _rotated(position, _sidereal_angle(day, part))
            vx, vy, vz = _rotated(velocity, _sidereal_angle(day, part))
            vx, vy = vx + _EARTH_TURN_RAD_S * y, vy - _EARTH_TURN_RAD_S * x
            sight = (x - station[0], y - station[1], z - station[2])
            distance = math.hypot(*sight)
            sine = sum(a * b for a, b in zip(sight, up, strict=True)) / distance
            growth = (sight[0] * vx + sight[1] * vy + sight[2] * vz) / distance
            altitude = math.hypot(x, y, z) - EARTH_RADIUS_KM
            elevation = math.degrees(math.asin(max(-1.0, min(1.0, sine))))
            yield Look(moment, elevation, distance, growth, altitude)


def site_pass(
    elements: Elements,
    sites: Sequence[Site],
    around: datetime,
    lowest_deg: float = 10.0,
    step_s: float = 20.0,
) -> tuple[datetime, list[tuple[Look, ...]]]:
    """The pass around a time (UTC): its beginning, and the looks of all sites at each moment.

    Args:
        elements: of the satellite
        sites: the ground stations
        around: a time within the pass
        lowest_deg: lowest elevation at every site
        step_s: time from one moment to the next

    Raises:
        RunError: the elements are too old, or not all sites see the satellite above `lowest_deg` at
            that time; the message gives the nearest time at which they do
    """
    around = around.replace(tzinfo=UTC) if around.tzinfo is None else around.astimezone(UTC)
    elements.check_age(around)
    reach = 24 * 3600.0

    def visible(moment: float) -> bool:
        looks = (next(elements.looks(site, around, [moment])) for site in sites)
        return all(look.elevation_deg >= lowest_deg for look in looks)

    if not visible(0.0):
        found = next((at for at in _outwards(step_s, reach) if visible(at)), None)
        hint = "nor within a day of it"
        if found is not None:
            hint = f"but it is at {around + timedelta(seconds=found):%Y-%m-%d %H:%M:%S}"
        raise RunError(
            f"{elements.name} is not above {lowest_deg:g} degrees at every site at "
            f"{around:%Y-%m-%d %H:%M:%S} UTC, {hint}"
        )
    first, last = 0.0, 0.0
    while first > -reach and visible(first - step_s):
        first -= step_s
    while last < reach and visible(last + step_s):
        last += step_s
    begin = around + timedelta(seconds=first)
    moments = [step * step_s for step in range(round((last - first) / step_s) + 1)]
    return begin, list(zip(*(elements.looks(site, begin, moments) for site in sites), strict=True))


def _outwards(step_s: float, reach_s: float) -> Iterator[float]:
    """Times around 0, the nearest first."""
    for step in range(1, int(reach_s / step_s)):
        yield from (step * step_s, -step * step_s)


def _is_whole(line: str) -> bool:
    """Whether a line has its checksum, and it is right."""
    return len(line) >= 69 and line[68].isdigit() and _checksum(line) == int(line[68])


def _checksum(line: str) -> int:
    """Sum of all digits, a minus sign counting as 1, modulo 10."""
    return sum(int(letter) if letter.isdigit() else letter == "-" for letter in line[:68]) % 10


def _rotated(vector: Sequence[float], angle: float) -> tuple[float, float, float]:
    """A vector in axes rotated by `angle` around the third one."""
    x, y, z = vector
    cosine, sine = math.cos(angle), math.sin(angle)
    return cosine * x + sine * y, -sine * x + cosine * y, z


def _sidereal_angle(day: float, part: float) -> float:
    """Greenwich mean sidereal time, IAU 1982, radians."""
    t = (day - 2_451_545.0 + part) / 36_525
    seconds = (
        67_310.54841 + (876_600 * 3600 + 8_640_184.812866) * t + 0.093104 * t**2 - 6.2e-6 * t**3
    )
    return math.radians(seconds / 240 % 360)
