"""What is sent of a sample: named streams of five types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from semcore.errors import ComponentError
from semcore.types.arrays import check_array
from semcore.types.samples import Extent

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Text:
    """A text stream, for example a caption. `value`: any Unicode text."""

    value: str

    def __post_init__(self) -> None:
        if not isinstance(self.value, str):
            raise ComponentError(f"Text.value must be str, not {type(self.value).__name__}")

    @property
    def form(self) -> tuple[int, ...]:
        """Empty: the length is known only once it is received."""
        return ()


@dataclass(frozen=True, eq=False)
class Tokens:
    """A stream of symbols of a finite alphabet, for example phonemes.

    Fields:
        values: int64 (T,) in 0..vocabulary-1
        vocabulary: size of the alphabet, known to both ends
    """

    values: np.ndarray
    vocabulary: int

    def __post_init__(self) -> None:
        check_array(self, "values", self.values, "int64", ("T",))
        inside = (0 <= self.values) & (self.values < self.vocabulary)
        if not inside.all():
            raise ComponentError(f"Tokens.values must lie in 0..{self.vocabulary - 1}")

    @property
    def form(self) -> tuple[int, ...]:
        """(T, vocabulary): known to both ends from the session."""
        return (*self.values.shape, self.vocabulary)


@dataclass(frozen=True, eq=False)
class Features:
    """Real numbers, for example a feature vector or face motion. `values`: float32 (..., D)."""

    values: np.ndarray

    def __post_init__(self) -> None:
        check_array(self, "values", self.values, "float32", ("...", "D"))

    @property
    def form(self) -> tuple[int, ...]:
        """The shape of `values`: known to both ends from the session."""
        return tuple(self.values.shape)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture, for example for the knowledge base. `pixels`: uint8 (H, W, 3), sRGB."""

    pixels: np.ndarray

    def __post_init__(self) -> None:
        check_array(self, "pixels", self.pixels, "uint8", ("H", "W", 3))

    @property
    def form(self) -> tuple[int, ...]:
        """(H, W, 3): known to both ends from the session."""
        return tuple(self.pixels.shape)


@dataclass(frozen=True)
class Bitstream:
    """Bytes, for example a compressed picture; a decoder must treat them as untrusted input."""

    data: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.data, bytes):
            raise ComponentError(f"Bitstream.data must be bytes, not {type(self.data).__name__}")

    @property
    def form(self) -> tuple[int, ...]:
        """Empty: the length is known only once it is received."""
        return ()


Stream = Text | Tokens | Features | Picture | Bitstream
"""What can be sent: one of the five types."""
STREAM_TYPES: tuple[type[Stream], ...] = (Text, Tokens, Features, Picture, Bitstream)


@dataclass(frozen=True, eq=False)
class Semantics:
    """What is sent of one sample, or what arrived of it: ordered, named streams.

    Fields:
        key: the id of the sample; a pseudonym at the receiver
        user: whose entries of the knowledge base apply; a pseudonym at the receiver
        streams: name -> stream; a lost stream is absent
        intact: name -> result of the transport's check (CRC); absent for a stream without one
        extent: length and size of the sample, which the receiver knows from the grant
    """

    key: str
    streams: Mapping[str, Stream] = field(default_factory=dict)
    user: str = ""
    intact: Mapping[str, bool] = field(default_factory=dict)
    extent: Extent = Extent()

    def __post_init__(self) -> None:
        for name, stream in self.streams.items():
            if not isinstance(stream, STREAM_TYPES):
                found = type(stream).__name__
                raise ComponentError(f"stream {name!r} is a {found}, not one of the stream types")

    def text(self, name: str) -> str | None:
        """The text of stream `name`, or None."""
        stream = self.streams.get(name)
        return stream.value if isinstance(stream, Text) else None

    def arrived(self) -> bool:
        """Whether a stream arrived and no check failed, not even of a lost stream (ACK)."""
        return bool(self.streams) and all(self.intact.values())

    def only(self, names: Iterable[str]) -> Semantics:
        """The same sample with only the streams in `names`, and their checks."""
        kept = list(names)
        return replace(
            self,
            streams={name: self.streams[name] for name in kept if name in self.streams},
            intact={name: self.intact[name] for name in kept if name in self.intact},
        )
