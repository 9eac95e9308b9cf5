"""Why rows are made a multiple of `LANES` wide before complex numbers are multiplied.

PyTorch multiplies complex numbers in vectors, and what is left at the end of an array one by one, which rounds otherwise in
the last digit. Which numbers are left depends on what else is in the array: without care, a row's last digits on its batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LANES = 16
"""Complex numbers of the longest vector there is."""


def wide(values: torch.Tensor, filling: float = 0.0) -> torch.Tensor:
    """Rows (rows, n) with columns behind them, so that there is a multiple of `LANES`."""
    import torch

    return torch.nn.functional.pad(values, (0, -values.shape[1] % LANES), value=filling)
