"""Character errors in text, for training and tests."""

from __future__ import annotations

import numpy as np

KINDS = ("substitute", "flip", "delete", "insert")


def corrupt(
    text: str, rate: float, rng: np.random.Generator, kinds: tuple[str, ...] = KINDS
) -> str:
    """Corrupt each character of `text` with probability `rate`, by one of `kinds` at random.

    substitute: another byte 1 to 255 · flip: one wrong bit · delete: the character is removed ·
    insert: a random byte is inserted before it. Characters are encoded as Latin-1, one byte each.
    """
    source = np.frombuffer(text.encode("latin-1", "replace"), np.uint8)
    hit = rng.random(len(source)) < rate
    if not hit.any():
        return text
    kind = np.where(hit, rng.integers(0, len(kinds), len(source)), -1)
    noise = rng.integers(1, 256, len(source)).astype(np.uint8)
    noise = np.where(noise == source, source ^ 1, noise)  # a substitute always differs
    flipped = source ^ (1 << rng.integers(0, 8, len(source))).astype(np.uint8)
    out = bytearray()
    for index, byte in enumerate(source):
        action = kinds[kind[index]] if kind[index] >= 0 else "keep"
        if action == "insert":
            out.append(noise[index])
        if action in ("keep", "insert"):
            out.append(byte)
        elif action == "substitute":
            out.append(noise[index])
        elif action == "flip":
            out.append(flipped[index])
    return out.decode("latin-1")
