"""Pictures of scenes: descriptions drawn with smooth edges, and variation by lot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from semcore_image.scenes.shapes import SHAPES, Shape
from semcore_image.scenes.world import SIDE, Description, Placed, placed

Colour = tuple[int, int, int]

PAINTS: dict[str, Colour] = {
    "black": (38, 38, 43),
    "blue": (40, 90, 215),
    "brown": (124, 78, 44),
    "green": (40, 145, 55),
    "orange": (243, 130, 20),
    "pink": (246, 140, 188),
    "purple": (128, 50, 175),
    "red": (208, 32, 32),
    "white": (246, 246, 243),
    "yellow": (248, 218, 45),
}
FIXED: dict[str, Colour] = {
    "brown": (110, 70, 40),
    "glass": (185, 225, 245),
    "ink": (30, 30, 36),
    "leaf": (60, 140, 50),
    "lime": (190, 225, 90),
    "orange": (240, 130, 20),
    "pale": (250, 250, 248),
    "pink": (240, 150, 170),
    "red": (220, 60, 70),
    "spot": (250, 250, 248),
    "yolk": (245, 205, 60),
}
"""Tones that do not follow the colour of the object."""
OWN: dict[str, dict[str, Colour]] = {
    "black": {"dark": (80, 80, 90), "ink": (112, 112, 122), "edge": (205, 205, 212)},
    "white": {"pale": (176, 184, 198), "spot": (176, 184, 198), "dark": (180, 184, 192)},
    "yellow": {"yolk": (150, 90, 40), "dark": (205, 165, 20)},
}
"""Tones of objects whose colour is that of a fixed tone."""

LAND: dict[str, tuple[Colour, Colour, Colour, float]] = {
    "grass": ((165, 205, 240), (215, 235, 248), (120, 180, 80), 0.42),
    "grey sky": ((138, 143, 150), (188, 192, 197), (188, 192, 197), 1.0),
    "road": ((175, 205, 230), (215, 225, 232), (118, 118, 124), 0.38),
    "room": ((226, 202, 168), (216, 190, 155), (158, 112, 74), 0.70),
    "sand": ((150, 200, 235), (205, 230, 242), (228, 202, 142), 0.36),
    "sea": ((185, 215, 238), (220, 235, 245), (52, 132, 178), 0.40),
    "sky": ((95, 165, 235), (170, 212, 246), (170, 212, 246), 1.0),
    "snow": ((172, 190, 216), (205, 216, 230), (238, 243, 250), 0.40),
}
"""Background -> colours of the top, above the horizon and below it; height of the horizon."""
NIGHT = np.array((0.30, 0.33, 0.48))
"""Share of the light of a background that is left at night, by colour channel."""
FINE = 4
"""Canvas pixels per pixel."""


def picture(
    description: Description, rng: np.random.Generator, size: tuple[int, int] = (64, 64)
) -> np.ndarray:
    """A picture of a description, uint8 (*size, 3).

    Places, turns, sizes and shades of the objects vary by a little, and so does the background;
    there is slight noise.

    Args:
        size: (height, width), pixels
    """
    return paint(description, placed(description, rng), rng, size)


def paint(
    description: Description,
    objects: Sequence[Placed],
    rng: np.random.Generator,
    size: tuple[int, int] = (64, 64),
) -> np.ndarray:
    """A picture of objects that were placed, uint8 (*size, 3)."""
    ground = _ground(description, rng, size)
    canvas = Image.fromarray(ground).resize(
        (size[1] * FINE, size[0] * FINE), Image.Resampling.NEAREST
    )
    pen = ImageDraw.Draw(canvas)
    down, right = size[0] * FINE / SIDE, size[1] * FINE / SIDE
    for one in objects:
        tones = _tones(one.group.colour, one.shade)
        centre, radius = (one.x * right, one.y * down), one.side / 2 * min(down, right)
        _object(pen, SHAPES[one.group.kind], tones, centre, radius, math.radians(one.turn))
    pixels = np.asarray(canvas.reduce(FINE), dtype=np.float32)
    noisy = pixels + rng.standard_normal(pixels.shape, dtype=np.float32) * 1.5
    return noisy.round().clip(0, 255).astype(np.uint8)


def _object(
    pen: ImageDraw.ImageDraw,
    shapes: tuple[Shape, ...],
    tones: Mapping[str, Colour],
    centre: tuple[float, float],
    radius: float,
    turn: float,
) -> None:
    """Draw shapes around a centre (x, y) of the canvas: an edge around all, then each."""
    cos, sin = math.cos(turn) * radius, math.sin(turn) * radius
    placed = [
        (
            shape,
            [
                (centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos)
                for x, y in shape.points
            ],
        )
        for shape in shapes
    ]
    edge = max(1.0, radius * 0.07)
    for shape, points in placed:
        if not shape.width:
            points = [*points, points[0]]
        _line(pen, points, tones["edge"], shape.width * radius + 2 * edge)
    for shape, points in placed:
        if shape.width:
            _line(pen, points, tones[shape.tone], shape.width * radius)
        else:
            pen.polygon(points, fill=tones[shape.tone])


def _line(
    pen: ImageDraw.ImageDraw, points: list[tuple[float, float]], fill: Colour, width: float
) -> None:
    pen.line(points, fill=fill, width=max(1, round(width)), joint="curve")
    half = width / 2
    for x, y in (points[0], points[-1]):
        pen.ellipse((x - half, y - half, x + half, y + half), fill=fill)


def _tones(colour: str, shade: float) -> dict[str, Colour]:
    """Tone -> its colour in an object of this colour."""
    body = np.array(PAINTS[colour]) * shade
    own = {
        "body": body,
        "dark": body * 0.68,
        "light": body * 0.5 + 127,
        "edge": np.array(FIXED["ink"]),
    }
    shades = {name: tuple(value.round().clip(0, 255).astype(int)) for name, value in own.items()}
    return {**shades, **FIXED, **OWN.get(colour, {})}


def _ground(
    description: Description, rng: np.random.Generator, size: tuple[int, int]
) -> np.ndarray:
    """The background, uint8 (*size, 3)."""
    height, width = size
    top, low, land, horizon = LAND[description.background]
    horizon += float(rng.uniform(-0.02, 0.02)) if horizon < 1 else 0.0
    down = ((np.arange(height) + 0.5) / height)[:, None, None]
    right = ((np.arange(width) + 0.5) / width)[None, :, None]
    above = np.array(top) + (np.array(low) - np.array(top)) * np.clip(down / horizon, 0, 1)
    depth = np.clip((down - horizon) / max(1 - horizon, 1e-6), 0, 1)
    below = np.array(land) * (1.06 - 0.16 * depth)
    ground = np.where(down < horizon, above, below) + np.zeros((1, width, 1))
    ground = ground * _texture(description.background, down, right, horizon)
    ground = ground * rng.uniform(0.96, 1.03)
    if description.time == "night":
        ground = ground * NIGHT
    return ground.clip(0, 255).astype(np.uint8)


def _texture(background: str, down: np.ndarray, right: np.ndarray, horizon: float) -> np.ndarray:
    """Factor on the brightness of a background, by height and column (0 to 1)."""
    under = down > horizon
    if background == "sea":
        waves = np.sin(2 * math.pi * (7 * down + 0.25 * np.sin(2 * math.pi * 3 * right)))
        return 1 + 0.09 * waves * under
    if background == "room":
        stripes = np.sin(2 * math.pi * 8 * right)
        planks = np.sin(2 * math.pi * 12 * down)
        return 1 + np.where(under, 0.06 * planks, 0.03 * stripes)
    if background == "road":
        middle = np.abs(down - (1 + horizon) / 2) < 0.016
        return 1 + 0.8 * (middle & (np.sin(2 * math.pi * 4 * right) > 0))
    if background == "grass":
        return 1 + 0.05 * under * np.sin(2 * math.pi * 16 * right) * np.sin(2 * math.pi * 9 * down)
    return np.ones((1, 1, 1))
