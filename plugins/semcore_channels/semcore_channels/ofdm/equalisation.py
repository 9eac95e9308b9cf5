"""Equalisation of one stream that arrives on any number of antennas.

What arrives is h x + s n, and the estimate of h is e + s f, with s the standard deviation of the noise: both are straight
lines in s. Combining the antennas, (e + s f)^H (h x + s n) / |e + s f|^2, is then a quotient of two parabolas in s, whose
coefficients do not know the SNR. So the points of an SNR sweep, which share channels and noise, share nearly all of the work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Equaliser = Literal["lmmse", "zf"]


@dataclass(frozen=True, eq=False)
class Combined:
    """The antennas, combined, as parabolas in the standard deviation of the noise.

    Fields:
        symbols: coefficients of the combined symbols, ascending, complex64 (slots, ...) each
        power: coefficients of the power of the estimate, ascending, float32 (slots, ...) each
    """

    symbols: tuple[torch.Tensor, ...]
    power: tuple[torch.Tensor, ...]

    @classmethod
    def of(cls, signal: torch.Tensor, noise: torch.Tensor, e: torch.Tensor, f: torch.Tensor | None) -> Combined:
        """From signal and noise of what arrived and of the estimate, complex64 (slots, antennas, ...); f None: it has none."""
        ours = e.conj().resolve_conj()
        if f is None:
            return cls(_summed(ours * signal, ours * noise), _summed((ours * e).real))
        theirs = f.conj().resolve_conj()
        return cls(
            _summed(ours * signal, ours * noise + theirs * signal, theirs * noise),
            _summed((ours * e).real, 2 * (ours * f).real, (theirs * f).real),
        )

    def on(self, choose: Callable[[torch.Tensor], torch.Tensor]) -> Combined:
        """The same, with every coefficient cut to what `choose` takes of it."""
        return Combined(tuple(map(choose, self.symbols)), tuple(map(choose, self.power)))

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(one.nbytes for one in (*self.symbols, *self.power))

    def equalised(
        self, deviation: float, trust: torch.Tensor, unknown: torch.Tensor, method: Equaliser
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Symbols, and the variance of the noise left in them.

        With one stream both receivers combine by h^H y / |h|^2. `zf` takes the estimate for the truth: the estimate of a
        single antenna divides what arrived, element by element. `lmmse` believes as much of it as it should: the response
        lies at trust times the estimate, with variance `unknown` around it; without that the symbols would come out smaller
        than they were. Both know how much noise they leave, with N the variance of the noise that arrives and e the estimate:

            zf     (N + unknown) / sum |e|^2 + |1 - trust|^2
            lmmse  (N + unknown) / sum |trust e|^2

        Args:
            deviation: standard deviation of the noise
            trust: complex64, broadcasts to (slots, elements)
            unknown: N + unknown of above, float32, broadcasts to (slots, elements)
            method: of the two

        Returns:
            complex64 and float32 (slots, elements)
        """
        import torch

        inverse = _at(self.power, deviation).clamp_min(1e-20).reciprocal_()
        parts = torch.view_as_real(_at(self.symbols, deviation))
        symbols, left = torch.view_as_complex(parts * inverse.unsqueeze(-1)), inverse * unknown
        if method == "zf":
            return symbols, left.add_((1 - trust).abs().square())
        return symbols.mul_(trust.reciprocal()), left.mul_(trust.abs().square().reciprocal())


def _at(coefficients: tuple[torch.Tensor, ...], s: float) -> torch.Tensor:
    """The polynomial at s."""
    import torch

    constant, *others = coefficients
    if not others:
        return constant
    found = torch.add(constant, others[0], alpha=s)
    for power, coefficient in enumerate(others[1:], 2):
        found.add_(coefficient, alpha=s**power)
    return found


def _summed(*terms: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Over the antennas."""
    return tuple(term.sum(1) if term.shape[1] > 1 else term[:, 0] for term in terms)
