"""Text files as people save them."""

from __future__ import annotations

import codecs
from pathlib import Path

from semcore.errors import ComponentError


def read_text(place: Path) -> str:
    """The text of a file in UTF-8, or UTF-16 with a byte-order mark; the mark is not part of the
    text.

    Raises:
        ComponentError: it cannot be read, or its bytes are not text in these encodings (UTF-32, and
            UTF-16 without a mark, are full of zeros); the first wrong byte is named
    """
    try:
        data = place.read_bytes()
    except OSError as error:
        raise ComponentError(f"{place} cannot be read: {error.strerror or error}") from error
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise ComponentError(f"{place} is not UTF-8 text: it is UTF-32; save the file as UTF-8")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start + (len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0)
        line = data[:at].count(b"\n") + 1
        raise ComponentError(
            f"{place} is not UTF-8 text: byte 0x{data[at]:02X} at position {at} (line "
            f"{line}); save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ComponentError(
            f"{place} is not UTF-8 text: a character is zero (line {line}); save the file as UTF-8"
        )
    return text
