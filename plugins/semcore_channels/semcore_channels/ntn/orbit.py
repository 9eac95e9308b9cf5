"""How a satellite passes over the ground: on a circular orbit, or by its elements (SGP4)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from semcore.errors import RunError
from semcore_channels.ntn.geometry import EARTH_MU_KM3_S2, EARTH_RADIUS_KM, SPEED_OF_LIGHT_M_S

ILLUSTRATION = Path(__file__).with_name("illustration.tle")
"""Elements of an orbit like that of the case study, STARLINK-11479 (NORAD 62270); not the satellite's own."""
_WGS84_A_KM, _WGS84_F = 6378.137, 1 / 298.257223563
_EARTH_TURN_RAD_S = 7.292115e-5


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
    """
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
        first, second: the lines
    """

    name: str
    first: str
    second: str

    @classmethod
    def read(cls, path: Path) -> Elements:
        """The elements in a file: an optional name, two lines; lines with # are comments.

        Raises:
            RunError: the file cannot be read, or holds no elements
        """
        try:
            lines = [line.rstrip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path} cannot be read: {error}") from error
        lines = [line for line in lines if not line.startswith("#")]
        pairs = [at for at in range(len(lines) - 1) if lines[at].startswith("1 ") and lines[at + 1].startswith("2 ")]
        if not pairs:
            raise RunError(f"{path} holds no two-line elements: a line that begins with '1 ' and one that begins with '2 '")
        [first, *_] = pairs
        for line in lines[first : first + 2]:
            if len(line) < 69 or not line[68].isdigit() or _checksum(line) != int(line[68]):
                raise RunError(f"{path} is damaged: the checksum of the line '{line[:24]}...' is wrong")
        name = lines[first - 1].removeprefix("0 ") if first else path.stem
        return cls(name, lines[first], lines[first + 1])

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
        RunError: not all sites see the satellite above `lowest_deg` at that time, with the nearest time at which they do
    """
    around = around.replace(tzinfo=UTC) if around.tzinfo is None else around.astimezone(UTC)
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
