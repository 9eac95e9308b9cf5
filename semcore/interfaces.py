"""The interfaces that plugins implement. Each has one or two methods and works on a batch.

    SemanticEncoder  Transport  ChannelModel  Generator  Selector  KBPolicy      the link
    Source  Codec  Metric  Recipe  Executor                                      around it

`Planner` stands with what it may ask, in `semcore.planning.interface`.

A sample's result never depends on the batch it came in. Randomness is an argument. A receiver-side component has no
argument that could carry the source.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from semcore.component.base import Component, Needs
from semcore.rng import Rng
from semcore.statistics.base import Statistic
from semcore.statistics.kinds import Mean
from semcore.steps import Step
from semcore.types import (
    STREAM_TYPES,
    Candidates,
    KnowledgeBase,
    Ledger,
    Received,
    Sample,
    Semantics,
    Stream,
    Symbols,
)

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class SemanticEncoder(Component, abc.ABC):
    """Extracts what is worth sending."""

    kind: ClassVar[str] = "encoder"

    @property
    @abc.abstractmethod
    def streams(self) -> Mapping[str, type[Stream]]:
        """Names and types of the streams it emits."""

    @abc.abstractmethod
    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        """The streams of each sample; `kb` is the transmitter's knowledge base."""

    def views(self, sample: Sample) -> Mapping[str, np.ndarray]:
        """Pictures for the report of what it looked at in a sample, by name, uint8 (H, W, 3); by default none."""
        return {}

    def found(self, sample: Sample) -> Mapping[str, tuple[int, int]]:
        """What it looks for in the frames of a sample, a face for example: name -> (frames with it, frames searched).

        The row of the sample and the report say so; by default it looks for nothing.
        """
        return {}


@dataclass(frozen=True)
class Transport(Component, abc.ABC):
    """How a stream becomes symbols and symbols become a stream again."""

    kind: ClassVar[str] = "transport"
    carries: ClassVar[tuple[type[Stream], ...]] = STREAM_TYPES
    """The stream types it can send."""
    loopback_sdr_db: ClassVar[float] = 20.0
    """Energy over error of any features or picture over a noise-free link; a learned codec promises less."""

    @property
    def group_size(self) -> int:
        """How many consecutive samples of a batch share channel uses; what becomes of one depends on the others then."""
        return 1

    def adapted_to(self, channel: ChannelModel) -> Transport:
        """The same transport as a transmitter sets it up that knows the channel's mean SNR; by default, unchanged."""
        return self

    def incompatibility(self, stream: type[Stream]) -> str:
        """Why it cannot carry streams of a type, as set up; "" if it can."""
        return "" if stream in self.carries else f"carries {', '.join(one.__name__ for one in self.carries)}"

    @abc.abstractmethod
    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        """Symbols of unit average power, one or more rows a batch; one `Span` a stream of a sample."""

    @abc.abstractmethod
    def receive(self, received: Received) -> list[Semantics]:
        """What arrived, one `Semantics` a sample of the batch; a lost stream is absent."""


@dataclass(frozen=True)
class ChannelModel(Component, abc.ABC):
    """A link: unit-power complex symbols in, equalised symbols and their noise variances out.

    It knows nothing of streams, and gradients flow through it from `received.values` to `symbols.values`.
    """

    kind: ClassVar[str] = "channel"

    def incompatibility(self, transport: Transport) -> str:
        """Why it cannot serve a transport, as both are set up, for example one that it would distort; "" if it can."""
        return ""

    def mean_snr_db(self) -> float | None:
        """Es/N0 before fading, dB, as both ends may know it beforehand (slow feedback); None: nobody can say."""
        return None

    def link_state(self) -> Mapping[str, float]:
        """What both ends may know of the link beforehand, by name with unit: `snr_db`, `tx_power_dbm`, ...; for planners."""
        snr_db = self.mean_snr_db()
        return {} if snr_db is None else {"snr_db": snr_db}

    @abc.abstractmethod
    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        """Send `symbols` over the link; random numbers are drawn at `rng.at(key)` for the key of each row."""


@dataclass(frozen=True)
class Generator(Component, abc.ABC):
    """Regenerates the source from what arrived."""

    kind: ClassVar[str] = "generator"
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {}
    """Names and types of the streams it makes use of; it must work with any of them lost."""
    caches_itself: ClassVar[bool] = False
    """Whether it keeps its candidates itself, because many samples share them: a run's cache would hold as many copies."""

    def incompatibility(self, encoder: SemanticEncoder) -> str:
        """Why it cannot regenerate what an encoder sends, as both are set up, for example by another codec; "" if it can.

        The text names the field that is to blame first.
        """
        return ""

    def size_incompatibility(self, size: tuple[int, int]) -> str:
        """Why it cannot show pictures of (height, width) of the source as they were sent, since it expects others; "" if it
        can. A generator that makes pictures of its own may make them of any size.

        The text names the field that is to blame first.
        """
        return ""

    @abc.abstractmethod
    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        """Candidates for each sample; `kb` is the receiver's, random numbers are drawn at `rng.at(semantics.key)`.

        Key and user are pseudonyms, others at each call: they tell nothing of the sample.
        """


@dataclass(frozen=True)
class Selector(Component, abc.ABC):
    """Picks one of the candidates, knowing no more than the receiver does."""

    kind: ClassVar[str] = "selector"
    order_matters: ClassVar[bool] = False
    """Whether the choice depends on the order of the candidates, and not on what they are alone."""

    @abc.abstractmethod
    def select(self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase) -> list[Sample]:
        """One of the candidates of each sample."""


