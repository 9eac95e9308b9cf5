"""Reading and writing pictures, clips and texts."""

from semcore.limits import (
    MAX_CLIP_FRAMES,
    MAX_DRAWN,
    MAX_FILE_BYTES,
    MAX_FRAMES,
    MAX_PIXELS,
    MAX_RECEIVED_PIXELS,
    MAX_SCANS,
    MAX_SEGMENTS,
    MAX_SEQUENCE_PIXELS,
)
from semcore.media.clips import mp4
from semcore.media.pictures import check_file, decode_picture, open_picture, read_picture, written
from semcore.media.texts import read_text

__all__ = [
    "MAX_CLIP_FRAMES",
    "MAX_DRAWN",
    "MAX_FILE_BYTES",
    "MAX_FRAMES",
    "MAX_PIXELS",
    "MAX_RECEIVED_PIXELS",
    "MAX_SCANS",
    "MAX_SEGMENTS",
    "MAX_SEQUENCE_PIXELS",
    "check_file",
    "decode_picture",
    "mp4",
    "open_picture",
    "read_picture",
    "read_text",
    "written",
]
