"""Picture files: the one place that opens and decodes them."""

from __future__ import annotations

import functools
import io
import mmap
import os
import re
import stat
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from semcore.limits import MAX_FILE_BYTES, MAX_PIXELS, MAX_SCANS, MAX_SEGMENTS

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageCms import ImageCmsTransform

SMALL = 96
"""Side in pixels up to which a picture is shown with its pixels visible."""
SAME = 2
"""Steps of 255 by which the values of two profiles of the same space may differ."""


def check_file(path: Path) -> None:
    """Refuse a file that is too large before it is read, or not a regular file: a pipe would block.

    Raises:
        OSError: it is, or it is not there
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(
            "it is a folder"
            if stat.S_ISDIR(found.st_mode)
            else "it is not a file but a pipe, a socket or a device"
        )
    if found.st_size == 0:
        raise OSError("it is empty")
    if found.st_size > MAX_FILE_BYTES:
        raise OSError(f"it has {found.st_size:,} bytes, and at most {MAX_FILE_BYTES:,} are read")


def written(name: str) -> str:
    """The name of a file as printable text: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


def open_picture(
    file: IO[bytes] | Path, formats: Sequence[str], max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Open a picture without decoding it.

    Args:
        file: path or binary file
        formats: Pillow's names of the formats that may be tried
        max_pixels: largest width times height

    Raises:
        OSError: it is not a picture of these formats, or one that is too large; Pillow raises other
            exceptions too when a file is malformed on purpose
    """
    from PIL import Image, UnidentifiedImageError

    if isinstance(file, Path):
        check_file(file)
        with (
            open(file, "rb") as content,
            mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            _check_jpeg(data)
    else:
        _check_jpeg(file.getvalue() if isinstance(file, io.BytesIO) else b"")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(file, formats=list(formats))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise OSError(f"it claims far more than the {max_pixels:,} pixels that are read") from None
    except UnidentifiedImageError:
        if _is_tiff(file):
            raise OSError(
                "its values are of "
                "a kind that is not "
                "read "
                "(floating-point "
                "colours, for "
                "example), or "
                "it is damaged: "
                f"{_CONVERT}"
            ) from None
        raise OSError(
            f"it is not a picture, or a damaged one, in any of the formats {', '.join(formats)}"
        ) from None
    width, height = opened.size
    if not 0 < width * height <= max_pixels:
        opened.close()
        raise OSError(f"it claims {width}×{height} pixels, and at most {max_pixels:,} are read")
    return opened


_CONVERT = "convert it to 8 or 16 bits per value"


def _is_tiff(file: IO[bytes] | Path) -> bool:
    """Whether a file begins as TIFF 6.0 and BigTIFF do."""
    if isinstance(file, Path):
        with open(file, "rb") as content:
            return _is_tiff(content)
    file.seek(0)
    return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Of a JPEG: ITU-T T.81, table B.1, without what stands in coded data."""


def _check_jpeg(data: bytes | mmap.mmap) -> None:
    """Refuse a JPEG whose metadata take longer to read than any picture, or that has too many
    scans.

    Raises:
        OSError: it has more than `MAX_SEGMENTS` segments, or more than `MAX_SCANS` scans
    """
    at, scans = 2, 0
    if data[:2] != b"\xff\xd8":
        return
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if not scans and (found.start() if found else len(data)) - at > MAX_SEGMENTS:
            break  # fill bytes, which Pillow reads one by one
        # the end; what is malformed is the decoder's matter
        if found is None or found[0] == b"\xff\xd9":
            return
        if found[0] == b"\xff\xda":
            scans += 1
            if scans > MAX_SCANS:
                raise OSError(
                    f"it has more than {MAX_SCANS} scans, each of which goes over the whole picture"
                )
        at = found.end() + (
            0
            if found[0] in (b"\xff\xd8", b"\xff\x01")
            else int.from_bytes(data[found.end() : found.end() + 2], "big")
        )
    raise OSError(
        f"it has more than {MAX_SEGMENTS:,} segments or fill bytes, which no camera writes"
    )


def decode_picture(opened: Image.Image) -> Image.Image:
    """An opened picture (of an animation, the frame it stands at) as 8-bit sRGB, upright, its
    transparent parts on white.

    An embedded colour profile is applied; without one, values are taken to be sRGB. 16-bit values
    keep their upper 8 bits.

    Raises:
        OSError: nothing says which of its values are black and white, or its profile cannot be
            obeyed; Pillow raises other exceptions too when a file is malformed on purpose
    """
    import numpy as np
    from PIL import Image, ImageOps

    if reason := _without_range(opened):
        raise OSError(reason)
    sixteen = any("16" in str(tile[-1]) for tile in getattr(opened, "tile", ()))
    clear = opened.info.get("transparency")
    picture, profile = ImageOps.exif_transpose(opened), opened.info.get("icc_profile")
    _check_depth(opened, picture)
    opacity = None
    if picture.mode.startswith("I"):  # 16 bits a pixel, which convert("RGB") would clip
        values = np.asarray(picture).clip(0, 65535)
        picture = Image.fromarray((values >> 8).astype(np.uint8))
        if isinstance(clear, int):
            opacity = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
    elif sixteen and isinstance(clear, tuple):  # of colours, Pillow keeps the upper 8 bits
        picture.info["transparency"] = tuple(value >> 8 for value in clear)
    grey = picture.mode in ("1", "L", "LA", "La")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        opacity = picture.getchannel("A")
    if profile:
        picture = as_srgb(picture.convert("L") if grey else picture, profile)
    picture = picture.convert("RGB")
    if opacity is not None:
        picture.putalpha(opacity)
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert(
            "RGB"
        )
    return picture


def _without_range(opened: Image.Image) -> str:
    """Why black and white are undefined for the values of a picture, or ""."""
    tags = getattr(opened, "tag_v2", {})
    if opened.mode == "F":
        return (
            "its values are floating-point numbers, and nothing says which of them are black "
            f"and white: {_CONVERT}"
        )
    if opened.mode == "I" and opened.format not in ("PNG", "PPM"):  # those two hold 16 bits
        return (
            "its values have 32 bits or a sign, and nothing says which of them are black and "
            f"white: {_CONVERT}"
        )
    if _SIGNED in tags.get(_SAMPLE_FORMAT, ()):
        return (
            "its values have a sign, and nothing says which of them are black and white: "
            f"{_CONVERT} without one"
        )
    if opened.mode.startswith("I;16") and tags.get(_PHOTOMETRIC) == 0:
        return f"its values have 16 bits, of which 0 is white: {_CONVERT}, of which 0 is black"
    return ""


def _check_depth(opened: Image.Image, decoded: Image.Image) -> None:
    """Refuse values of 10 or 12 bits in a TIFF of 16, as cameras and microscopes write them: they
    would be nearly black.

    Raises:
        OSError: there are values other than 0, and none reaches a sixteenth of the full scale
    """
    if 16 not in getattr(opened, "tag_v2", {}).get(_BITS, ()):
        return
    import numpy as np

    sixteen = decoded.mode.startswith("I")  # of colours, Pillow keeps the upper 8 bits
    colours = decoded if sixteen else decoded.convert("RGB")
    found = np.asarray(colours).max()
    if 0 < found < (1 << 12 if sixteen else 1 << 4):
        raise OSError(
            "its values have 16 bits, and none reaches a sixteenth of the full scale: "
            "nothing says whether they are dark "
            "or of 12 bits or fewer: convert it to 8 bits per value"
        )


_PHOTOMETRIC, _BITS, _SAMPLE_FORMAT = 262, 258, 339
"""Tags of a TIFF: what its values stand for, how many bits they have, and whether they have a
sign."""
_SIGNED = 2
"""Of `_SAMPLE_FORMAT`: values in two's complement."""


def as_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """A picture whose values are to be read by an ICC profile, as sRGB, 8-bit RGB.

    Args:
        profile: the content of the embedded profile

    Raises:
        OSError: the profile is damaged, or is not for pixels of this kind
    """
    from PIL import ImageCms

    try:
        space = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space, "")
        fits = (
            picture.mode == mode
            if mode in ("L", "CMYK")
            else mode == "RGB" and picture.mode != "CMYK"
        )
        transform = _to_srgb(profile, mode) if fits else None
    except (OSError, ImageCms.PyCMSError) as error:
        raise OSError(
            f"its colour profile cannot be obeyed: {error}; remove the profile"
        ) from error
    if not fits:
        raise OSError(
            f"its colour profile is for {space}, and its pixels are {picture.mode}; "
            "remove the profile"
        )
    converted = picture.convert(mode)
    return converted if transform is None else transform.apply(converted)


@functools.lru_cache(maxsize=16)
def _to_srgb(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """The transform of pixels of `mode` from a profile to sRGB; None if it changes nothing but the
    rounding."""
    import numpy as np
    from PIL import Image, ImageCms

    # Of one channel the optimised transform is a table of 33 steps, far from a linear curve in the
    # dark.
    flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.HIGHRESPRECALC
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(source, target, mode, "RGB", flags=flags)
    if mode == "RGB":  # sRGB itself has many profiles, each of its own roundings
        steps = np.linspace(0, 255, 18).round().astype(np.uint8)
        colours = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(18, -1, 3)
        changed = np.asarray(transform.apply(Image.fromarray(colours)))
        if np.abs(changed.astype(int) - colours).max() <= SAME:
            return None
    return transform


def read_picture(
    file: IO[bytes] | Path, formats: Sequence[str], max_pixels: int = MAX_PIXELS
) -> Image.Image:
    """Open and decode a picture, of an animation the first frame; see `open_picture` and
    `decode_picture`."""
    with open_picture(file, formats, max_pixels) as opened:
        return decode_picture(opened)