@dataclass(frozen=True)
class KBPolicy(Component, abc.ABC):
    """Decides what the receiver's knowledge base must be told. An update is a stream: it costs, and can be lost."""

    kind: ClassVar[str] = "kb"

    @property
    @abc.abstractmethod
    def streams(self) -> Mapping[str, type[Stream]]:
        """Names and types of the streams that an update holds."""

    @abc.abstractmethod
    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        """One update a sample, without streams where none is needed; `kb` is the transmitter's."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        """The knowledge base after the updates that were delivered; called for both ends with what each one has."""
        for update in delivered:
            for stream in update.streams.values():
                kb = kb.add(update.user, stream)
        return kb


# ---------------------------------------------------------------------------------------------- around the link


@dataclass(frozen=True)
class Source(Component, abc.ABC):
    """Where samples come from."""

    kind: ClassVar[str] = "source"
    draws: ClassVar[bool] = False
    """Whether it draws its samples itself, with pictures of its setting `size`: nothing that they need can be missing or
    damaged, so `semcore check` does not have them drawn."""

    @abc.abstractmethod
    def samples(self) -> Sequence[Sample]:
        """All samples, in a fixed order, with unique ids; large ones as `OnDemand`, which reads one when it is needed."""

    def remarks(self) -> Sequence[str]:
        """What a user should know of its samples before a run, as far as that is soon found out: `semcore check` says it."""
        return ()


@dataclass(frozen=True)
class Codec(Component, abc.ABC):
    """A picture codec: pixels to bytes and back. One that keeps every pixel has a true attribute `lossless`."""

    kind: ClassVar[str] = "codec"

    @abc.abstractmethod
    def encode(self, pixels: np.ndarray) -> bytes:
        """uint8 (H, W, 3) -> bytes"""

    @abc.abstractmethod
    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        """Bytes, perhaps damaged, -> uint8 (H, W, 3), or None if they cannot be decoded; `size`: (H, W), if known."""

    def incompatibility(self, sender: Codec) -> str:
        """Why it cannot decode what `sender` encodes, as both are set up; "" if it can: by default, what its own kind does."""
        from semcore.entrypoints.naming import name_of

        return "" if type(self) is type(sender) else f"is {name_of(type(self))}, and the encoder's is {name_of(type(sender))}"


@dataclass(frozen=True, eq=False)
class Record:
    """All that is known of one sample after a transmission; only metrics see it.

    Fields:
        source: what went in
        sent: the streams that were sent
        arrived: the streams that arrived
        result: the reconstruction
        ledger: what it cost, for this sample alone
        report: what the channel said of itself
    """

    source: Sample
    sent: Semantics
    arrived: Semantics
    result: Sample
    ledger: Ledger
    report: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric(Component, abc.ABC):
    """Compares what went in with what came out; the only component that sees both ends."""

    kind: ClassVar[str] = "metric"
    unit: ClassVar[str] = ""
    """Unit of the values; "" if they have none."""
    better: ClassVar[str] = "higher"
    """`higher`, `lower`, or "" where neither is better."""
    statistic: ClassVar[Statistic] = Mean()
    """What kind of number the values are, and between which ends: every metric declares it. See `semcore.statistics.kinds`."""
    cost: ClassVar[bool] = False
    """Whether it counts what was spent, whatever arrived: less of it is no merit where less arrived."""

    @property
    def signature(self) -> str:
        """Name, version and settings; values of different signatures are never averaged together."""
        settings = ",".join(f"{key}={value}" for key, value in self.settings().items())
        return f"{type(self).__name__}({settings})"

    @abc.abstractmethod
    def measure(self, records: Sequence[Record]) -> list[float | None]:
        """One value per record; None where the metric does not apply (a record without a picture, say).

        A value of several trials, or a ratio whose mean is a ratio of sums, is a `Quotient`.
        """

    def judged(self, record: Record) -> tuple[int, int] | None:
        """In how many of the frames that it looks at it found what it judges, and how many those are: (n, of m).

        The row of the sample and the report say so. None, by default: it judges all that there is.
        """
        return None


@dataclass(frozen=True)
class Recipe(Component, abc.ABC):
    """Trains shipped weights; the same command goes on from its last checkpoint."""

    kind: ClassVar[str] = "recipe"

    @abc.abstractmethod
    def train(self, out: Path) -> None:
        """Write `config.json`, `model.safetensors` and the model card `README.md` into `out`."""


def _ignore(step: Step) -> None:
    """Do nothing with a step."""


@dataclass(frozen=True, eq=False)
class Job:
    """Work that can be done anywhere: it can be pickled, and returns something that can.

    Fields:
        call: does it
        needs: what the process that does it must have
        on_step: called in the process that gave the job out, when it begins and with each of its steps, by an executor that
            receives them; it is not pickled
    """

    call: Callable[[], Any]
    needs: Needs = Needs()
    on_step: Callable[[Step], None] = field(default_factory=lambda: _ignore)

    def __reduce__(self) -> Any:
        return Job, (self.call, self.needs)


@dataclass(frozen=True)
class Lost:
    """Stands for what a job would have returned; `reason`: why it returned nothing, in one line."""

    reason: str


@dataclass(frozen=True)
class Executor(Component, abc.ABC):
    """Does jobs in other processes, here or on other machines."""

    kind: ClassVar[str] = "executor"

    @abc.abstractmethod
    def execute(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        """Do every job once; yields its index and what it returned, or `Lost`, in any order, as soon as it is known.

        A process that dies takes nothing with it but its own job. When the iteration ends, or is given up, no process that
        it started is left.
        """
