"""Equalisation of one stream received on any number of antennas.

The antennas receive h x + s n, and the estimate of h is e + s f, with s the standard deviation of
the noise: both are linear in s. Combining the antennas,
(e + s f)^H (h x + s n) / |e + s f|^2, is then a ratio of two quadratics in s, whose coefficients do
not depend on the SNR. The points of an SNR sweep, which share channels and noise, share them.
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
    """The combined antennas, as quadratics in the standard deviation of the noise.

    Fields:
        symbols: coefficients of the combined symbols, ascending, each complex64 (slots, ...)
        power: coefficients of the power of the estimate, ascending, each float32 (slots, ...)
    """

    symbols: tuple[torch.Tensor, ...]
    power: tuple[torch.Tensor, ...]

    @classmethod
    def of(
        cls, signal: torch.Tensor, noise: torch.Tensor, e: torch.Tensor, f: torch.Tensor | None
    ) -> Combined:
        """Combine signal and noise, complex64 (slots, antennas, ...), by the estimate e + s f.

        Args:
            signal: h x
            noise: n
            e: the estimate without noise
            f: the error of the estimate at unit noise; None: the estimate is exact
        """
        e_conj = e.conj().resolve_conj()
        if f is None:
            return cls(_summed(e_conj * signal, e_conj * noise), _summed((e_conj * e).real))
        f_conj = f.conj().resolve_conj()
        return cls(
            _summed(e_conj * signal, e_conj * noise + f_conj * signal, f_conj * noise),
            _summed((e_conj * e).real, 2 * (e_conj * f).real, (f_conj * f).real),
        )

    def on(self, choose: Callable[[torch.Tensor], torch.Tensor]) -> Combined:
        """The same for the elements that `choose` takes of each coefficient."""
        return Combined(tuple(map(choose, self.symbols)), tuple(map(choose, self.power)))

    @property
    def nbytes(self) -> int:
        """Memory of all coefficients, bytes."""
        return sum(tensor.nbytes for tensor in (*self.symbols, *self.power))

    def equalised(
        self, deviation: float, trust: torch.Tensor, unknown: torch.Tensor, method: Equaliser
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Equalised symbols, and the variance of the noise left in them.

        With one stream both receivers combine by h^H y / |h|^2. `zf` takes the estimate for the
        response; with a single antenna it divides element by element. `lmmse` takes the response to
        be `trust` times the estimate with variance `unknown`; without that factor the symbols would
        be too small. The noise variance left, with N that of the received noise and e the estimate:

            zf     (N + unknown) / sum |e|^2 + |1 - trust|^2
            lmmse  (N + unknown) / sum |trust e|^2

        Args:
            deviation: standard deviation of the noise
            trust: complex64, broadcasts to (slots, elements)
            unknown: N + unknown above, float32, broadcasts to (slots, elements)
            method: `zf` or `lmmse`

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
    """The value of a polynomial at s."""
    import torch

    constant, *others = coefficients
    if not others:
        return constant
    value = torch.add(constant, others[0], alpha=s)
    for power, coefficient in enumerate(others[1:], 2):
        value.add_(coefficient, alpha=s**power)
    return value


def _summed(*terms: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The sum of each term over the antennas."""
    return tuple(term.sum(1) if term.shape[1] > 1 else term[:, 0] for term in terms)
