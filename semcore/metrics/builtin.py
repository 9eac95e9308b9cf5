"""The metrics of the core: similarity of pictures, errors of the payload, and cost by the ledger.

A metric gives one value per record, or None where it does not apply; a None is left out of averages
and counted as such. What a metric assumes (data range, resizing, caps) stands in its signature.
"""

from __future__ import annotations

import abc
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from semcore.interfaces import Metric, Record
from semcore.metrics.bits import Bits, compare_bits
from semcore.metrics.similarity import WINDOW, Border, mean_squared_error, ssim
from semcore.statistics.base import Quotient, Statistic
from semcore.statistics.kinds import Decibels, Mean, Ratio, Score, Share
from semcore.types import Bitstream, Features, Ledger, Text, Tokens

if TYPE_CHECKING:
    import numpy as np

PAPER = (
    "S. Ribouh, O. Saleem, LLM-Based Semantic Communication System for Image Transmission, "
    "section IV"
)


@dataclass(frozen=True)
class RecordMetric(Metric, abc.ABC):
    """A metric that looks at one record at a time. The signature is `name|version|method`."""

    version: ClassVar[int] = 1
    """Goes up when the same record would get another value."""
    method: ClassVar[str] = ""
    """What a reader must know to compare the value with another one, as `key=value,...`."""

    @property
    def signature(self) -> str:
        return f"{type(self).__name__}|{self.version}|{self.method}"

    def measure(self, records: Sequence[Record]) -> list[float | None]:
        return [self.value(record) for record in records]

    @abc.abstractmethod
    def value(self, record: Record) -> float | None:
        """The value of one record, or None if the metric does not apply to it."""


# ----------------------------------------------------------------------------------------- pictures


def pictures(record: Record) -> tuple[np.ndarray, np.ndarray] | None:
    """Source and result, uint8 (H, W, 3), at the source's size (bicubic); None without either."""
    import numpy as np

    source, result = record.source.image, record.result.image
    if source is None or result is None:
        return None
    if result.shape != source.shape:
        from PIL import Image

        height, width = source.shape[:2]
        result = np.array(Image.fromarray(result).resize((width, height), Image.Resampling.BICUBIC))
    return source, result


def squared_error(record: Record) -> float | None:
    """Mean squared error of source and result over H·W·3 values of 0..255.

    None without two pictures.
    """
    pair = pictures(record)
    return None if pair is None else mean_squared_error(*pair)


@dataclass(frozen=True)
class PSNR(RecordMetric):
    """Peak signal-to-noise ratio of the picture: 10·log10(255² / MSE), in dB.

    The MSE is taken over H·W·3 values. The data range is 255. The PSNR of each picture is averaged,
    not the MSE. Identical pictures have an infinite PSNR: they are counted as exact, and are not in
    the mean. The PSNR of the mean MSE of all pictures stands beside it. A result of another size is
    resized to the source's (bicubic). None without two pictures.
    """

    unit: ClassVar[str] = "dB"
    statistic: ClassVar[Statistic] = Decibels()
    version: ClassVar[int] = 2
    method: ClassVar[str] = "range=255,resize=bicubic,exact=apart,mean=per-image"

    def value(self, record: Record) -> float | None:
        mse = squared_error(record)
        if mse is None:
            return None
        return 10 * math.log10(255**2 / mse) if mse else math.inf


@dataclass(frozen=True)
class MSE(RecordMetric):
    """Mean squared error of the picture over H·W·3 values of 0..255.

    Its mean over pictures gives what some publish as PSNR of a data set, 10·log10(255² / mean),
    which is below the mean of their PSNRs. A result of another size is resized to the source's
    (bicubic). None without two pictures.
    """

    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0, 255.0**2)
    method: ClassVar[str] = "range=255,resize=bicubic"

    def value(self, record: Record) -> float | None:
        return squared_error(record)


@dataclass(frozen=True)
class SSIM(RecordMetric):
    """Structural similarity of the picture, at most 1.

    Gaussian window of 11×11 with σ = 1.5, K1 = 0.01, K2 = 0.03, data range 255, mean over the
    colour channels, in double precision. A result of another size is resized to the source's
    (bicubic). None without two pictures, or if a side is shorter than the window.

    Fields:
        border: `reflect`: the mean is over a window around every pixel, and the picture goes on
            beyond its border as its mirror image (the values of torchmetrics); `valid`: over the
            windows that lie in the picture (those of the paper's own code and of scikit-image)
    """

    statistic: ClassVar[Statistic] = Score(-1.0, 1.0)
    reference: ClassVar[str] = (
        "Z. Wang et al., Image quality assessment: from error visibility to structural similarity, "
        "IEEE Trans. Image Process. 13(4), 2004"
    )
    cites: ClassVar[tuple[str, ...]] = ("wang2004image",)

    border: Border = "reflect"

    @property
    def signature(self) -> str:
        window = "window=gaussian-11x11,sigma=1.5"
        return f"SSIM|{self.version}|range=255,{window},border={self.border},resize=bicubic"

    def value(self, record: Record) -> float | None:
        pair = pictures(record)
        if pair is None or min(pair[0].shape[:2]) < WINDOW:
            return None
        return ssim(*pair, self.border)[0]


