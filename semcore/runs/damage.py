"""How a stream that arrived differs from the one that was sent, in words for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semcore.types import Bitstream, Features, Picture, Semantics, Stream, Text, Tokens

if TYPE_CHECKING:
    import numpy as np


def damages(sent: Semantics, arrived: Semantics) -> dict[str, str]:
    """Per stream that arrived, except texts: how it differs from what was sent, or ""."""
    return {
        name: damage(sent.streams[name], stream)
        for name, stream in arrived.streams.items()
        if name in sent.streams
        and not (isinstance(stream, Text) and isinstance(sent.streams[name], Text))
    }


def damage(sent: Stream, arrived: Stream) -> str:
    """What differs: bytes or tokens at their places, the energy of the error over that of features,
    or pixels."""
    import numpy as np

    match sent, arrived:
        case Bitstream(), Bitstream():
            return _places(
                np.frombuffer(sent.data, np.uint8), np.frombuffer(arrived.data, np.uint8), "bytes"
            )
        case Tokens(), Tokens():
            return _places(sent.values, arrived.values, "tokens")
        case (Features(), Features()) if sent.values.shape == arrived.values.shape:
            error = np.square(arrived.values.astype(np.float64) - sent.values).sum()
            energy = np.square(sent.values.astype(np.float64)).sum()
            return (
                ""
                if not error
                else f"error energy {error / energy:.2g} of the signal's"
                if energy
                else "an error"
            )
        case (Picture(), Picture()) if sent.pixels.shape == arrived.pixels.shape:
            wrong = int((sent.pixels != arrived.pixels).any(-1).sum())
            return (
                f"{wrong} of {sent.pixels.shape[0] * sent.pixels.shape[1]} pixels differ"
                if wrong
                else ""
            )
    return f"another form: {'×'.join(map(str, arrived.form))}, sent {'×'.join(map(str, sent.form))}"


def _places(sent: np.ndarray, arrived: np.ndarray, what: str) -> str:
    common = min(len(sent), len(arrived))
    wrong = int((sent[:common] != arrived[:common]).sum())
    if len(sent) == len(arrived):
        return f"{wrong} of {common} {what} differ" if wrong else ""
    rest = f"{wrong} of the first {common} differ" if wrong else f"the first {common} are the same"
    return f"{len(sent)} {what} sent, {len(arrived)} arrived, {rest}"
