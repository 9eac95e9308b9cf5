"""Rows are padded to a multiple of `LANES` columns before complex numbers are multiplied.

PyTorch multiplies complex numbers in SIMD vectors and the remainder of an array one by one, which
rounds differently in the last digit. Which numbers are the remainder depends on the size of the
array, so without padding a row's last digits would depend on its batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LANES = 16
"""Complex numbers in the longest SIMD vector."""


def pad(values: torch.Tensor, filling: float = 0.0) -> torch.Tensor:
    """Rows (rows, n) with columns of `filling` appended, up to a multiple of `LANES`."""
    import torch

    return torch.nn.functional.pad(values, (0, -values.shape[1] % LANES), value=filling)
