"""Picture files: the one place that opens and decodes them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from semcore.limits import MAX_FILE_BYTES, MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image

SMALL = 96
"""Side in pixels up to which a picture is shown with its pixels visible."""


def check_file(path: Path) -> None:
    """Refuse a file that is too large before it is read.

    Raises:
        OSError: it is, or it is not there
    """
    size = os.stat(path).st_size
    if size > MAX_FILE_BYTES:
        raise OSError(f"it has {size:,} bytes, and at most {MAX_FILE_BYTES:,} are read")


def written(name: str) -> str:
    """The name of a file as a text that can be written down: what is no UTF-8 in it becomes U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def open_picture(file: IO[bytes] | Path, formats: Sequence[str], max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Open a picture without decoding it.

    Args:
        file: path or binary file
        formats: Pillow's names of the formats that may be tried
        max_pixels: largest width times height

    Raises:
        OSError: it is not a picture of these formats, or one that is too large; Pillow raises other exceptions too when a
            file is malformed on purpose
    """
    from PIL import Image

    if isinstance(file, Path):
        check_file(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(file, formats=list(formats))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise OSError(f"it claims far more than the {max_pixels:,} pixels that are read") from None
    width, height = opened.size
    if not 0 < width * height <= max_pixels:
        opened.close()
        raise OSError(f"it claims {width}×{height} pixels, and at most {max_pixels:,} are read")
    return opened


def decode_picture(opened: Image.Image) -> Image.Image:
    """An opened picture (of an animation, the frame it stands at) as 8-bit RGB, upright, its transparent parts on white."""
    import numpy as np
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(opened)
    if picture.mode.startswith("I"):  # 16 bits a pixel, which convert("RGB") would clip
        picture = Image.fromarray((np.asarray(picture).clip(0, 65535) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def read_picture(file: IO[bytes] | Path, formats: Sequence[str], max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Open and decode a picture, of an animation the first frame; see `open_picture` and `decode_picture`."""
    with open_picture(file, formats, max_pixels) as opened:
        return decode_picture(opened)
