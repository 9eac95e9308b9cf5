"""The pictures of a folder."""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from semcore import Sample, Source
from semcore.errors import SourceError
from semcore.media.pictures import written
from semcore_image.sources.files import SUFFIXES, folder, pictures_below, pixels_of
from semcore_image.sources.on_demand import Entry, on_demand

Side = Annotated[int, Ge(1)]
Count = Annotated[int, Ge(0)]


@dataclass(frozen=True)
class ImageFolder(Source):
    """The pictures of a folder and its subfolders, sorted by path, each read when it is needed.

    The id is the path below the folder without its suffix; where two files differ in nothing but the suffix,
    it is kept. The label is the name of the subfolder that a picture lies in. Pictures become 8-bit sRGB, by
    their embedded colour profile if they have one, upright as their EXIF data says, their transparent parts on
    white; of an animation the first frame is taken. The content of a file says what it is, not its name. Hidden
    files are left out. A picture whose values are floating-point numbers or 32-bit ones cannot be read: nothing
    says which of them are black and white.

    Errors: SourceError, which `semcore check` finds, if the folder is missing or empty, or if a picture cannot be
    read or is larger than 67 megapixels or 512 MiB.

    Fields:
        path: folder of .png .jpg .jpeg .jpe .jfif .webp .avif .heic .heif .bmp .gif .tif .tiff .ppm .pgm .pbm files
        limit: take at most this many; null: all
        offset: leave out this many first
        size: (height, width) that each picture is brought to, by a centred crop to the aspect and Lanczos
            resampling;
            null: as they are
        user: who sends them; the pictures of one user are a sequence and share a knowledge base
        on_error: what becomes of a picture that cannot be read, after `limit` and `offset` have chosen: `stop`,
            nothing is run; `skip`, it is left out, and result and report say how many were
    """

    test_settings = ({"path": "{folder}"},)

    path: str
    limit: Count | None = None
    offset: Count = 0
    size: tuple[Side, Side] | None = None
    user: str = ""
    on_error: Literal["stop", "skip"] = "stop"

    def samples(self) -> Sequence[Sample]:
        root = folder(self.path)
        names = sorted(pictures_below(root))
        if not names:
            raise SourceError([f"{root} holds no pictures ({' '.join(sorted(SUFFIXES))})"])
        stems = Counter(name.with_suffix("") for name in names)
        chosen = itertools.islice(names, self.offset, None if self.limit is None else self.offset + self.limit)
        entries = [
            Entry(
                written((name.with_suffix("") if stems[name.with_suffix("")] == 1 else name).as_posix()),
                functools.partial(pixels_of, root / name, self.size),
                written(name.parent.name) or None,
                written(name.as_posix()),
            )
            for name in chosen
        ]
        return on_demand(entries, self.user, root, self.on_error == "skip")
