"""A small rasteriser: shapes with light, shadow and texture on the unit square (x right, y
down)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[float, float, float]
Point = tuple[float, float]

COLOURS: dict[str, Colour] = {
    "black": (0.11, 0.11, 0.12),
    "white": (0.93, 0.93, 0.91),
    "grey": (0.52, 0.53, 0.55),
    "brown": (0.45, 0.29, 0.17),
    "red": (0.78, 0.10, 0.10),
    "orange": (0.93, 0.48, 0.08),
    "yellow": (0.93, 0.78, 0.13),
    "green": (0.27, 0.50, 0.17),
    "blue": (0.20, 0.42, 0.78),
}
SUPERSAMPLING = 4


class Scene:
    """A canvas; objects are placed by a random similarity transform of the unit square.

    Args:
        size: (height, width) of the finished picture; the square scene is stretched to it
        rng: source of jitter, texture and grain
    """

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.size, self.rng = size, rng
        self.side = SUPERSAMPLING * max(size)
        self.canvas = np.zeros((self.side, self.side, 3))
        self.mirrored = bool(rng.integers(2))
        self.scale = float(rng.uniform(0.92, 1.06))
        self.shift = (float(rng.uniform(-0.04, 0.04)), float(rng.uniform(-0.025, 0.025)))
        angle = rng.uniform(-0.9, 0.9)
        self.light = (math.sin(angle), -math.cos(angle))

    # ------------------------------------------------------------------ background

    def backdrop(
        self, top: Colour, bottom: Colour, roughness: float, horizon: float | None = None
    ) -> None:
        """Fill the canvas with a vertical gradient, or two zones with a soft `horizon`, and
        texture."""
        height = np.linspace(0, 1, self.side)[:, None, None]
        blend = height if horizon is None else 1 / (1 + np.exp(-(height - horizon) * 60))
        self.canvas[:] = np.array(top) * (1 - blend) + np.array(bottom) * blend
        self.canvas *= (
            1 + roughness * (self.noise(5) + 0.6 * self.noise(16) + 0.4 * self.noise(40))[..., None]
        )

    def noise(self, cells: int) -> np.ndarray:
        """Smooth noise with about `cells` cells per side, standard deviation near 0.5."""
        grid = Image.fromarray(self.rng.normal(0, 0.6, (cells + 1, cells + 1)).astype(np.float32))
        return np.asarray(
            grid.resize((self.side, self.side), Image.Resampling.BICUBIC), dtype=np.float64
        )

    # ------------------------------------------------------------------ shapes

    def place(self, points: Iterable[Point]) -> list[Point]:
        """Points of the unit square in canvas pixels."""
        placed = []
        for x, y in points:
            x = (x - 0.5) * self.scale + 0.5 + self.shift[0]
            y = (y - 0.5) * self.scale + 0.5 + self.shift[1]
            placed.append(((1 - x if self.mirrored else x) * self.side, y * self.side))
        return placed

    def polygon(self, *points: Point) -> np.ndarray:
        """Mask 0..1 of a polygon."""
        mask = Image.new("L", (self.side, self.side))
        ImageDraw.Draw(mask).polygon(self.place(points), fill=255)
        return np.asarray(mask, dtype=np.float64) / 255

    def blob(self, *points: Point) -> np.ndarray:
        """Mask of a smooth closed curve through the points (Catmull-Rom)."""
        return self.polygon(*spline(points))

    def ellipse(
        self, x: float, y: float, width: float, height: float, degrees: float = 0
    ) -> np.ndarray:
        """Mask of an ellipse around (x, y) with these half axes."""
        tilt, around = math.radians(degrees), np.linspace(0, 2 * math.pi, 48, endpoint=False)
        along, across = width * np.cos(around), height * np.sin(around)
        xs = along * math.cos(tilt) - across * math.sin(tilt)
        ys = along * math.sin(tilt) + across * math.cos(tilt)
        return self.polygon(*zip((x + xs).tolist(), (y + ys).tolist(), strict=True))

    def stroke(self, width: float, *points: Point) -> np.ndarray:
        """Mask of a line with round ends."""
        mask, radius = Image.new("L", (self.side, self.side)), width * self.side * self.scale / 2
        draw, placed = ImageDraw.Draw(mask), self.place(points)
        draw.line(placed, fill=255, width=max(1, round(2 * radius)), joint="curve")
        for x, y in placed:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        return np.asarray(mask, dtype=np.float64) / 255

    # ------------------------------------------------------------------ paint

    def paint(
        self, mask: np.ndarray, colour: Colour, relief: float = 1.0, texture: float = 0.06
    ) -> None:
        """Paint `colour` on the mask, shaded by `relief` and roughened by `texture`."""
        height = blur(mask, 0.045 * self.side)
        down, right = np.gradient(height)
        lit = -(self.light[0] * right + self.light[1] * down) * 0.045 * self.side
        shade = (
            1
            + relief * (0.55 * lit + 0.25 * (height - 0.8))
            + texture * (self.noise(24) + self.noise(48))
        )
        coloured = (
            np.array(colour) * shade[..., None] + 0.12 * relief * np.clip(lit, 0, None)[..., None]
        )
        self.canvas += mask[..., None] * (coloured - self.canvas)

    def shadow(self, mask: np.ndarray, strength: float = 0.5, softness: float = 0.02) -> None:
        """Darken the canvas under a softened mask."""
        self.canvas *= 1 - strength * blur(mask, softness * self.side)[..., None]

    def finish(self) -> np.ndarray:
        """The picture, uint8 (*size, 3): slight lens blur, downsampled, with sensor grain."""
        height, width = self.size
        picture = Image.fromarray((self.canvas.clip(0, 1) * 255).round().astype(np.uint8))
        picture = picture.filter(ImageFilter.GaussianBlur(0.35 * SUPERSAMPLING))
        pixels = np.asarray(picture.resize((width, height), Image.Resampling.BOX), dtype=np.float64)
        return (
            (pixels + self.rng.normal(0, 2.0, pixels.shape)).round().clip(0, 255).astype(np.uint8)
        )


def spline(points: Sequence[Point], steps: int = 8) -> list[Point]:
    """Points of the closed Catmull-Rom curve through `points`."""
    corners, curve = np.array(points), []
    for index in range(len(corners)):
        a, b, c, d = (corners[(index + offset) % len(corners)] for offset in (-1, 0, 1, 2))
        for t in np.arange(steps) / steps:
            at = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
            curve.append((float(at[0]), float(at[1])))
    return curve


def blur(mask: np.ndarray, radius: float) -> np.ndarray:
    """Gaussian blur of a mask 0..1."""
    blurred = Image.fromarray((mask * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(radius)
    )
    return np.asarray(blurred, dtype=np.float64) / 255


def tint(colour: Colour, factor: float) -> Colour:
    """A darker (below 1) or lighter (above 1) shade."""
    red, green, blue = (
        min(1.0, part * factor) if factor <= 1 else part + (1 - part) * (factor - 1)
        for part in colour
    )
    return red, green, blue
