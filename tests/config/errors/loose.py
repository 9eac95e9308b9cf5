"""A plugin whose class is not frozen."""

import semcore


@semcore.register("channel", "loose")
class Loose(semcore.ChannelModel):
    """Lets everything through."""

    def transmit(self, symbols: semcore.Symbols, rng: semcore.Rng) -> semcore.Received:
        return symbols.received(symbols.values, 1e-9)
