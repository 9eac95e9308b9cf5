"""The interfaces that plugins implement. Each has one or two methods and works on a batch.

    SemanticEncoder  Transport  ChannelModel  Generator  Selector  KBPolicy      the link
    Source  Codec  Metric  Recipe  Executor                                      around it

`Planner` is in `semcore.planning.interface`. A sample's result never depends on its batch.
Randomness is an argument. A component of the receiver has no argument that could carry the source.
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
from semcore.tensors import OnTensors
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
        """What it looks at in a sample, for the report: name -> picture, uint8 (H, W, 3)."""
        return {}

    def found(self, sample: Sample) -> Mapping[str, tuple[int, int]]:
        """What it detects in frames, a face for example: name -> (frames with it, all frames)."""
        return {}


@dataclass(frozen=True)
class Transport(Component, abc.ABC):
    """How a stream becomes symbols and symbols become a stream again."""

    kind: ClassVar[str] = "transport"
    carries: ClassVar[tuple[type[Stream], ...]] = STREAM_TYPES
    """The stream types it can send."""
    loopback_sdr_db: ClassVar[float] = 20.0
    """Least signal-to-distortion ratio of features and pictures over a noise-free link, dB."""

    @property
    def group_size(self) -> int:
        """Number of consecutive samples of a batch that share channel uses."""
        return 1

    def adapted_to(self, channel: ChannelModel) -> Transport:
        """The transport as set up for this channel, whose mean SNR both ends know."""
        return self

    def incompatibility(self, stream: type[Stream]) -> str:
        """Why it cannot carry streams of a type, as set up; "" if it can."""
        names = ", ".join(one.__name__ for one in self.carries)
        return "" if stream in self.carries else f"carries {names}"

    @abc.abstractmethod
    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        """Symbols of unit average power, one or more rows per batch; one `Span` per stream."""

    @abc.abstractmethod
    def receive(self, received: Received) -> list[Semantics]:
        """What arrived, one `Semantics` per sample of the batch; a lost stream is absent."""


@dataclass(frozen=True)
class ChannelModel(Component, OnTensors, abc.ABC):
    """A link: unit-power complex symbols in, equalised symbols and their noise variances out.

    Gradients flow back to `symbols.values`. Called, it is a function: `y, noise_var = channel(x)`.
    """

    kind: ClassVar[str] = "channel"

    def incompatibility(self, transport: Transport) -> str:
        """Why it cannot serve a transport, as both are set up; "" if it can."""
        return ""

    def mean_snr_db(self) -> float | None:
        """Es/N0 before fading, dB, known to both ends by slow feedback; None: unknown."""
        return None

    def link_state(self) -> Mapping[str, float]:
        """What both ends may know of the link beforehand, by name with unit (`snr_db`, ...)."""
        snr_db = self.mean_snr_db()
        return {} if snr_db is None else {"snr_db": snr_db}

    @abc.abstractmethod
    def transmit(self, symbols: Symbols, rng: Rng) -> Received:
        """Send `symbols` over the link; draw the numbers of a row at `rng.at(key)` of its key."""


@dataclass(frozen=True)
class Generator(Component, abc.ABC):
    """Regenerates the source from what arrived."""

    kind: ClassVar[str] = "generator"
    accepts: ClassVar[Mapping[str, tuple[type[Stream], ...]]] = {}
    """Names and types of the streams it uses; it must work with any of them lost."""
    caches_itself: ClassVar[bool] = False
    """Whether it caches its candidates itself, because many samples share them."""

    def incompatibility(self, encoder: SemanticEncoder) -> str:
        """Why it cannot regenerate what an encoder sends, the wrong field first; "" if it can."""
        return ""

    def size_incompatibility(self, size: tuple[int, int]) -> str:
        """Why it cannot return pictures of (height, width), the wrong field first; "" if it can."""
        return ""

    @abc.abstractmethod
    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        """Candidates for each sample; `kb` is the receiver's.

        Random numbers are drawn at `rng.at(semantics.key)`. Key and user are pseudonyms, drawn for
        each call.
        """


@dataclass(frozen=True)
class Selector(Component, abc.ABC):
    """Picks one of the candidates, from what the receiver knows."""

    kind: ClassVar[str] = "selector"
    order_matters: ClassVar[bool] = False
    """Whether the choice depends on the order of the candidates."""

    @abc.abstractmethod
    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        """One of the candidates of each sample."""


@dataclass(frozen=True)
class KBPolicy(Component, abc.ABC):
    """Decides how knowledge bases are updated. An update is a stream: it costs, and can be lost."""

    kind: ClassVar[str] = "kb"

    @property
    @abc.abstractmethod
    def streams(self) -> Mapping[str, type[Stream]]:
        """Names and types of the streams that an update holds."""

    @abc.abstractmethod
    def update(self, kb: KnowledgeBase, samples: Sequence[Sample]) -> list[Semantics]:
        """One update per sample, empty where none is needed; `kb` is the transmitter's."""

    def apply(self, kb: KnowledgeBase, delivered: Sequence[Semantics]) -> KnowledgeBase:
        """The knowledge base of either end after the updates that were delivered to it."""
        for update in delivered:
            for stream in update.streams.values():
                kb = kb.add(update.user, stream)
        return kb


