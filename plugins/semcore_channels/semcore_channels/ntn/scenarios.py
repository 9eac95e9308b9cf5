"""A satellite pass as scenarios: the link of each segment, as a planner sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semcore import Scenario
from semcore_channels.ntn.channels import Satellite
from semcore_channels.ntn.orbit import Look

LOWEST_ALTITUDE_KM = 160.0


@dataclass(frozen=True)
class Moment:
    """The link at one moment of a pass.

    Fields:
        look: elevation, range and range rate of the satellite, as the transmitter sees it
        channel: the link at that moment
        snr_db: its SNR before fading, dB
        doppler_hz: Doppler shift of the uplink before compensation, Hz
    """

    look: Look
    channel: Satellite
    snr_db: float
    doppler_hz: float

    @property
    def environment(self) -> dict[str, float]:
        """Dotted path of a pipeline -> value, for the settings that vary over the pass."""
        names = ("altitude_km", "elevation_deg", "downlink_elevation_deg", "range_rate_km_s")
        values = {name: getattr(self.channel, name) for name in names}
        given = {name: value for name, value in values.items() if value is not None}
        return {f"channel.{name}": round(value, 4) for name, value in given.items()}


def moments(
    channel: Satellite, looks: Sequence[tuple[Look, ...]], turning: bool = False
) -> list[Moment]:
    """The link along a pass.

    Args:
        channel: the link
        looks: at each moment, the look of the transmitter and, if it is elsewhere, of the receiver
        turning: whether the looks include the earth's rotation; the Doppler shift then follows from
            their range rate
    """
    found = []
    for uplink, *others in looks:
        downlink_elevation_deg = None
        if others:
            downlink_elevation_deg = min(max(others[0].elevation_deg, 0.1), 90.0)
        link = replace(
            channel,
            altitude_km=max(uplink.altitude_km, LOWEST_ALTITUDE_KM),
            elevation_deg=min(max(uplink.elevation_deg, 0.1), 90.0),
            range_rate_km_s=uplink.range_rate_km_s if turning else None,
            downlink_elevation_deg=downlink_elevation_deg,
        )
        shift_hz = uplink.doppler_hz(channel.carrier_frequency_hz)
        found.append(Moment(uplink, link, link.unit_gain_snr_db(), shift_hz))
    return found


def scenarios(passing: Sequence[Moment], task: str = "", preferences: str = "") -> list[Scenario]:
    """One scenario per moment, for `semcore.planning.session.run_session` or your own planner."""
    return [
        Scenario(number, task, preferences, moment.environment)
        for number, moment in enumerate(passing)
    ]
