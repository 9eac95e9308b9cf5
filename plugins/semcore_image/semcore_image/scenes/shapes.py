"""Shapes of the objects of scenes, on the square from -1 to 1 (x right, y down).

An object is a list of filled shapes, painted in order. A tone says how a shape is coloured: `body`
has the colour of the object, `dark` and `light` are shades of it, and the others are fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Shape:
    """A filled polygon, or a line where `width` is positive.

    Fields:
        tone: body, dark, light, or a fixed tone of `drawing.FIXED`
        points: corners
        width: of a line with round ends
    """

    tone: str
    points: tuple[Point, ...]
    width: float = 0.0


def polygon(tone: str, *points: Point) -> Shape:
    """A polygon with these corners."""
    return Shape(tone, points)


def line(tone: str, width: float, *points: Point) -> Shape:
    """A line of this width through the points."""
    return Shape(tone, points, width)


def arc(
    x: float, y: float, rx: float, ry: float, first: float = 0.0, last: float = 360.0
) -> tuple[Point, ...]:
    """Points of an elliptic arc around (x, y), degrees clockwise from the right."""
    steps = max(4, round(abs(last - first) / 20))
    angles = [math.radians(first + (last - first) * at / steps) for at in range(steps + 1)]
    return tuple((x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles)


def disc(tone: str, x: float, y: float, rx: float, ry: float | None = None) -> Shape:
    """A filled ellipse with these half axes; without `ry`, a circle."""
    return Shape(tone, arc(x, y, rx, rx if ry is None else ry)[:-1])


def ring(tone: str, width: float, x: float, y: float, radius: float) -> Shape:
    """A circular line."""
    return line(tone, width, *arc(x, y, radius, radius))


def spikes(count: int, outer: float, inner: float, start: float = -90.0) -> tuple[Point, ...]:
    """Corners of a star with `count` spikes between two radii."""
    angles = [math.radians(start + 180 * at / count) for at in range(2 * count)]
    radii = [outer, inner] * count
    return tuple((r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True))


def _petals(count: int, distance: float, radius: float, y: float) -> list[Shape]:
    around = [2 * math.pi * at / count for at in range(count)]
    return [
        disc("body", distance * math.cos(a), y + distance * math.sin(a), radius) for a in around
    ]


def _wheels(x: float, y: float, radius: float) -> list[Shape]:
    return [
        part
        for at in (-x, x)
        for part in (disc("ink", at, y, radius), disc("pale", at, y, radius * 0.4))
    ]


SHAPES: dict[str, tuple[Shape, ...]] = {
    "aeroplane": (
        polygon("dark", (-0.15, -0.1), (-0.5, -0.95), (-0.15, -0.95), (0.35, -0.1)),
        polygon("dark", (-0.15, 0.1), (-0.5, 0.95), (-0.15, 0.95), (0.35, 0.1)),
        polygon("dark", (-0.75, 0), (-1, -0.45), (-0.8, -0.45), (-0.5, 0)),
        polygon("dark", (-0.75, 0), (-1, 0.45), (-0.8, 0.45), (-0.5, 0)),
        disc("body", 0, 0, 1, 0.22),
        disc("glass", 0.68, 0, 0.14, 0.12),
    ),
    "apple": (
        line("brown", 0.13, (0, -0.5), (0.08, -0.95)),
        polygon("leaf", (0.08, -0.65), (0.35, -1), (0.7, -0.9), (0.4, -0.62)),
        disc("body", -0.33, 0.15, 0.6, 0.75),
        disc("body", 0.33, 0.15, 0.6, 0.75),
        disc("light", -0.5, -0.1, 0.16, 0.24),
    ),
    "ball": (
        disc("body", 0, 0, 0.92),
        polygon("pale", *arc(0, 0, 0.92, 0.92, -120, -60), *arc(0, 0, 0.34, 0.92, 60, 120)),
        polygon("pale", (0, 0), *arc(0, 0, 0.92, 0.92, 150, 210)),
        polygon("pale", (0, 0), *arc(0, 0, 0.92, 0.92, -30, 30)),
        disc("body", 0, 0, 0.22),
    ),
    "balloon": (
        line("ink", 0.09, (0, 0.5), (0.12, 0.7), (-0.08, 0.85), (0.05, 1)),
        polygon("dark", (0, 0.4), (-0.18, 0.62), (0.18, 0.62)),
        disc("body", 0, -0.25, 0.62, 0.74),
        disc("light", -0.25, -0.5, 0.14, 0.22),
    ),
    "banana": (
        polygon("body", *arc(0, -0.75, 1, 1.25, 170, 10), *arc(0, -0.75, 0.72, 0.62, 20, 160)),
        line("dark", 0.08, *arc(0, -0.75, 0.88, 0.98, 150, 30)),
        disc("ink", -0.88, -0.52, 0.14),
        disc("ink", 0.88, -0.52, 0.14),
    ),
    "bicycle": (
        ring("ink", 0.16, -0.58, 0.35, 0.36),
        ring("ink", 0.16, 0.58, 0.35, 0.36),
        line("body", 0.19, (-0.58, 0.35), (-0.22, -0.3), (0.42, -0.3), (0, 0.35), (-0.58, 0.35)),
        line("body", 0.19, (-0.3, -0.5), (0, 0.35)),
        line("body", 0.19, (0.58, 0.35), (0.36, -0.62), (0.62, -0.68)),
        line("ink", 0.2, (-0.48, -0.54), (-0.12, -0.54)),
    ),
    "bird": (
        polygon("dark", (-0.5, 0.05), (-1, -0.3), (-1, 0.25), (-0.5, 0.4)),
        disc("body", -0.05, 0.2, 0.62, 0.45),
        disc("body", 0.48, -0.25, 0.36),
        polygon("orange", (0.76, -0.38), (1, -0.18), (0.74, -0.08)),
        polygon("dark", (0.2, 0.1), (-0.55, -0.65), (-0.4, 0.3), (-0.1, 0.4)),
        disc("pale", 0.55, -0.33, 0.13),
        disc("ink", 0.57, -0.33, 0.08),
        line("orange", 0.1, (0, 0.6), (0, 0.9)),
        line("orange", 0.1, (0.22, 0.55), (0.22, 0.9)),
    ),
    "boat": (
        line("ink", 0.12, (0, -0.95), (0, 0.3)),
        polygon("pale", (-0.1, -0.8), (-0.1, 0.15), (-0.75, 0.15)),
        polygon("body", (0.1, -0.95), (0.1, 0.15), (0.9, 0.15)),
        polygon("body", (-1, 0.3), (1, 0.3), (0.62, 0.85), (-0.62, 0.85)),
        line("dark", 0.1, (-0.85, 0.5), (0.85, 0.5)),
    ),
    "book": (
        polygon("body", (-0.75, -0.85), (0.6, -0.85), (0.75, -0.7), (0.75, 0.85), (-0.75, 0.85)),
        polygon("pale", (-0.6, 0.58), (0.75, 0.58), (0.75, 0.74), (-0.6, 0.74)),
        polygon("dark", (-0.75, -0.85), (-0.5, -0.85), (-0.5, 0.58), (-0.75, 0.8)),
        polygon("pale", (-0.25, -0.55), (0.5, -0.55), (0.5, -0.1), (-0.25, -0.1)),
    ),
    "butterfly": (
        polygon("body", (0, -0.1), (-0.45, -0.9), (-1, -0.8), (-0.95, -0.1), (-0.5, 0.15)),
        polygon("body", (0, -0.1), (0.45, -0.9), (1, -0.8), (0.95, -0.1), (0.5, 0.15)),
        polygon("dark", (0, 0.05), (-0.7, 0.2), (-0.75, 0.75), (-0.35, 0.9)),
        polygon("dark", (0, 0.05), (0.7, 0.2), (0.75, 0.75), (0.35, 0.9)),
        disc("pale", -0.62, -0.45, 0.17),
        disc("pale", 0.62, -0.45, 0.17),
        disc("ink", 0, 0.05, 0.13, 0.6),
        line("ink", 0.09, (-0.3, -1), (0, -0.5), (0.3, -1)),
    ),
    "car": (
        polygon(
            "body",
            *((-1, 0.45), (-1, 0.05), (-0.65, -0.05), (-0.4, -0.55), (0.38, -0.55)),
            *((0.68, -0.05), (1, 0.05), (1, 0.45)),
        ),
        polygon("glass", (-0.47, -0.05), (-0.3, -0.4), (-0.05, -0.4), (-0.05, -0.05)),
        polygon("glass", (0.1, -0.05), (0.1, -0.4), (0.3, -0.4), (0.5, -0.05)),
        *_wheels(0.54, 0.45, 0.28),
    ),
    "cat": (
        polygon("body", (-0.85, -0.95), (-0.8, 0.2), (-0.1, -0.5)),
        polygon("body", (0.85, -0.95), (0.8, 0.2), (0.1, -0.5)),
        disc("body", 0, 0.15, 0.86, 0.72),
        polygon("pink", (-0.7, -0.68), (-0.68, -0.3), (-0.4, -0.45)),
        polygon("pink", (0.7, -0.68), (0.68, -0.3), (0.4, -0.45)),
        disc("lime", -0.36, 0.02, 0.17, 0.2),
        disc("lime", 0.36, 0.02, 0.17, 0.2),
        disc("ink", -0.36, 0.02, 0.07, 0.19),
        disc("ink", 0.36, 0.02, 0.07, 0.19),
        polygon("pink", (-0.12, 0.3), (0.12, 0.3), (0, 0.45)),
        line("pale", 0.06, (-0.95, 0.3), (-0.3, 0.42)),
        line("pale", 0.06, (0.95, 0.3), (0.3, 0.42)),
    ),
    "chair": (
        polygon("body", (-0.7, -0.95), (-0.35, -0.95), (-0.3, 0.25), (-0.65, 0.25)),
        polygon("body", (-0.68, 0.0), (0.8, 0.0), (0.8, 0.28), (-0.68, 0.28)),
        polygon("body", (-0.68, 0.25), (-0.42, 0.25), (-0.42, 0.95), (-0.68, 0.95)),
        polygon("body", (0.54, 0.25), (0.8, 0.25), (0.8, 0.95), (0.54, 0.95)),
        line("dark", 0.1, (-0.4, 0.14), (0.7, 0.14)),
    ),
    "clock": (
        disc("ink", -0.55, -0.75, 0.25),
        disc("ink", 0.55, -0.75, 0.25),
        line("ink", 0.18, (-0.5, 0.6), (-0.7, 0.92)),
        line("ink", 0.18, (0.5, 0.6), (0.7, 0.92)),
        disc("body", 0, 0.05, 0.85),
        disc("pale", 0, 0.05, 0.52),
        line("ink", 0.13, (0, -0.35), (0, 0.05), (0.28, 0.2)),
    ),
    "cloud": (
        disc("body", -0.5, 0.15, 0.45, 0.4),
        disc("body", 0.5, 0.15, 0.48, 0.4),
        disc("body", -0.1, -0.2, 0.5, 0.48),
        polygon("body", (-0.6, 0.1), (0.6, 0.1), (0.6, 0.55), (-0.6, 0.55)),
        disc("light", -0.2, -0.25, 0.3, 0.25),
    ),
    "cup": (
        ring("body", 0.2, 0.62, 0.15, 0.3),
        polygon("body", (-0.75, -0.45), (0.6, -0.45), (0.42, 0.85), (-0.57, 0.85)),
        disc("dark", -0.075, -0.45, 0.67, 0.2),
        line("pale", 0.1, (-0.3, -0.65), (-0.4, -0.8), (-0.3, -1)),
        line("pale", 0.1, (0.1, -0.65), (0, -0.8), (0.1, -1)),
    ),
    "dog": (
        disc("body", 0, 0, 0.66, 0.78),
        disc("dark", -0.72, 0, 0.27, 0.6),
        disc("dark", 0.72, 0, 0.27, 0.6),
        disc("pale", 0, 0.42, 0.4, 0.36),
        disc("ink", 0, 0.22, 0.2, 0.14),
        disc("ink", -0.28, -0.2, 0.12),
        disc("ink", 0.28, -0.2, 0.12),
        disc("red", 0, 0.72, 0.13, 0.18),
    ),
    "fish": (
        polygon("dark", (0.45, 0), (1, -0.55), (0.9, 0), (1, 0.55)),
        polygon("dark", (-0.3, -0.4), (0.1, -0.85), (0.35, -0.3)),
        disc("body", -0.2, 0, 0.78, 0.52),
        line("dark", 0.1, *arc(-0.8, 0, 0.5, 0.6, -45, 45)),
        disc("pale", -0.6, -0.12, 0.17),
        disc("ink", -0.62, -0.12, 0.09),
    ),
    "flower": (
        line("leaf", 0.15, (0, 0), (0, 1)),
        polygon("leaf", (0, 0.85), (0.55, 0.45), (0.45, 0.85)),
        *_petals(6, 0.42, 0.27, -0.3),
        disc("yolk", 0, -0.3, 0.27),
    ),
    "hat": (
        polygon("body", (-0.5, -0.85), (0.5, -0.85), (0.42, 0.5), (-0.42, 0.5)),
        polygon("dark", (-0.45, 0.05), (0.45, 0.05), (0.43, 0.4), (-0.43, 0.4)),
        disc("body", 0, 0.55, 1, 0.25),
    ),
    "heart": (
        polygon(
            "body",
            *((0, 0.9), (-0.92, -0.05)),
            *arc(-0.47, -0.3, 0.5, 0.5, 160, 350),
            *arc(0.47, -0.3, 0.5, 0.5, 190, 380),
            (0.92, -0.05),
        ),
        disc("light", -0.5, -0.38, 0.18, 0.16),
    ),
    "house": (
        polygon("body", (-0.72, -0.2), (0.72, -0.2), (0.72, 0.88), (-0.72, 0.88)),
        polygon("dark", (-1, -0.12), (0, -0.95), (1, -0.12)),
        polygon("ink", (-0.48, 0.88), (-0.48, 0.25), (-0.1, 0.25), (-0.1, 0.88)),
        polygon("glass", (0.12, 0.12), (0.52, 0.12), (0.52, 0.5), (0.12, 0.5)),
    ),
    "key": (
        ring("body", 0.28, -0.55, 0, 0.32),
        line("body", 0.24, (-0.2, 0), (0.95, 0)),
        line("body", 0.22, (0.85, 0), (0.85, 0.45)),
        line("body", 0.22, (0.48, 0), (0.48, 0.36)),
    ),
    "kite": (
        line("ink", 0.08, (-0.25, 0.35), (-0.45, 0.6), (-0.3, 0.8), (-0.6, 1)),
        polygon("body", (0.35, -1), (0.95, -0.3), (-0.3, 0.45), (-0.4, -0.35)),
        polygon("pale", (0.35, -1), (0.95, -0.3), (0.12, -0.28)),
        polygon("pale", (-0.3, 0.45), (-0.4, -0.35), (0.12, -0.28)),
        disc("body", -0.42, 0.6, 0.14),
        disc("body", -0.42, 0.88, 0.14),
    ),
    "lamp": (
        line("ink", 0.16, (0, 0), (0, 0.8)),
        polygon("dark", (-0.5, 0.92), (-0.35, 0.72), (0.35, 0.72), (0.5, 0.92)),
        polygon("body", (-0.4, -0.9), (0.4, -0.9), (0.82, 0.12), (-0.82, 0.12)),
        polygon("yolk", (-0.5, 0.12), (0.5, 0.12), (0.35, 0.3), (-0.35, 0.3)),
    ),
    "moon": (
        polygon("body", *arc(0.1, 0, 0.95, 0.95, 60, 300), *arc(0.55, 0, 0.85, 0.78, 255, 105)),
        disc("dark", -0.55, 0.15, 0.12),
        disc("dark", -0.4, -0.4, 0.1),
    ),
    "mushroom": (
        polygon("pale", (-0.28, 0), (0.28, 0), (0.4, 0.9), (-0.4, 0.9)),
        polygon("body", *arc(0, 0.15, 0.98, 1, 180, 360)),
        disc("spot", -0.5, -0.15, 0.17),
        disc("spot", 0.05, -0.5, 0.19),
        disc("spot", 0.5, -0.1, 0.16),
    ),
    "rocket": (
        polygon("orange", (-0.25, 0.55), (0, 1), (0.25, 0.55)),
        polygon("dark", (-0.3, 0.1), (-0.72, 0.75), (-0.2, 0.55)),
        polygon("dark", (0.3, 0.1), (0.72, 0.75), (0.2, 0.55)),
        polygon(
            "body",
            *((0, -1), (0.3, -0.6), (0.36, -0.1), (0.25, 0.6)),
            *((-0.25, 0.6), (-0.36, -0.1), (-0.3, -0.6)),
        ),
        disc("glass", 0, -0.3, 0.18),
    ),
    "star": (polygon("body", *spikes(5, 1, 0.42)),),
    "sun": (
        polygon("body", *spikes(10, 1, 0.6)),
        disc("light", 0, 0, 0.52),
        disc("ink", -0.2, -0.1, 0.08),
        disc("ink", 0.2, -0.1, 0.08),
        line("ink", 0.08, *arc(0, 0.02, 0.26, 0.24, 20, 160)),
    ),
    "tree": (
        polygon("brown", (-0.17, 0.55), (0.17, 0.55), (0.17, 1), (-0.17, 1)),
        polygon("body", (0, -0.1), (0.8, 0.68), (-0.8, 0.68)),
        polygon("dark", (0, -0.5), (0.64, 0.22), (-0.64, 0.22)),
        polygon("body", (0, -1), (0.52, -0.25), (-0.52, -0.25)),
    ),
    "umbrella": (
        line("ink", 0.13, (0, -0.2), (0, 0.75), (0.12, 0.92), (0.32, 0.85)),
        polygon(
            "body",
            *arc(0, 0.1, 0.98, 0.98, 180, 360),
            *arc(0.65, 0.1, 0.33, 0.18, 0, -180),
            *arc(0, 0.1, 0.33, 0.18, 0, -180),
            *arc(-0.65, 0.1, 0.33, 0.18, 0, -180),
        ),
        line("dark", 0.1, (0, -0.85), (-0.34, 0)),
        line("dark", 0.1, (0, -0.85), (0.34, 0)),
    ),
}
"""Kind -> its shapes; the body of an object has its colour."""