# ------------------------------------------------------------------------------------------- errors


def _compared(record: Record) -> dict[str, Bits]:
    """The bits of each text and bitstream that was sent."""
    return {
        name: compare_bits(stream, record.arrived.streams.get(name))
        for name, stream in record.sent.streams.items()
        if isinstance(stream, (Text, Bitstream))
    }


def _delivered(record: Record, name: str) -> bool | None:
    """Whether stream `name` arrived intact; None if unknown (an analog stream that arrived).

    Texts and bitstreams are compared with what was sent. Other streams may lose precision on
    purpose, so the check of their transport decides.
    """
    sent, arrived = record.sent.streams[name], record.arrived.streams.get(name)
    if arrived is None:
        return False
    if isinstance(sent, (Text, Bitstream)):
        return sent == arrived
    return record.arrived.intact.get(name)


@dataclass(frozen=True)
class BER(RecordMetric):
    """Bit error rate of the payload: wrong bits / bits, over all texts (UTF-8) and bitstreams.

    It is taken after decoding; bits are compared from the front. Of bits that are missing or too
    many, half count as wrong, as if they were guessed: a lost stream has 0.5. Bits that U+FFFD
    hides are not counted. None if no bit is left.
    """

    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Share()
    version: ClassVar[int] = 2
    method: ClassVar[str] = "after-decoding,missing=0.5,lost=0.5,hidden=uncounted,mean=all-bits"

    def value(self, record: Record) -> float | None:
        counts = _compared(record).values()
        total = sum(bits.right + bits.wrong + bits.missing for bits in counts)
        wrong = sum(bits.wrong + bits.missing / 2 for bits in counts)
        return Quotient(wrong, total) if total else None


@dataclass(frozen=True)
class BLER(RecordMetric):
    """Block error rate: the share of streams that did not arrive intact.

    A block is one stream of a sample. Texts and bitstreams are compared bit by bit with what was
    sent; for other streams the transport's check decides, and those without a check (analog) are
    not counted. None if no stream is left.
    """

    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Share()
    version: ClassVar[int] = 2
    method: ClassVar[str] = "block=stream,lost=1,mean=all-blocks"

    def value(self, record: Record) -> float | None:
        verdicts = [_delivered(record, name) for name in record.sent.streams]
        known = [verdict for verdict in verdicts if verdict is not None]
        return Quotient(known.count(False), len(known)) if known else None


@dataclass(frozen=True)
class StreamError(RecordMetric):
    """Error of one received stream: 0 (none) to 1 (as if nothing had arrived), or more.

    For features: the squared error over the mean square of what was sent. For tokens and texts: the
    share of places with another one, or none. A lost stream has 1. None if the stream was not sent,
    or was empty or all zeros.

    Fields:
        stream: its name
    """

    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    method: ClassVar[str] = "features=nmse,tokens=places,text=characters,lost=1"
    test_settings = ({"stream": "caption"},)

    stream: str

    def value(self, record: Record) -> float | None:
        import numpy as np

        sent, got = record.sent.streams.get(self.stream), record.arrived.streams.get(self.stream)
        match sent:
            case Features() if sent.values.size and np.square(sent.values).any():
                off = sent.values
                if isinstance(got, Features):
                    off = got.values.astype(np.float64) - sent.values
                return float(np.square(off).sum() / np.square(sent.values.astype(np.float64)).sum())
            case Tokens() if sent.values.size:
                return float(np.mean(sent.values != got.values)) if isinstance(got, Tokens) else 1.0
            case Text() if sent.value:
                there = got.value if isinstance(got, Text) else ""
                wrong = sum(a != b for a, b in itertools.zip_longest(sent.value, there))
                return wrong / max(len(sent.value), len(there))
        return None


# --------------------------------------------------------------------------------------------- cost


def _all_bits(ledger: Ledger) -> bool:
    """Whether every stream on the air was sent as bits; `frame` is channel overhead, no stream."""
    used = {entry.stream for entry in ledger.entries if entry.uses} - {"frame"}
    return all(ledger.bits(stream=stream) for stream in used)


@dataclass(frozen=True)
class ChannelUses(RecordMetric):
    """Complex channel uses of the sample.

    All are counted: payload, parity, CRC, headers, padding, pilots, updates and plan.
    """

    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    cost: ClassVar[bool] = True
    method: ClassVar[str] = "complex,all-kinds"

    def value(self, record: Record) -> float | None:
        return float(record.ledger.uses())


