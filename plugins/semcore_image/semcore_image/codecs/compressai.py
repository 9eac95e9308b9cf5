"""Learned codecs of CompressAI."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from semcore import Codec, ComponentError, RunError, extra
from semcore.media import MAX_RECEIVED_PIXELS

NEEDS = "the codec compressai needs CompressAI"
CHECKSUM = 4
"""Bytes of CRC-32 over all that follows."""
MULTIPLE = 64
"""Sides that the networks take are multiples of it."""
HEAD = struct.Struct(">HHB")
"""After it: height, width, number of strings; then the length of each but the last, 4 bytes."""


@dataclass(frozen=True)
class CompressAI(Codec):
    """A learned picture codec of CompressAI's zoo, by its name.

    The bytes are the entropy-coded strings of the network, after 9 bytes with a checksum and the
    size of the picture, and 4 for the length of each string but the last. A file with any error is
    lost: CompressAI's decoder may end the process on damaged bytes, so they do not reach it.
    Pictures are padded with their border to multiples of 64. Entropy coding of the autoregressive
    models (mbt2018, cheng2020) is exact only between equal machines.

    Errors: RunError if CompressAI or the weights are not on this machine.

    Fields:
        weights: a .safetensors file with the state of the network, which has its size, rate and
            training; docs/libraries.md says how to make one of the zoo's
        name: architecture
    """

    reference: ClassVar[str] = "J. Bégaint et al., CompressAI, arXiv 2011.03029, 2020"
    cites: ClassVar[tuple[str, ...]] = ("begaint2020compressai",)
    licences: ClassVar[tuple[str, ...]] = ("CompressAI: BSD-3-Clause-Clear",)
    test_settings = ({"weights": "compressai.safetensors"},)

    weights: str
    name: Literal[
        "bmshj2018-factorized",
        "bmshj2018-hyperprior",
        "mbt2018-mean",
        "mbt2018",
        "cheng2020-anchor",
        "cheng2020-attn",
    ] = "bmshj2018-hyperprior"

    def check(self) -> None:
        if Path(self.weights).suffix != ".safetensors":
            raise ComponentError(
                f"CompressAI.weights must be a .safetensors file, not {self.weights}: other files "
                "of weights can run code"
            )

    def libraries(self) -> Mapping[str, str]:
        return {"compressai": "semcore-image[compressai]"}

    def missing(self) -> str:
        there = Path(self.weights).expanduser().is_file()
        return "" if there else f"weights {self.weights} is not a file"

    @cached_property
    def _network(self) -> Any:
        if reason := self.missing():
            raise RunError(f"codec compressai: {reason}")
        with extra("semcore-image[compressai]", NEEDS):
            from compressai.zoo import image_models
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            state = load_file(Path(self.weights).expanduser())
            made = image_models[self.name](quality=1, pretrained=False)
            network = type(made).from_state_dict(state)
        except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise RunError(
                f"codec compressai: weights {self.weights} are not of {self.name}: {reason}"
            ) from error
        network.eval().update(force=True)
        return network

    def encode(self, pixels: np.ndarray) -> bytes:
        import torch

        height, width = pixels.shape[:2]
        if max(height, width) >= 2**16:
            raise ComponentError(f"a side must be below 65536 pixels, not {height}×{width}")
        below, right = -height % MULTIPLE, -width % MULTIPLE
        padded = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge")
        batch = torch.from_numpy(padded.astype(np.float32)).permute(2, 0, 1)[None] / 255
        with torch.inference_mode():
            strings = [one[0] for one in self._network.compress(batch)["strings"]]
        lengths = b"".join(len(one).to_bytes(4, "big") for one in strings[:-1])
        body = HEAD.pack(height, width, len(strings)) + lengths + b"".join(strings)
        return zlib.crc32(body).to_bytes(CHECKSUM, "big") + body

    def decode(self, data: bytes, size: tuple[int, int] | None = None) -> np.ndarray | None:
        checksum, data = data[:CHECKSUM], data[CHECKSUM:]
        if zlib.crc32(data).to_bytes(CHECKSUM, "big") != checksum:
            return None
        try:
            height, width, count = HEAD.unpack_from(data)
            lengths = struct.unpack_from(f">{count - 1}I", data, HEAD.size)
        except struct.error:
            return None
        start = HEAD.size + 4 * (count - 1)
        if not height or not width or height * width > MAX_RECEIVED_PIXELS:
            return None
        if size is not None and (height, width) != tuple(size):
            return None
        if count not in (1, 2) or start + sum(lengths) > len(data):
            return None
        strings = []
        for length in lengths:
            strings.append([data[start : start + length]])
            start += length
        strings.append([data[start:]])
        return self._decoded(strings, height, width)

    def _decoded(self, strings: Any, height: int, width: int) -> np.ndarray | None:
        import torch

        network = self._network
        factor = MULTIPLE if len(strings) == 2 else 16
        shape = [-(-side // MULTIPLE) * MULTIPLE // factor for side in (height, width)]
        try:
            with torch.inference_mode():
                picture = network.decompress(strings, shape)["x_hat"][0, :, :height, :width]
        except Exception:
            # A decoder may raise any exception on damaged bytes; the picture then counts as lost.
            return None
        levels = (picture.clamp(0, 1) * 255).round().nan_to_num(0).to(torch.uint8)
        return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())
