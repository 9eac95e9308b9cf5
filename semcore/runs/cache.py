"""Caches of encoder, generator and selector, keyed by the digest of their inputs.

A sweep over the channel therefore encodes each picture once, and generates again only where
something else arrived.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from semcore import steps
from semcore.component.base import Component
from semcore.component.digest import digest
from semcore.fingerprint.content import user_cache_folder
from semcore.interfaces import Generator, Selector, SemanticEncoder
from semcore.link.expect import expect_each
from semcore.link.pipeline import Pipeline
from semcore.link.pseudonyms import is_genie, named_candidates, named_samples
from semcore.rng import Rng
from semcore.runs import files
from semcore.runs.files import RefusedFile
from semcore.runs.packing import pack, unpack
from semcore.steps import StageDone
from semcore.storage import stamped, unstamped, write
from semcore.tensors import device
from semcore.types import Candidates, KnowledgeBase, Sample, Semantics, Stream
from semcore.wording.redaction import redact

T = TypeVar("T")


@dataclass(frozen=True)
class Cache:
    """A folder of stored values by digest.

    Fields:
        folder: where they are kept
        on_stage: called after each stage
    """

    folder: Path
    on_stage: Callable[[StageDone], None] = lambda done: None

    def get(self, key: str) -> Any:
        """The stored value, or None; a damaged file counts as none."""
        try:
            return unpack(unstamped(files.read(self.folder, self._name(key))))
        except (OSError, ValueError, RefusedFile):
            return None

    def put(self, key: str, value: Any) -> None:
        """Store a value, unless it cannot be stored or holds a secret."""
        packed = pack(value)
        if redact(packed) == packed:
            with contextlib.suppress(OSError, RefusedFile):
                write(files.beneath(self.folder, self._name(key)), stamped(packed), durable=False)

    def _name(self, key: str) -> str:
        # values of a GPU differ by rounding, and a cell must not mix them with those of the CPU
        place = device().type
        return f"{'' if place == 'cpu' else f'{place}/'}{key[:2]}/{key[2:]}.npz"

    def each(
        self, stage: str, keys: Sequence[str], compute: Callable[[list[int]], Sequence[T]]
    ) -> list[T]:
        """One value per key; `compute` computes those of the missing indices in one batch."""
        started = time.perf_counter()
        found: list[Any] = [self.get(key) for key in keys]
        missing = [index for index, value in enumerate(found) if value is None]
        if missing:
            with steps.stage(stage, len(missing)):
                made = compute(missing)
            for index, value in zip(missing, made, strict=True):
                self.put(keys[index], value)
                found[index] = value
        self.on_stage(
            StageDone(stage, len(missing), len(keys) - len(missing), time.perf_counter() - started)
        )
        return found


def user_cache() -> Cache:
    """The cache across runs, `$SEMCORE_SHELF` or that of the user: candidates and features."""
    return Cache(user_cache_folder())


def cached(pipeline: Pipeline, cache: Cache) -> Pipeline:
    """The same pipeline with its costly stages behind the cache."""
    return replace(
        pipeline,
        encoder=CachedEncoder(pipeline.encoder, cache),
        generator=CachedGenerator(pipeline.generator, cache),
        selector=CachedSelector(pipeline.selector, cache) if pipeline.selector else None,
    )


class _Unchecked:
    """A wrapper holds what is already checked."""

    def __post_init__(self) -> None:
        pass


@dataclass(frozen=True)
class CachedEncoder(_Unchecked, SemanticEncoder):
    """An encoder that encodes each sample once."""

    inner: SemanticEncoder
    cache: Cache

    @property
    def streams(self) -> Mapping[str, type[Stream]]:
        """Those of the encoder inside."""
        return self.inner.streams

    def encode(self, samples: Sequence[Sample], kb: KnowledgeBase) -> list[Semantics]:
        """As the encoder inside."""
        keys = [digest("encode", self.inner, sample, kb.of(sample.user)) for sample in samples]
        return self.cache.each(
            "encode", keys, lambda at: self.inner.encode([samples[i] for i in at], kb)
        )


@dataclass(frozen=True)
class CachedGenerator(_Unchecked, Generator):
    """A generator that generates once for what arrived."""

    inner: Generator
    cache: Cache

    def generate(self, batch: Sequence[Semantics], kb: KnowledgeBase, rng: Rng) -> list[Candidates]:
        """As the generator inside."""
        if self.inner.caches_itself:
            with steps.stage("generate", len(batch)):
                return self.inner.generate(batch, kb, rng)
        kept = _kept(self.inner, batch)
        keys = [
            digest("generate", self.inner, what, kb.of(one.user), rng.at(one.key).integer())
            for one, what in zip(batch, kept, strict=True)
        ]

        def generate(at: list[int]) -> list[Candidates]:
            made = self.inner.generate([batch[i] for i in at], kb, rng)
            return named_candidates(
                expect_each(self.inner, made, Candidates, at), [kept[i] for i in at]
            )

        return named_candidates(self.cache.each("generate", keys, generate), batch)


@dataclass(frozen=True)
class CachedSelector(_Unchecked, Selector):
    """A selector that chooses once among the same candidates."""

    inner: Selector
    cache: Cache

    def select(
        self, candidates: Sequence[Candidates], batch: Sequence[Semantics], kb: KnowledgeBase
    ) -> list[Sample]:
        """As the selector inside."""
        kept = _kept(self.inner, batch)
        keys = [
            digest("select", self.inner, some.origin or some, what, kb.of(one.user))
            for some, one, what in zip(named_candidates(candidates, kept), batch, kept, strict=True)
        ]

        def select(at: list[int]) -> list[Sample]:
            chosen = self.inner.select([candidates[i] for i in at], [batch[i] for i in at], kb)
            return named_samples(expect_each(self.inner, chosen, Sample, at), [kept[i] for i in at])

        return named_samples(self.cache.each("select", keys, select), batch)


def _kept(component: Component, batch: Sequence[Semantics]) -> Sequence[Semantics]:
    """A batch as cache key: without pseudonyms, which differ each time."""
    return batch if is_genie(component) else [replace(one, key="", user="") for one in batch]
