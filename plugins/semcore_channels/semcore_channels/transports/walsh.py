"""Several users on the same channel uses, separated by orthogonal codes."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Le

from semcore import (
    ChannelModel,
    ComponentError,
    Layout,
    Received,
    Rng,
    Semantics,
    Span,
    Stream,
    Symbols,
    Transport,
    apportion,
)

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Walsh(Transport):
    """Code division by Walsh codes: users share channel uses, over any other transport.

    What a user sends by `transport` is spread: each symbol x becomes `code_length` chips x w, with
    w the user's row of the Walsh-Hadamard matrix; the chips of all users of a group are added and
    sent as one row of unit power. The receiver despreads: it multiplies by w and sums, which
    cancels the other users. (MMSemCom, eq. 26-30. Its eq. 27 multiplies a segment of d features and
    the code element by element, and an inner product does not return such a segment. So here each
    symbol takes the whole code, which is the received signal of eq. 29.)

    `users` consecutive samples of a batch make a group. A user with fewer symbols is silent at the
    end. With as many users as chips, each has the SNR of a single user; with fewer, each has
    `code_length` / users of that power.

    The ledger divides the chips among the users in proportion to their symbols; kinds are those of
    `transport`.

    Fields:
        transport: turns each user's streams into symbols
        code_length: chips per symbol, a power of two
        users: samples that share channel uses, at most `code_length`; null: `code_length`
    """

    reference: ClassVar[str] = "MMSemCom, section IV, eq. 26-30"
    cites: ClassVar[tuple[str, ...]] = ("proakis2001digital",)
    test_settings = (
        {"transport": {"use": "analog"}, "code_length": 4},
        {"transport": {"use": "ldpc", "iterations": 8}, "code_length": 8, "users": 3},
    )
    transport: Transport
    code_length: Annotated[int, Ge(1), Le(1024)] = 8
    users: Annotated[int, Ge(1), Le(1024)] | None = None

    def check(self) -> None:
        if self.code_length & (self.code_length - 1):
            raise ComponentError(
                f"Walsh.code_length must be a power of two, not {self.code_length}"
            )
        if self.group_size > self.code_length:
            raise ComponentError(
                f"Walsh.users must not be more than the {self.code_length} codes of code_length, "
                f"not {self.users}"
            )
        if self.transport.group_size > 1:
            raise ComponentError(
                "Walsh.transport shares channel uses itself: give each user a transport of its own"
            )

    @property
    def group_size(self) -> int:
        return self.code_length if self.users is None else self.users

    @functools.cached_property
    def codes(self) -> torch.Tensor:
        """The Walsh-Hadamard matrix in Sylvester order, ±1, float32 (code_length, code_length)."""
        import torch

        codes = torch.ones(1, 1)
        while len(codes) < self.code_length:
            codes = torch.cat((torch.cat((codes, codes), 1), torch.cat((codes, -codes), 1)))
        return codes

    def adapted_to(self, channel: ChannelModel) -> Transport:
        return replace(self, transport=self.transport.adapted_to(channel))

    def incompatibility(self, stream: type[Stream]) -> str:
        return self.transport.incompatibility(stream)

    def send(self, batch: Sequence[Semantics], rng: Rng) -> Symbols:
        import torch

        alone = self.transport.send(batch, rng)
        rows, spans, keys = [torch.zeros(0, dtype=torch.complex64)], list[Span](), list[str]()
        for group in self._groups(alone.layout.spans):
            columns = [alone.values[row, : group.length] for row in group.rows]
            symbols = torch.stack(columns, dim=1)
            chips = symbols @ self.codes[: len(group.rows)].to(symbols.dtype)
            rows.append((chips * group.scale).flatten())
            spans += group.shares(len(keys), self.code_length)
            keys.append("+".join(alone.layout.keys[row] for row in group.rows))
        layout = Layout(tuple(map(len, rows[1:])), tuple(spans), tuple(keys), alone.layout.senders)
        return Symbols(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)[1:], layout)

    def _groups(self, spans: Iterable[Span]) -> Iterator[_Group]:
        """The groups of users, from the spans of the transport."""
        ordered = sorted(spans, key=lambda span: (span.sample, span.row, span.start))
        for _, own in itertools.groupby(ordered, lambda span: span.sample // self.group_size):
            yield _Group.of(list(own))

    def receive(self, received: Received) -> list[Semantics]:
        import torch

        layout = received.layout
        values, noise_vars = list["torch.Tensor"](), list["torch.Tensor"]()
        spans, keys, reports = list[Span](), list[str](), list[Mapping[str, float]]()
        ordered = sorted(layout.spans, key=lambda span: (span.row, span.start))
        for row, own in itertools.groupby(ordered, lambda span: span.row):
            group = _Group.of([span.inner for span in own if span.inner])
            place = row, slice(0, group.length * self.code_length)
            chips = received.values[place].reshape(-1, self.code_length)
            noise_var = received.noise_var[place].reshape(-1, self.code_length)
            strength = self.code_length * group.scale
            for number, inner in enumerate(group.rows):
                users = [span for span in group.spans if span.row == inner]
                spans += [replace(span, row=len(values)) for span in users]
                length = group.lengths[inner]
                despread = (chips * self.codes[number].to(chips.device)).sum(1)
                values.append(despread[:length] / strength)
                noise_vars.append(noise_var.sum(1)[:length] / strength**2)
                keys.append(layout.senders[users[0].sample][0])
                reports.append(received.report[row])
        if not values:
            return self.transport.receive(received)
        alone = Layout(tuple(map(len, values)), tuple(spans), tuple(keys), layout.senders)
        padded, left = (
            torch.nn.utils.rnn.pad_sequence(rows, batch_first=True) for rows in (values, noise_vars)
        )
        spent: tuple[Mapping[str, int], ...] = ({},) * len(values)
        return self.transport.receive(Received(padded, left, alone, spent, tuple(reports)))


@dataclass(frozen=True, eq=False)
class _Group:
    """Users that share a row, as laid out by the transport inside.

    Fields:
        spans: ordered by user
        lengths: row of a user -> number of its symbols
    """

    spans: list[Span]
    lengths: dict[int, int]

    @classmethod
    def of(cls, spans: list[Span]) -> _Group:
        lengths: dict[int, int] = {}
        for span in spans:
            lengths[span.row] = max(lengths.get(span.row, 0), span.stop)
        return cls(spans, lengths)

    @property
    def rows(self) -> list[int]:
        """Rows of the users, ordered by their codes."""
        return list(self.lengths)

    @property
    def length(self) -> int:
        """Symbols of the user that has most."""
        return max(self.lengths.values())

    @property
    def scale(self) -> float:
        """Amplitude of a chip that gives the row unit power when every user has unit power."""
        return (self.length / sum(self.lengths.values())) ** 0.5

    def shares(self, row: int, code_length: int) -> list[Span]:
        """The columns of the row, divided among the users' spans, which they contain."""
        symbols = [span.stop - span.start for span in self.spans]
        sizes = apportion(self.length * code_length, symbols)
        starts = itertools.accumulate(sizes, initial=0)
        shares = []
        for span, start, size in zip(self.spans, starts, sizes, strict=False):
            uses = dict(zip(span.uses, apportion(size, list(span.uses.values())), strict=True))
            outer = replace(span, row=row, start=start, stop=start + size, inner=span, uses=uses)
            shares.append(outer)
        return shares
