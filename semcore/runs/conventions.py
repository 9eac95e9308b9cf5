"""What the numbers mean, declared once and written into every result."""

from __future__ import annotations

from semcore.interfaces import ChannelModel

SNR = {
    "snr_db": (
        "Es/N0 per complex symbol and receive antenna, before fading, E|h|^2 = 1 over the ensemble"
    ),
    "block_snr_db": (
        "Es/N0 per complex symbol and receive antenna, every block normalised to unit energy "
        "(no outage)"
    ),
}
"""Name of a channel's setting -> which signal-to-noise ratio it is."""

CBR = "complex channel uses, side information and overhead counted, per source value"
POWER = "unit average power per row of symbols"


def conventions(channel: ChannelModel) -> dict[str, str]:
    """The conventions of a channel's results."""
    named = [text for key, text in SNR.items() if getattr(channel, key, None) is not None]
    return {
        "snr": "; ".join(named) or "set by the link, see its settings",
        "cbr": CBR,
        "power": POWER,
    }
