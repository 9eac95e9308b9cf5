"""Pictures that are read on demand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semcore import OnDemand, Sample, SourceError, digest


@dataclass(frozen=True)
class Entry:
    """A picture that is read on demand.

    Fields:
        id: of the sample
        read: returns its pixels, uint8 (H, W, 3), or raises OSError with the reason
        label: its class
        name: path of the file below the folder of the source, for messages
    """

    id: str
    read: Callable[[], np.ndarray]
    label: str | None
    name: str = ""


def on_demand(entries: Sequence[Entry], user: str, root: Path, skip: bool = False) -> OnDemand:
    """Samples whose pictures are read on demand. Each is read once here, so that errors are found
    before a run.

    Args:
        user: sender of the pictures
        root: folder of the source
        skip: whether to leave out (and count) pictures that cannot be read

    Raises:
        SourceError: pictures cannot be read, and `skip` is off or none can be read; the error names
            all of them
    """
    kept, digests, wrong = list[Entry](), list[str](), list[tuple[str, str]]()

    def sample(entry: Entry) -> Sample:
        return Sample(entry.id, user, image=entry.read(), label=entry.label)

    for entry in entries:
        try:
            digests.append(digest(sample(entry)))
            kept.append(entry)
        except OSError as error:
            wrong.append((entry.name, str(error)))
    if wrong and not (skip and kept):
        reasons = [f"the picture {root / name} cannot be read: {reason}" for name, reason in wrong]
        raise SourceError(
            reasons,
            hint="repair or remove it" if skip else "repair or remove it, or set on_error: skip",
        )
    return OnDemand(
        [(entry.id, user) for entry in kept], lambda at: sample(kept[at]), digests, wrong
    )
