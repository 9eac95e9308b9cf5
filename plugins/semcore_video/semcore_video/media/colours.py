"""Conversion of decoded frames to 8-bit sRGB by matrix, range, transfer characteristic and
primaries of the file.

Values of AVColorSpace, AVColorRange, AVColorTransferCharacteristic and AVColorPrimaries are those
of ITU-T H.273.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageFilter

if TYPE_CHECKING:
    import av

HD_LINES = 720
"""Number of lines from which a video without a stated matrix is BT.709, and below BT.601."""
UNSPECIFIED, BT709, BT601 = (0, 2, 3), 1, 5
"""Values of AVColorSpace: those without information, and the defaults."""
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""AVColorSpace -> matrix of swscale; BT.470 BG and SMPTE 170M are both BT.601, both kinds of
BT.2020 are one."""
PQ, HLG = 16, 18
"""Values of AVColorTransferCharacteristic: those of ITU-R BT.2100."""
BT2020, DCI_P3, DISPLAY_P3 = 9, 11, 12
"""Values of AVColorPrimaries: those wider than sRGB."""
WIDE = {
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    DCI_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    DISPLAY_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
"""x, y of red, green and blue; white is D65."""
WHITE = (0.3127, 0.3290)
PEAK, REFERENCE = 1000.0, 203.0
"""Peak luminance of the display assumed for HLG and PQ, and its reference white (ITU-R BT.2408),
which becomes the white of sRGB, cd/m²."""
STEPS = 33


def rgb(frame: av.VideoFrame, transfer: int, primaries: int) -> np.ndarray:
    """A frame as uint8 (H, W, 3), sRGB.

    Matrix and range are those stated by the frame, or their defaults. Wide primaries are converted
    to those of sRGB with clipping. High dynamic range (PQ, HLG) is rendered as on a display of 1000
    cd/m² whose reference white of 203 cd/m² becomes white: values below half of it are unchanged,
    highlights are compressed.

    Args:
        transfer: AVColorTransferCharacteristic
        primaries: AVColorPrimaries
    """
    space = int(frame.colorspace)
    if space in UNSPECIFIED:
        space = BT709 if min(frame.width, frame.height) >= HD_LINES else BT601
    matrix = MATRICES.get(space, BT601)  # RGB needs no matrix
    full = 2 if frame.format.name.startswith("yuvj") else int(frame.color_range) or 1
    converted = frame.reformat(
        format="rgb24",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=full,
        dst_color_range=2,
    )
    table = _table(transfer if transfer in (PQ, HLG) else 0, primaries if primaries in WIDE else 0)
    if table is None:
        return converted.to_ndarray()
    return np.asarray(converted.to_image().filter(table))


@functools.cache
def _table(transfer: int, primaries: int) -> ImageFilter.Color3DLUT | None:
    """Look-up table from R'G'B' to sRGB; None for the identity."""
    if not transfer and not primaries:
        return None
    return ImageFilter.Color3DLUT.generate(
        STEPS, lambda *signal: tuple(srgb(np.array(signal), transfer, primaries))
    )


def srgb(signal: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """R'G'B' (..., 3), 0..1, of a transfer characteristic and primaries, converted to sRGB, 0..1.

    Without high dynamic range the transfer curve is unchanged, as for all other videos: only the
    primaries are converted.
    """
    to_srgb = _matrix(WIDE[primaries or BT2020])
    if transfer:
        linear = np.clip(_compressed(_light(signal, transfer)) @ to_srgb.T / REFERENCE, 0, 1)
        # IEC 61966-2-1
        return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.clip(signal**2.4 @ to_srgb.T, 0, 1) ** (1 / 2.4)  # ITU-R BT.1886


def _light(signal: np.ndarray, transfer: int) -> np.ndarray:
    """Display luminance, cd/m², by ITU-R BT.2100, tables 4 and 5."""
    if transfer == PQ:
        return _pq_light(signal).clip(0, PEAK)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return PEAK * np.maximum(luminance, 1e-9)[..., None] ** 0.2 * scene


def _compressed(light: np.ndarray) -> np.ndarray:
    """Luminance of a display of `PEAK` mapped to one of `REFERENCE`, cd/m²: the curve of ITU-R
    BT.2390-10, section 5.4.1."""
    brightest = np.maximum(light.max(-1, keepdims=True), 1e-6)
    level, most = _pq_signal(brightest) / _pq_signal(PEAK), _pq_signal(REFERENCE) / _pq_signal(PEAK)
    knee = 1.5 * most - 0.5
    t = (level - knee) / (1 - knee)
    bent = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * most
    )
    shown = np.where(level < knee, level, bent)
    return light * _pq_light(shown * _pq_signal(PEAK)) / brightest


M1 = 2610 / 16384
M2 = 2523 / 4096 * 128
C1 = 3424 / 4096
C2 = 2413 / 4096 * 32
C3 = 2392 / 4096 * 32


def _pq_light(signal: np.ndarray) -> np.ndarray:
    """Electro-optical transfer function of PQ, cd/m²."""
    power = signal ** (1 / M2)
    return 10000 * (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)


def _pq_signal(light: np.ndarray | float) -> np.ndarray:
    """The inverse of `_pq_light`."""
    power = (np.asarray(light) / 10000) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2


def _matrix(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Matrix from linear RGB of some primaries to linear sRGB, both with white D65."""
    return np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(primaries)


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    x, y = WHITE
    return columns * np.linalg.solve(columns, np.array([x / y, 1, (1 - x - y) / y]))