@dataclass(frozen=True)
class CBR(RecordMetric):
    """Channel bandwidth ratio: complex channel uses / source values (H·W·3 of a picture).

    All channel uses are counted. Over samples it is the ratio of the sums. None for a sample
    without picture, video or sound.
    """

    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Ratio(0.0)
    cost: ClassVar[bool] = True
    version: ClassVar[int] = 2
    method: ClassVar[str] = "complex,all-kinds,mean=ratio-of-sums"

    def value(self, record: Record) -> float | None:
        values = record.source.source_values
        return Quotient(record.ledger.uses(), values) if values else None


@dataclass(frozen=True)
class PayloadBits(RecordMetric):
    """Payload bits of the sample: the ledger's `data`, with knowledge-base updates and plans.

    None if a stream was sent as analog symbols: it has no bits, and the rest would look too cheap.
    """

    unit: ClassVar[str] = "bit"
    better: ClassVar[str] = "lower"
    statistic: ClassVar[Statistic] = Mean(0.0)
    cost: ClassVar[bool] = True
    method: ClassVar[str] = "ledger-data"

    def value(self, record: Record) -> float | None:
        return float(record.ledger.bits(kind="data")) if _all_bits(record.ledger) else None


@dataclass(frozen=True)
class CompressionRatio(RecordMetric):
    """Source bits / payload bits.

    Source: 8 bits per picture or video value, 16 per sound sample, 8 per byte of a text alone.
    Payload: as in `payload-bits`. Over samples it is the ratio of the sums. None where the payload
    is None or 0.
    """

    statistic: ClassVar[Statistic] = Ratio(0.0)
    cost: ClassVar[bool] = True
    version: ClassVar[int] = 2
    method: ClassVar[str] = "source-bits/ledger-data,mean=ratio-of-sums"
    reference: ClassVar[str] = f"{PAPER}, Table II: 5.916 Mb / 1.392 kb = 4250"
    cites: ClassVar[tuple[str, ...]] = ("ribouh2025large",)

    def value(self, record: Record) -> float | None:
        bits = PayloadBits().value(record)
        return Quotient(record.source.source_bits, bits) if bits else None


@dataclass(frozen=True)
class DataRate(RecordMetric):
    """Effective data rate as in the paper: R·S with R = B_t / T and S = B_s / B_t, in Mbit/s.

    B_t: payload bits sent. B_s: those of them that arrived with the right value, compared from the
    front; a lost stream has none. Streams other than texts and bitstreams count whole if their
    check passed. T = N·T_symbol is `duration_s` of the channel's report: N OFDM symbols of
    1 / subcarrier spacing each. B_t cancels: R·S = B_s / T.
    It flatters: T leaves out the cyclic prefix, updates and plans, and a block with one wrong bit
    counts nearly whole; see `net-rate`. None if the channel reports no duration, or no stream was
    sent as bits.
    """

    unit: ClassVar[str] = "Mbit/s"
    statistic: ClassVar[Statistic] = Ratio(0.0)
    version: ClassVar[int] = 2
    method: ClassVar[str] = "R*S,B_s=right-bits,T=duration_s,mean=ratio-of-sums"
    reference: ClassVar[str] = PAPER
    cites: ClassVar[tuple[str, ...]] = ("ribouh2025large",)

    def value(self, record: Record) -> float | None:
        duration_s = record.report.get("duration_s")
        digital = [name for name in record.sent.streams if record.ledger.bits(stream=name)]
        if not duration_s or not digital:
            return None
        compared = _compared(record)
        right = sum(
            compared[name].right if name in compared else _intact_bits(record, name)
            for name in digital
        )
        return Quotient(right / 1e6, duration_s)


@dataclass(frozen=True)
class NetRate(RecordMetric):
    """Net data rate: payload bits of the streams that arrived intact / time on the air, in Mbit/s.

    A stream with any wrong bit counts nothing. Knowledge-base updates and plans are overhead: their
    bits do not count. The time is `air_time_s` (cyclic prefix included), else `duration_s`: all
    symbols that were on the air for the sample, so parity, CRC, headers, padding, pilots, updates
    and plans are paid for, but no acknowledgements. None if the channel reports no time, or no
    stream was sent as bits.
    """

    unit: ClassVar[str] = "Mbit/s"
    statistic: ClassVar[Statistic] = Ratio(0.0)
    version: ClassVar[int] = 2
    method: ClassVar[str] = "intact-streams,T=air_time_s|duration_s,mean=ratio-of-sums"

    def value(self, record: Record) -> float | None:
        time_s = record.report.get("air_time_s") or record.report.get("duration_s")
        digital = [name for name in record.sent.streams if record.ledger.bits(stream=name)]
        if not time_s or not digital:
            return None
        return Quotient(sum(_intact_bits(record, name) for name in digital) / 1e6, time_s)


def _intact_bits(record: Record, name: str) -> int:
    """Payload bits of stream `name` if it came through intact, else 0."""
    return record.ledger.bits(stream=name, kind="data") if _delivered(record, name) else 0
