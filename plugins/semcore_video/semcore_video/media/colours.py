"""Colours of decoded frames as 8-bit sRGB: matrix, range, transfer characteristic and primaries, as
the file names them.

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
"""Lines from which a video that does not name its matrix is taken for BT.709, and below for
BT.601."""
UNSPECIFIED, BT709, BT601 = (0, 2, 3), 1, 5
"""Of AVColorSpace: values that say nothing, and what they stand for."""
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""AVColorSpace -> swscale's matrix; BT.470 BG and SMPTE 170M are both BT.601, both kinds of
BT.2020 are one."""
PQ, HLG = 16, 18
"""Of AVColorTransferCharacteristic: the two of ITU-R BT.2100."""
BT2020, DCI_P3, DISPLAY_P3 = 9, 11, 12
"""Of AVColorPrimaries: those that are wider than sRGB's."""
WIDE = {
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    DCI_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    DISPLAY_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
"""x, y of red, green and blue; white is D65."""
WHITE = (0.3127, 0.3290)
PEAK, REFERENCE = 1000.0, 203.0
"""cd/m²: the display that HLG and PQ are shown on, and its reference white (ITU-R BT.2408), which
becomes sRGB's white."""
STEPS = 33


def rgb(frame: av.VideoFrame, transfer: int, primaries: int) -> np.ndarray:
    """A frame as uint8 (H, W, 3), sRGB.

    By the matrix and the range that the frame names, and what is usual where it names none. Wide
    primaries are brought to sRGB's, colours outside are clipped. High dynamic range (PQ, HLG) is
    shown as on a display of 1000 cd/m², whose reference white of 203 cd/m² becomes white: what is
    darker than half of it stays as it is, highlights are compressed.

    Args:
        transfer: AVColorTransferCharacteristic
        primaries: AVColorPrimaries
    """
    space = int(frame.colorspace)
    if space in UNSPECIFIED:
        space = BT709 if min(frame.width, frame.height) >= HD_LINES else BT601
    matrix = MATRICES.get(space, BT601)  # of RGB itself none is asked for
    full = 2 if frame.format.name.startswith("yuvj") else int(frame.color_range) or 1
    made = frame.reformat(
        format="rgb24",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=full,
        dst_color_range=2,
    )
    table = _table(transfer if transfer in (PQ, HLG) else 0, primaries if primaries in WIDE else 0)
    return made.to_ndarray() if table is None else np.asarray(made.to_image().filter(table))


@functools.cache
def _table(transfer: int, primaries: int) -> ImageFilter.Color3DLUT | None:
    """What brings R'G'B' to sRGB; None if nothing is to be done."""
    if not transfer and not primaries:
        return None
    return ImageFilter.Color3DLUT.generate(
        STEPS, lambda *signal: tuple(srgb(np.array(signal), transfer, primaries))
    )


def srgb(signal: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """R'G'B' (..., 3), 0..1, of a transfer characteristic and of primaries, as those of sRGB, 0..1.

    Without high dynamic range the curve stays as it is, as for all other videos: only the primaries
    change.
    """
    to_srgb = _matrix(WIDE[primaries or BT2020])
    if transfer:
        linear = np.clip(_compressed(_light(signal, transfer)) @ to_srgb.T / REFERENCE, 0, 1)
        return np.where(
            linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
        )  # IEC 61966-2-1
    return np.clip(signal**2.4 @ to_srgb.T, 0, 1) ** (1 / 2.4)  # ITU-R BT.1886


def _light(signal: np.ndarray, transfer: int) -> np.ndarray:
    """The light of a display, cd/m², by ITU-R BT.2100, tables 4 and 5."""
    if transfer == PQ:
        return _pq_light(signal).clip(0, PEAK)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return PEAK * np.maximum(luminance, 1e-9)[..., None] ** 0.2 * scene


def _compressed(light: np.ndarray) -> np.ndarray:
    """Light of a display of `PEAK` on one of `REFERENCE`, cd/m²: the curve of ITU-R BT.2390-10,
    section 5.4.1."""
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


M1, M2, C1, C2, C3 = (
    2610 / 16384,
    2523 / 4096 * 128,
    3424 / 4096,
    2413 / 4096 * 32,
    2392 / 4096 * 32,
)


def _pq_light(signal: np.ndarray) -> np.ndarray:
    """PQ's electro-optical transfer function, cd/m²."""
    power = signal ** (1 / M2)
    return 10000 * (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)


def _pq_signal(light: np.ndarray | float) -> np.ndarray:
    """Its inverse."""
    power = (np.asarray(light) / 10000) ** M1
    return ((C1 + C2 * power) / (1 + C3 * power)) ** M2


def _matrix(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """From linear RGB of some primaries to sRGB's, both with white D65."""
    return np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(primaries)


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    x, y = WHITE
    return columns * np.linalg.solve(columns, np.array([x / y, 1, (1 - x - y) / y]))
