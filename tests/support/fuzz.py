"""Throws hostile input at every decoder of bytes or symbols from a channel, in its own process.

    python fuzz.py codecs|transports SEED CASES

A case that raises stops it with a traceback that names the case. At the end it prints, as JSON, the
number of cases, the memory they took on top of what it had, and the longest case. Memory is
limited, so that a bomb cannot take all of it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from semcore import Bitstream, Codec, Picture, Received, Rng, Semantics, Text, Tokens, Transport
from semcore.limits import MAX_RECEIVED_PIXELS
from semcore.plugins import registry
from semcore.testing.hostile import bombs, damaged, grown_bytes

ROOM = 2 * 2**30
"""Address space that it may take on top of what its libraries have."""
CODECS: list[tuple[str, dict[str, Any]]] = [
    ("raw", {}), ("png", {}), ("jpeg", {}), ("jpeg", {"subsampling": "4:4:4", "optimise": False}),
    ("webp", {}), ("webp", {"lossless": True}), ("hevc", {}), ("hevc", {"chroma": "4:2:0"}),
]  # fmt: skip
TRANSPORTS: list[tuple[str, dict[str, Any]]] = [
    *(("ldpc", {"codec": name}) for name in ("raw", "png", "jpeg", "webp", "hevc")),
    ("ldpc", {"on_error": "erase"}),
    ("ldpc", {"modulation": "64qam", "rate": 8 / 9}),
    ("ldpc", {"rate": 1 / 5}),
    ("analog", {}),
    ("analog", {"repetition": 3, "mmse": False}),
]
SIZES = ((1, 1), (33, 7), (64, 48))


def component(kind: str, name: str, settings: dict[str, Any]) -> Any:
    if "codec" in settings:
        settings = {**settings, "codec": component("codec", settings["codec"], {})}
    return registry.load(kind, name)(**settings)


def picture(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Noise, a flat picture, or a gradient."""
    kind, (height, width) = rng.integers(3), size
    if kind == 0:
        return rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:height, :width]
    planes = np.stack([rows * 3, columns * 3, rows + columns], -1) * (kind - 1)
    return (planes % 256).astype(np.uint8)


def hostile_bytes(rng: np.random.Generator, valid: list[bytes]) -> bytes:
    """Random bytes, random bytes behind a true beginning, a damaged file, or two files in one."""
    one, other = (valid[rng.integers(len(valid))] for _ in range(2))
    cut = int(rng.integers(len(one) + 1))
    match rng.integers(8):
        case 0:
            return rng.bytes(int(rng.integers(400)))
        case 1:
            return one[: min(cut, 60)] + rng.bytes(int(rng.integers(400)))
        case 2:
            return one[:cut] + other[int(rng.integers(len(other) + 1)) :]
    for _ in range(rng.integers(1, 5)):
        one = damaged(one, rng)
    return one


# ------------------------------------------------------------------------------------------- codecs


def codecs(rng: np.random.Generator, cases: int) -> Iterator[str]:
    """Give each codec damaged files, files of the other codecs, bombs, and the largest pictures."""
    made: list[Codec] = [component("codec", *one) for one in CODECS]
    files = {
        codec: [codec.encode(picture(rng, size)) for size in SIZES for _ in range(3)]
        for codec in made
    }
    everything = [data for some in files.values() for data in some]
    thrown = {**bombs(), **largest()}
    for codec in made:
        for name, data in thrown.items():
            for size in (None, (8, 8)):
                yield f"{codec} {name} {size}"
                decode(codec, data, size)
        for number in range(cases):
            data = hostile_bytes(rng, files[codec] if rng.integers(8) else everything)
            size = (None, (33, 7), (8, 8))[rng.integers(3)]
            yield f"{codec} case {number} {size} {data[:200]!r}"
            decode(codec, data, size)


def largest() -> dict[str, bytes]:
    """Small files of the largest picture that is decoded: what one stream can cost."""
    from io import BytesIO

    from PIL import Image

    side, made = int(MAX_RECEIVED_PIXELS**0.5), {}
    for name, mode, settings in (
        ("PNG", "I;16", {}),
        ("PNG", "LA", {}),
        ("JPEG", "CMYK", {"progressive": True}),
    ):
        file = BytesIO()
        Image.new(mode, (side, side)).save(file, name, **settings)
        made[f"largest {name} of mode {mode}"] = file.getvalue()
    return made


def decode(codec: Codec, data: bytes, size: tuple[int, int] | None) -> None:
    got = codec.decode(data, size)
    if got is not None:
        assert got.dtype == np.uint8 and got.ndim == 3 and got.shape[2] == 3, got.shape
        assert (
            got.shape[:2] == size if size else got.shape[0] * got.shape[1] <= MAX_RECEIVED_PIXELS
        ), got.shape


# --------------------------------------------------------------------------------------- transports