# ---------------------------------------------------------------------------------- around the link


@dataclass(frozen=True)
class Source(Component, abc.ABC):
    """Where samples come from."""

    kind: ClassVar[str] = "source"
    draws: ClassVar[bool] = False
    """Whether it draws samples of its setting `size`, so that `semcore check` need not read any."""

    @abc.abstractmethod
    def samples(self) -> Sequence[Sample]:
        """All samples in a fixed order, with unique ids; large ones as `OnDemand`."""

    def remarks(self) -> Sequence[str]:
        """Remarks on the samples that `semcore check` prints; they must be quick to find out."""
        return ()


@dataclass(frozen=True)
class Codec(Component, abc.ABC):
    """A picture codec. A lossless one has the attribute `lossless`, which is true."""

    kind: ClassVar[str] = "codec"

    @abc.abstractmethod
    def encode(self, pixels: np.ndarray) -> bytes:
        """uint8 (H, W, 3) -> bytes"""

    @abc.abstractmethod
    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        """Bytes, perhaps damaged -> uint8 (H, W, 3), or None; `size`: (H, W), if known."""

    def incompatibility(self, sender: Codec) -> str:
        """Why it cannot decode what `sender` encodes; "" if it can, by default its own class."""
        from semcore.entrypoints.naming import name_of

        mine, other = type(self), type(sender)
        return "" if mine is other else f"is {name_of(mine)}, and the encoder's is {name_of(other)}"


@dataclass(frozen=True, eq=False)
class Record:
    """All that is known of one sample after a transmission; only metrics see it.

    Fields:
        source: what went in
        sent: the streams that were sent
        arrived: the streams that arrived
        result: the reconstruction
        ledger: its channel uses and bits
        report: what the channel reports of its rows
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
    """What kind of number its values are, and their range; see `semcore.statistics.kinds`."""
    cost: ClassVar[bool] = False
    """Whether it counts what was spent, whatever arrived."""

    @property
    def signature(self) -> str:
        """Name, version and settings; values of different signatures are never averaged."""
        settings = ",".join(f"{key}={value}" for key, value in self.settings().items())
        return f"{type(self).__name__}({settings})"

    @abc.abstractmethod
    def measure(self, records: Sequence[Record]) -> list[float | None]:
        """One value per record; None where the metric does not apply.

        A value of several trials, or a ratio whose mean is a ratio of sums, is a `Quotient`.
        """

    def judged(self, record: Record) -> tuple[int, int] | None:
        """(frames in which it found what it measures, frames searched); None: it uses all."""
        return None


@dataclass(frozen=True)
class Recipe(Component, abc.ABC):
    """Trains weights; the same command resumes from the last checkpoint."""

    kind: ClassVar[str] = "recipe"

    @abc.abstractmethod
    def train(self, out: Path) -> None:
        """Write `config.json`, `model.safetensors` and the model card `README.md` into `out`."""


def _ignore(step: Step) -> None: ...


@dataclass(frozen=True, eq=False)
class Job:
    """Work that any process can do: it can be pickled, and so can its result.

    Fields:
        call: does the work
        needs: what the process must have
        on_step: called by the executor, in the process that submitted the job, with each step; it
            is not pickled
    """

    call: Callable[[], Any]
    needs: Needs = Needs()
    on_step: Callable[[Step], None] = field(default_factory=lambda: _ignore)

    def __reduce__(self) -> Any:
        return Job, (self.call, self.needs)


@dataclass(frozen=True)
class Lost:
    """The result of a job that returned nothing; `reason`: why, in one line."""

    reason: str


@dataclass(frozen=True)
class Executor(Component, abc.ABC):
    """Does jobs in other processes, here or on other machines."""

    kind: ClassVar[str] = "executor"

    @abc.abstractmethod
    def execute(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Any]]:
        """Do every job once; yields its index and its result, or `Lost`, in any order.

        A process that dies loses only its own job. When the iteration ends or is closed, every
        process that it started has ended.
        """
