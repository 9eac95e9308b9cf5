"""The pictures of a folder."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from semcore import Sample, Source, SourceError
from semcore.media import written
from semcore_image.sources.files import SUFFIXES, folder, pictures_below, pixels_of
from semcore_image.sources.on_demand import Entry, on_demand
from semcore_image.sources.order import Count, taken

Side = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class ImageFolder(Source):
    """The pictures of a folder and its subfolders, sorted by path, read on demand.

    The id is the path below the folder without its suffix; the suffix is kept where two files
    differ only in it. The label is the name of the subfolder. Pictures are converted to 8-bit sRGB
    (by the embedded colour profile, if any), rotated according to EXIF, and transparent parts are
    put on white; of an animation the first frame is taken. The format is detected from the content,
    not from the name. Hidden files are skipped. Pictures with floating-point or 32-bit values are
    refused, since their black and white levels are unknown.

    Errors: SourceError, which `semcore check` finds, if the folder is missing or empty, or a
    picture cannot be read or exceeds 67 megapixels or 512 MiB.

    Fields:
        path: folder of .png .jpg .jpeg .jpe .jfif .webp .avif .heic .heif .bmp .gif .tif .tiff .ppm
            .pgm .pbm files
        limit: maximum number of pictures; null: all
        offset: number of pictures to skip first
        size: (height, width) that pictures are resized to, by a centre crop to the aspect ratio and
            Lanczos resampling; null: unchanged
        user: sender of the pictures; pictures of one user form a sequence and share a knowledge
            base
        on_error: what to do if a selected picture cannot be read: `stop`: refuse to run; `skip`:
            leave it out, and state the number in result and report
        shuffle: seed of a random order, before `offset` and `limit`; null: by path
    """

    test_settings = ({"path": "{folder}"},)

    path: str
    limit: Count | None = None
    offset: Count = 0
    size: tuple[Side, Side] | None = None
    user: str = ""
    on_error: Literal["stop", "skip"] = "stop"
    shuffle: Count | None = None

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        names = sorted(pictures_below(root))
        if not names:
            raise SourceError([f"{root} holds no pictures ({' '.join(sorted(SUFFIXES))})"])
        stems = Counter(name.with_suffix("") for name in names)
        entries = [
            Entry(
                written(
                    (name.with_suffix("") if stems[name.with_suffix("")] == 1 else name).as_posix()
                ),
                functools.partial(pixels_of, root / name, self.size),
                written(name.parent.name) or None,
                written(name.as_posix()),
            )
            for name in taken(names, self.limit, self.offset, self.shuffle)
        ]
        return on_demand(entries, self.user, root, self.on_error == "skip")