def transports(rng: np.random.Generator, cases: int) -> Iterator[str]:
    """Give each transport noise, damaged and absurd symbols, and valid frames of hostile bytes."""
    for name, settings in TRANSPORTS:
        transport: Transport = component("transport", name, settings)
        batch = [Semantics("nothing")] + [
            Semantics(f"{name} {index}", {"x": stream}, "anna")
            for index, stream in enumerate(streams(rng, transport))
        ]
        sent = transport.send(batch, Rng(1))
        for number in range(cases):
            yield f"{transport} case {number}"
            check(batch, transport.receive(disturbed(rng, sent)))
        if not transport.incompatibility(Picture) and not transport.incompatibility(Bitstream):
            for number in range(cases):
                yield f"{transport} picture {number}"
                check(batch, transport.receive(smuggled(rng, transport, batch)))


def streams(rng: np.random.Generator, transport: Transport) -> list[Any]:
    from semcore import Features

    every = (
        Text("a caption ä 鳥"),
        Text(""),
        Bitstream(rng.bytes(150)),
        Tokens(rng.integers(0, 41, 30), 41),
        Picture(picture(rng, (16, 12))),
        Features(rng.standard_normal((4, 5)).astype(np.float32)),
    )
    return [stream for stream in every if not transport.incompatibility(type(stream))]


def disturbed(rng: np.random.Generator, sent: Any) -> Received:
    """Sent symbols, and reported noise, partly replaced by anything."""
    import torch

    shape = tuple(sent.values.shape)
    strange = np.array([0, 1, 1e-30, 1e30, np.inf, -np.inf, np.nan], np.float32)
    noise = (rng.standard_normal((*shape, 2)) * 10 ** rng.uniform(-3, 3)).astype(np.float32)
    values = (
        np.stack([sent.values.real.numpy(), sent.values.imag.numpy()], -1) * rng.integers(2) + noise
    )
    variance = np.full(shape, 10 ** rng.uniform(-12, 12), np.float32) * np.float32(
        rng.choice([1, 1, 1, -1])
    )
    if rng.integers(2):
        hit = rng.random(values.shape) < rng.choice([0.01, 1])
        values[hit] = rng.choice(strange, int(hit.sum()))
    if rng.integers(2):
        hit = rng.random(shape) < rng.choice([0.01, 1])
        variance[hit] = rng.choice(strange, int(hit.sum()))
    symbols = torch.view_as_complex(torch.from_numpy(np.ascontiguousarray(values, np.float32)))
    return sent.received(symbols, torch.from_numpy(variance))


def smuggled(rng: np.random.Generator, transport: Any, batch: list[Semantics]) -> Received:
    """A valid frame of hostile bytes, with a right check, for a picture of as many channel uses."""
    (place,) = [
        index for index, one in enumerate(batch) if isinstance(one.streams.get("x"), Picture)
    ]
    pixels = batch[place].streams["x"].pixels  # type: ignore[union-attr]
    good = transport.codec.encode(pixels)
    data = hostile_bytes(rng, [good])[: len(good)].ljust(len(good), b"\0")
    granted = transport.send(batch, Rng(1))
    forged = transport.send(
        [
            *batch[:place],
            replace(batch[place], streams={"x": Bitstream(data)}),
            *batch[place + 1 :],
        ],
        Rng(1),
    )
    return replace(granted, values=forged.values).received(forged.values, 1e-6)


def check(batch: list[Semantics], arrived: list[Semantics]) -> None:
    assert [(one.key, one.user) for one in arrived] == [(one.key, one.user) for one in batch]
    for sent, got in zip(batch, arrived, strict=True):
        assert got.streams.keys() <= sent.streams.keys()
        for name, stream in got.streams.items():
            assert (
                type(stream) is type(sent.streams[name]) and stream.form == sent.streams[name].form
            )
            assert np.isfinite(getattr(stream, "values", 0)).all()


def main(what: str, seed: str, cases: str) -> None:
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "passive"
    )  # spinning threads slow a busy machine down tenfold
    run = {"codecs": codecs, "transports": transports}[what](
        np.random.default_rng(int(seed)), int(cases)
    )
    case, count, longest, slowest = next(run), 1, 0.0, ""  # by now it has loaded its libraries
    room = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    began = since = time.perf_counter()

    def all_cases() -> None:
        nonlocal case, since, count, longest, slowest
        for following in run:
            now = time.perf_counter()
            if now - since > longest:
                longest, slowest = now - since, case
            case, since, count = following, now, count + 1

    try:
        grown = grown_bytes(all_cases)
    except Exception as error:
        raise SystemExit(f"{case}: {type(error).__name__}: {error}") from error
    print(json.dumps({"cases": count, "grown_mb": grown // 10**6, "longest_s": round(longest, 2),
                      "seconds": round(time.perf_counter() - began, 1),
                      "longest": slowest[:120]}))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
