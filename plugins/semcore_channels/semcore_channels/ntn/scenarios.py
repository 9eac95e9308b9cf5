"""A pass as scenarios: what a planner is told of the link, segment by segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semcore.types import Scenario
from semcore_channels.ntn.channels import Satellite
from semcore_channels.ntn.orbit import Look

LOWEST_ALTITUDE_KM = 160.0


@dataclass(frozen=True)
class Moment:
    """The link at a moment of a pass.

    Fields:
        look: how the transmitter sees the satellite
        channel: the link as it is then
        snr_db: its SNR before fading
        doppler_hz: Doppler shift of the uplink, before compensation
    """

    look: Look
    channel: Satellite
    snr_db: float
    doppler_hz: float

    @property
    def environment(self) -> dict[str, float]:
        """What differs from moment to moment, by dotted path of a pipeline."""
        names = ("altitude_km", "elevation_deg", "downlink_elevation_deg", "range_rate_km_s")
        values = {name: getattr(self.channel, name) for name in names}
        return {f"channel.{name}": round(value, 4) for name, value in values.items() if value is not None}


def moments(channel: Satellite, looks: Sequence[tuple[Look, ...]], turning: bool = False) -> list[Moment]:
    """The link along a pass; each moment as its transmitter and, if another site, its receiver sees the satellite.

    Args:
        turning: whether the looks are those of an earth that turns; then the channel takes its Doppler shift from them
    """
    found = []
    for uplink, *others in looks:
        at = replace(
            channel,
            altitude_km=max(uplink.altitude_km, LOWEST_ALTITUDE_KM),
            elevation_deg=min(max(uplink.elevation_deg, 0.1), 90.0),
            range_rate_km_s=uplink.range_rate_km_s if turning else None,
            downlink_elevation_deg=min(max(others[0].elevation_deg, 0.1), 90.0) if others else None,
        )
        found.append(Moment(uplink, at, at.unit_gain_snr_db(), uplink.doppler_hz(channel.carrier_frequency_hz)))
    return found


def scenarios(passing: Sequence[Moment], task: str = "", preferences: str = "") -> list[Scenario]:
    """One scenario a moment, for `semcore.planning.session.run_session` or a planner of your own."""
    return [Scenario(number, task, preferences, one.environment) for number, one in enumerate(passing)]
