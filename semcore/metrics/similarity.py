"""How alike two pictures of any size are, in bounded memory: squared error, SSIM, MS-SSIM.

A picture is gone through in strips of rows, in double precision: the windows of a strip need no
more of it than the strip and five rows on either side, and a Gaussian window is a filter along the
columns after one along the rows.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

WINDOW = 11
"""Side of the window, pixels."""
SIGMA = 1.5
"""Standard deviation of the window, pixels."""
RANGE = 255.0
"""Difference of the largest and the smallest value."""
C1, C2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
"""The constants of eq. 13, with K1 = 0.01 and K2 = 0.03."""
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales: Wang et al., Multiscale structural similarity, section 3.2."""
STRIP = 2**18
"""Approximate number of pixels per strip."""

Border = Literal["reflect", "valid"]
"""Windows around every pixel, where the picture goes on as its mirror image without the pixel at
the border; or only windows that lie in the picture."""


def mean_squared_error(source: np.ndarray, result: np.ndarray) -> float:
    """Over all values of two pictures, uint8 (H, W, C); exact up to the division."""
    import numpy as np

    step, total = max(1, STRIP // max(source.shape[1], 1)), 0
    for start in range(0, len(source), step):
        error = np.subtract(
            source[start : start + step], result[start : start + step], dtype=np.int32
        )
        total += int(np.square(error).sum(dtype=np.int64))
    return total / source.size


def ssim(source: np.ndarray, result: np.ndarray, border: Border = "reflect") -> tuple[float, float]:
    """Mean structural similarity, and the mean of its contrast and structure terms alone, over
    pixels and colour channels.

    Wang et al., Image quality assessment: from error visibility to structural similarity, IEEE
    Trans. Image Process. 13(4), 2004, eq. 13: (2 μx μy + C1) (2 σxy + C2) / ((μx² + μy² + C1) (σx²
    + σy² + C2)), its second factor c·s.

    Args:
        source: (H, W, C), 0..255, of any dtype; no side shorter than `WINDOW`
        result: the same

    Returns:
        l·c·s and c·s, each at most 1
    """
    import numpy as np

    height, width = source.shape[:2]
    rows, columns = (_indices(length, border) for length in (height, width))
    step = max(WINDOW, STRIP // len(columns))
    whole = contrast = 0.0
    for start in range(0, len(rows) - WINDOW + 1, step):
        chosen = rows[start : start + step + WINDOW - 1]
        # Moved by half the range, values are small against the variances that are differences of
        # their squares.
        x, y = (
            picture[chosen][:, columns].astype(np.float64) - RANGE / 2
            for picture in (source, result)
        )
        mean_x, mean_y = _windowed(x), _windowed(y)
        variances = np.maximum(_windowed(x * x + y * y) - mean_x * mean_x - mean_y * mean_y, 0)
        similar = (2 * (_windowed(x * y) - mean_x * mean_y) + C2) / (variances + C2)
        mean_x, mean_y = mean_x + RANGE / 2, mean_y + RANGE / 2
        contrast += float(similar.sum())
        whole += float(
            (similar * (2 * mean_x * mean_y + C1) / (mean_x * mean_x + mean_y * mean_y + C1)).sum()
        )
    count = (len(rows) - WINDOW + 1) * (len(columns) - WINDOW + 1) * source.shape[2]
    return whole / count, contrast / count


def ms_ssim(source: np.ndarray, result: np.ndarray, border: Border = "reflect") -> float:
    """Multi-scale structural similarity, 0..1.

    Wang et al., Multiscale structural similarity for image quality assessment, Asilomar 2003, eq.
    7, with the exponents of section 3.2. Each scale is the mean over 2×2 pixels of the one before;
    an odd last row or column is left out. Five scales want sides of 176 pixels; a smaller picture
    has as many as hold the window, with exponents that are scaled to sum to 1. A negative term
    counts as 0. c·s of a scale is a mean over the windows that lie in it, l·c·s of the last over
    those that `border` says.

    Args:
        source: (H, W, C), 0..255; no side shorter than `WINDOW`
        result: the same
    """
    exponents = [
        one for number, one in enumerate(SCALES) if min(source.shape[:2]) >> number >= WINDOW
    ]
    value = 1.0
    for exponent in exponents[:-1]:
        value *= max(ssim(source, result, "valid")[1], 0.0) ** (exponent / sum(exponents))
        source, result = _halved(source), _halved(result)
    return value * max(ssim(source, result, border)[0], 0.0) ** (exponents[-1] / sum(exponents))


def _indices(length: int, border: Border) -> np.ndarray:
    """Which rows (or columns) of a picture the windows see, in order."""
    import numpy as np

    return np.pad(np.arange(length), WINDOW // 2 if border == "reflect" else 0, mode="reflect")


@functools.cache
def _window() -> np.ndarray:
    """The window along one side, float64 (WINDOW,), of sum 1."""
    import numpy as np

    places = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(places**2) / (2 * SIGMA**2))
    return weights / weights.sum()


def _windowed(values: np.ndarray) -> np.ndarray:
    """Weighted means over all windows in (H, W, C): (H - WINDOW + 1, W - WINDOW + 1, C)."""
    from scipy.ndimage import correlate1d

    half = WINDOW // 2
    down = correlate1d(values, _window(), axis=0)[half:-half]
    return correlate1d(down, _window(), axis=1)[:, half:-half]


def _halved(picture: np.ndarray) -> np.ndarray:
    """Means over 2×2 pixels, float32: exact, as a mean of 8-bit values over 16×16 pixels has 16
    bits."""
    import numpy as np

    height, width = (side // 2 * 2 for side in picture.shape[:2])
    halved = picture[:height:2, :width:2].astype(np.float32)
    for row, column in ((0, 1), (1, 0), (1, 1)):
        halved += picture[row:height:2, column:width:2]
    halved /= 4
    return halved
