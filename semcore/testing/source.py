"""The laws of a source."""

from __future__ import annotations

from typing import Any

from semcore.interfaces import Source
from semcore.testing.law import Given, require
from semcore.types import Sample, heads


def use(source: Source, given: Given) -> Any:
    """All samples."""
    return list(source.samples())


def samples_have_names_of_their_own(source: Source, given: Given) -> None:
    """There are samples, all of them Samples, and no two with the same id."""
    samples = source.samples()
    require(len(samples) > 0, "it has no samples")
    require(
        all(isinstance(sample, Sample) for sample in samples),
        "it gives something that is not a Sample",
    )
    names = [sample.id for sample in samples]
    require(
        list(heads(samples)) == [(one.id, one.user) for one in samples],
        "samples are not those that it announced",
    )
    require(
        len(set(names)) == len(names), f"two samples have the id {max(names, key=names.count)!r}"
    )


def samples_have_content(source: Source, given: Given) -> None:
    """Every sample holds a picture, a video, sound or a text."""
    for sample in source.samples():
        held = any(
            part is not None for part in (sample.image, sample.video, sample.audio, sample.text)
        )
        require(held, f"sample {sample.id!r} holds nothing")


LAWS = (samples_have_names_of_their_own, samples_have_content)
