"""Drawings of the classes of CIFAR-10: shapes in the unit square, facing right."""

from __future__ import annotations

from collections.abc import Callable

from semcore_image.sources.scene import COLOURS, Colour, Scene, tint

GLASS: Colour = (0.16, 0.20, 0.26)
DARK: Colour = (0.07, 0.07, 0.08)


def airplane(s: Scene, colour: Colour) -> None:
    """An airliner in flight, seen from the side and a little from below."""
    s.paint(s.polygon((0.52, 0.50), (0.60, 0.49), (0.42, 0.22), (0.36, 0.22)), tint(colour, 0.72))
    s.paint(s.polygon((0.08, 0.26), (0.15, 0.25), (0.27, 0.46), (0.12, 0.48)), tint(colour, 0.85))
    s.paint(
        s.blob(
            (0.06, 0.48),
            (0.25, 0.44),
            (0.70, 0.43),
            (0.88, 0.46),
            (0.96, 0.53),
            (0.86, 0.58),
            (0.4, 0.57),
        ),
        colour,
    )
    for x in (0.36, 0.44, 0.52, 0.60, 0.68, 0.76):
        s.paint(s.ellipse(x, 0.475, 0.014, 0.014), GLASS, 0)
    s.paint(s.polygon((0.87, 0.465), (0.92, 0.50), (0.85, 0.50)), GLASS, 0)
    s.paint(s.polygon((0.40, 0.54), (0.58, 0.53), (0.36, 0.80), (0.26, 0.82)), tint(colour, 0.9))
    s.paint(s.ellipse(0.50, 0.63, 0.065, 0.032), tint(colour, 0.55))
    s.paint(s.polygon((0.07, 0.50), (0.20, 0.50), (0.10, 0.60), (0.04, 0.60)), tint(colour, 0.8))


def wheels(s: Scene, y: float, radius: float, *xs: float) -> None:
    """Tyres with rims."""
    for x in xs:
        s.paint(s.ellipse(x, y, radius, radius), DARK, 0.6)
        s.paint(s.ellipse(x, y, 0.5 * radius, 0.5 * radius), (0.6, 0.6, 0.62), 0.8)


def automobile(s: Scene, colour: Colour) -> None:
    """A saloon from the side."""
    s.shadow(s.ellipse(0.5, 0.76, 0.46, 0.05), 0.7)
    s.paint(
        s.blob(
            (0.22, 0.50),
            (0.34, 0.33),
            (0.46, 0.29),
            (0.62, 0.31),
            (0.76, 0.48),
            (0.60, 0.53),
            (0.30, 0.53),
        ),
        colour,
    )
    s.paint(s.polygon((0.29, 0.48), (0.37, 0.355), (0.49, 0.335), (0.49, 0.48)), GLASS, 0.3)
    s.paint(s.polygon((0.525, 0.48), (0.525, 0.335), (0.61, 0.35), (0.70, 0.48)), GLASS, 0.3)
    s.paint(
        s.blob(
            (0.05, 0.62),
            (0.08, 0.50),
            (0.30, 0.475),
            (0.72, 0.475),
            (0.92, 0.53),
            (0.96, 0.65),
            (0.88, 0.715),
            (0.12, 0.715),
        ),
        colour,
    )
    s.paint(s.stroke(0.012, (0.51, 0.50), (0.51, 0.68)), tint(colour, 0.5), 0)
    s.paint(s.ellipse(0.925, 0.585, 0.022, 0.03), (1.0, 0.95, 0.75), 0)
    s.paint(s.ellipse(0.065, 0.585, 0.018, 0.03), (0.6, 0.06, 0.05), 0)
    wheels(s, 0.705, 0.095, 0.25, 0.76)


def truck(s: Scene, colour: Colour) -> None:
    """A lorry with a box body from the side; the box has the colour, the cab is pale unless the
    colour is."""
    cab = tint(COLOURS["white"], 0.92) if sum(colour) < 2 else tint(COLOURS["grey"], 1.1)
    s.shadow(s.ellipse(0.5, 0.80, 0.47, 0.045), 0.7)
    s.paint(s.polygon((0.04, 0.66), (0.96, 0.66), (0.96, 0.73), (0.04, 0.73)), DARK, 0.3)
    s.paint(s.polygon((0.04, 0.20), (0.645, 0.20), (0.645, 0.665), (0.04, 0.665)), colour, 0.8)
    for x in (0.14, 0.24, 0.34, 0.44, 0.54):
        s.paint(s.stroke(0.008, (x, 0.22), (x, 0.64)), tint(colour, 0.75), 0)
    s.paint(
        s.blob(
            (0.67, 0.68),
            (0.67, 0.36),
            (0.72, 0.31),
            (0.86, 0.32),
            (0.91, 0.48),
            (0.965, 0.54),
            (0.965, 0.68),
        ),
        cab,
    )
    s.paint(s.polygon((0.75, 0.375), (0.85, 0.375), (0.895, 0.50), (0.75, 0.50)), GLASS, 0.3)
    s.paint(s.ellipse(0.95, 0.62, 0.018, 0.025), (1.0, 0.95, 0.75), 0)
    wheels(s, 0.735, 0.085, 0.17, 0.36, 0.82)


def ship(s: Scene, colour: Colour) -> None:
    """A cargo ship at sea."""
    s.shadow(s.polygon((0.10, 0.66), (0.92, 0.66), (0.84, 0.80), (0.18, 0.80)), 0.45, 0.03)
    white = COLOURS["white"]
    s.paint(s.polygon((0.16, 0.53), (0.16, 0.32), (0.36, 0.32), (0.40, 0.53)), white, 0.7)
    s.paint(
        s.polygon((0.19, 0.33), (0.19, 0.23), (0.31, 0.23), (0.33, 0.33)), tint(white, 0.9), 0.6
    )
    for y in (0.37, 0.44):
        s.paint(s.stroke(0.016, (0.20, y), (0.35, y)), GLASS, 0)
    s.paint(s.polygon((0.21, 0.24), (0.22, 0.12), (0.29, 0.12), (0.30, 0.24)), tint(colour, 0.85))
    s.paint(s.stroke(0.014, (0.66, 0.54), (0.66, 0.20)), (0.35, 0.33, 0.30), 0.3)
    s.paint(s.stroke(0.008, (0.66, 0.22), (0.86, 0.50)), (0.35, 0.33, 0.30), 0)
    for x, hue in ((0.44, "orange"), (0.54, "grey"), (0.70, "brown")):
        s.paint(
            s.polygon((x, 0.44), (x + 0.09, 0.44), (x + 0.09, 0.54), (x, 0.54)), COLOURS[hue], 0.5
        )
    s.paint(s.polygon((0.05, 0.52), (0.80, 0.53), (0.97, 0.47), (0.88, 0.70), (0.12, 0.70)), colour)
    s.paint(
        s.polygon((0.105, 0.655), (0.90, 0.655), (0.88, 0.705), (0.12, 0.705)),
        tint(colour, 0.45),
        0.3,
    )
    s.paint(s.stroke(0.02, (0.08, 0.71), (0.92, 0.71)), (0.82, 0.88, 0.92), 0, 0.2)


def bird(s: Scene, colour: Colour) -> None:
    """A song bird on a twig."""
    wood = tint(COLOURS["brown"], 0.7)
    s.paint(s.stroke(0.055, (0.0, 0.83), (0.45, 0.80), (1.0, 0.86)), wood, 0.8, 0.2)
    for x in (0.46, 0.54):
        s.paint(s.stroke(0.018, (x, 0.66), (x + 0.01, 0.79)), (0.35, 0.22, 0.12), 0)
    s.paint(s.polygon((0.04, 0.70), (0.10, 0.76), (0.36, 0.62), (0.28, 0.50)), tint(colour, 0.6))
    s.paint(
        s.blob(
            (0.22, 0.55),
            (0.38, 0.38),
            (0.56, 0.27),
            (0.74, 0.34),
            (0.76, 0.50),
            (0.64, 0.66),
            (0.45, 0.71),
            (0.28, 0.66),
        ),
        colour,
    )
    s.paint(
        s.blob((0.46, 0.66), (0.62, 0.52), (0.73, 0.46), (0.72, 0.58), (0.60, 0.68)),
        tint(colour, 1.55),
        0.6,
    )
    s.paint(
        s.blob((0.20, 0.62), (0.34, 0.47), (0.50, 0.42), (0.55, 0.50), (0.42, 0.60)),
        tint(colour, 0.62),
    )
    s.paint(s.ellipse(0.70, 0.29, 0.125, 0.115), colour)
    s.paint(s.polygon((0.80, 0.25), (0.94, 0.315), (0.80, 0.335)), (0.85, 0.60, 0.15), 0.4)
    s.paint(s.ellipse(0.735, 0.265, 0.024, 0.024), DARK, 0)
    s.paint(s.ellipse(0.742, 0.258, 0.008, 0.008), (1, 1, 1), 0, 0)


def frog(s: Scene, colour: Colour) -> None:
    """A squatting frog from the front."""
    s.shadow(s.ellipse(0.5, 0.82, 0.44, 0.07), 0.6)
    for x, side in ((0.19, -1), (0.81, 1)):
        s.paint(s.ellipse(x, 0.63, 0.15, 0.20, 18 * side), tint(colour, 0.8))
        s.paint(s.ellipse(x - 0.02 * side, 0.82, 0.16, 0.045), tint(colour, 0.7))
    s.paint(
        s.blob(
            (0.20, 0.55),
            (0.28, 0.36),
            (0.50, 0.29),
            (0.72, 0.36),
            (0.80, 0.55),
            (0.72, 0.78),
            (0.5, 0.83),
            (0.28, 0.78),
        ),
        colour,
    )
    s.paint(s.ellipse(0.5, 0.70, 0.20, 0.12), tint(colour, 1.45), 0.5)
    for x in (0.36, 0.64):
        s.paint(s.stroke(0.07, (x, 0.66), (x, 0.83)), tint(colour, 0.85))
    for x in (0.335, 0.665):
        s.paint(s.ellipse(x, 0.285, 0.095, 0.095), colour)
        s.paint(s.ellipse(x, 0.275, 0.062, 0.062), (0.93, 0.80, 0.25), 0.4)
        s.paint(s.ellipse(x, 0.275, 0.036, 0.042), DARK, 0)
    s.paint(
        s.stroke(0.018, (0.27, 0.50), (0.38, 0.555), (0.5, 0.57), (0.62, 0.555), (0.73, 0.50)),
        tint(colour, 0.35),
        0,
    )


def cat(s: Scene, colour: Colour) -> None:
    """A sitting cat from the front."""
    s.shadow(s.ellipse(0.5, 0.92, 0.36, 0.05), 0.6)
    s.paint(
        s.stroke(0.065, (0.70, 0.88), (0.86, 0.82), (0.88, 0.62), (0.82, 0.54)), tint(colour, 0.8)
    )
    s.paint(
        s.blob(
            (0.33, 0.56),
            (0.5, 0.48),
            (0.67, 0.56),
            (0.75, 0.80),
            (0.70, 0.93),
            (0.30, 0.93),
            (0.25, 0.80),
        ),
        colour,
        1,
        0.1,
    )
    s.paint(
        s.blob((0.42, 0.56), (0.5, 0.53), (0.58, 0.56), (0.56, 0.76), (0.5, 0.80), (0.44, 0.76)),
        tint(colour, 1.45),
        0.4,
    )
    for x in (0.43, 0.57):
        s.paint(s.stroke(0.095, (x, 0.72), (x, 0.90)), tint(colour, 0.95))
    for side in (-1, 1):
        tip = [(0.5 + side * dx, y) for dx, y in ((0.235, 0.30), (0.225, 0.045), (0.05, 0.17))]
        s.paint(s.polygon(*tip), tint(colour, 0.8))
        s.paint(
            s.polygon(
                *[(0.5 + side * dx, y) for dx, y in ((0.195, 0.24), (0.20, 0.10), (0.10, 0.17))]
            ),
            (0.75, 0.50, 0.48),
            0,
        )
    s.paint(s.ellipse(0.5, 0.33, 0.245, 0.20), colour, 1, 0.1)
    s.paint(s.ellipse(0.5, 0.42, 0.12, 0.085), tint(colour, 1.5), 0.5)
    for x in (0.40, 0.60):
        s.paint(s.ellipse(x, 0.31, 0.05, 0.045), (0.78, 0.80, 0.28), 0.2)
        s.paint(s.ellipse(x, 0.31, 0.018, 0.042), DARK, 0)
    s.paint(s.polygon((0.465, 0.385), (0.535, 0.385), (0.5, 0.42)), (0.60, 0.30, 0.30), 0)


def dog(s: Scene, colour: Colour) -> None:
    """The head and chest of a dog with hanging ears."""
    s.paint(
        s.blob((0.25, 0.72), (0.5, 0.60), (0.75, 0.72), (0.84, 1.05), (0.16, 1.05)),
        tint(colour, 0.92),
        1,
        0.1,
    )
    s.paint(
        s.blob((0.40, 0.76), (0.5, 0.70), (0.60, 0.76), (0.58, 1.05), (0.42, 1.05)),
        tint(colour, 1.6),
        0.4,
    )
    s.paint(
        s.blob((0.28, 0.30), (0.5, 0.13), (0.72, 0.30), (0.70, 0.58), (0.5, 0.72), (0.30, 0.58)),
        colour,
        1,
        0.1,
    )
    for side in (-1, 1):
        ear = [
            (0.5 + side * dx, y)
            for dx, y in ((0.15, 0.19), (0.26, 0.18), (0.36, 0.40), (0.31, 0.60), (0.225, 0.44))
        ]
        s.paint(s.blob(*ear), tint(colour, 0.55), 1, 0.1)
    s.paint(s.blob((0.47, 0.16), (0.53, 0.16), (0.55, 0.42), (0.45, 0.42)), tint(colour, 1.5), 0.3)
    s.paint(s.ellipse(0.5, 0.56, 0.145, 0.125), tint(colour, 1.6), 0.8)
    s.paint(s.ellipse(0.5, 0.49, 0.065, 0.045), DARK, 0.6)
    s.paint(s.stroke(0.014, (0.42, 0.62), (0.5, 0.59), (0.58, 0.62)), DARK, 0)
    s.paint(s.ellipse(0.5, 0.655, 0.045, 0.05), (0.85, 0.42, 0.45), 0.4)
    for x in (0.39, 0.61):
        s.paint(s.ellipse(x, 0.37, 0.036, 0.036), DARK, 0)
        s.paint(s.ellipse(x + 0.01, 0.36, 0.011, 0.011), (1, 1, 1), 0, 0)


def deer(s: Scene, colour: Colour) -> None:
    """A stag from the side, its head raised and turned to the viewer."""
    s.shadow(s.ellipse(0.44, 0.95, 0.32, 0.03), 0.6)
    for x, factor in ((0.30, 0.5), (0.60, 0.5), (0.23, 0.85), (0.54, 0.85)):
        s.paint(s.stroke(0.036, (x, 0.68), (x - 0.012, 0.80), (x, 0.94)), tint(colour, factor))
    body = (
        (0.14, 0.58),
        (0.22, 0.53),
        (0.44, 0.54),
        (0.60, 0.52),
        (0.64, 0.62),
        (0.56, 0.71),
        (0.38, 0.71),
        (0.2, 0.72),
    )
    s.paint(s.blob(*body), colour, 1.2, 0.12)
    s.paint(s.blob((0.25, 0.69), (0.40, 0.67), (0.55, 0.69), (0.40, 0.73)), tint(colour, 1.5), 0.3)
    s.paint(s.ellipse(0.155, 0.61, 0.04, 0.06), COLOURS["white"], 0.4)
    s.paint(
        s.blob((0.46, 0.60), (0.55, 0.42), (0.62, 0.34), (0.74, 0.36), (0.70, 0.52), (0.62, 0.68)),
        colour,
        1.2,
        0.1,
    )
    s.paint(
        s.blob((0.60, 0.50), (0.67, 0.42), (0.71, 0.44), (0.68, 0.56), (0.61, 0.62)),
        tint(colour, 1.45),
        0.4,
    )
    antler = tint(COLOURS["brown"], 0.62)
    for side in (-1, 1):
        beam = [
            (0.68 + side * dx, y)
            for dx, y in ((0.03, 0.25), (0.12, 0.17), (0.15, 0.08), (0.11, 0.01))
        ]
        s.paint(s.stroke(0.028, *beam), antler, 0.3)
        s.paint(s.stroke(0.022, (0.68 + side * 0.10, 0.185), (0.68 + side * 0.05, 0.09)), antler, 0)
        s.paint(s.stroke(0.022, (0.68 + side * 0.14, 0.11), (0.68 + side * 0.21, 0.05)), antler, 0)
        s.paint(
            s.ellipse(0.68 + side * 0.125, 0.275, 0.075, 0.032, -22 * side), tint(colour, 0.75), 0.6
        )
    s.paint(
        s.blob((0.60, 0.28), (0.68, 0.23), (0.76, 0.28), (0.73, 0.42), (0.68, 0.47), (0.63, 0.42)),
        colour,
    )
    s.paint(s.ellipse(0.68, 0.43, 0.042, 0.04), tint(colour, 1.45), 0.3)
    s.paint(s.ellipse(0.68, 0.425, 0.024, 0.018), DARK, 0)
    for x in (0.635, 0.725):
        s.paint(s.ellipse(x, 0.315, 0.017, 0.019), DARK, 0)


def horse(s: Scene, colour: Colour) -> None:
    """A horse from the side."""
    mane = tint(colour, 0.4)
    s.shadow(s.ellipse(0.46, 0.94, 0.38, 0.03), 0.6)
    s.paint(
        s.blob((0.10, 0.42), (0.05, 0.52), (0.03, 0.76), (0.08, 0.78), (0.13, 0.56), (0.16, 0.44)),
        mane,
    )
    for x, factor in ((0.29, 0.55), (0.66, 0.55), (0.22, 0.9), (0.60, 0.9)):
        s.paint(s.stroke(0.062, (x, 0.58), (x - 0.015, 0.76), (x, 0.92)), tint(colour, factor))
        s.paint(s.stroke(0.062, (x, 0.93), (x + 0.01, 0.935)), DARK, 0)
    s.paint(
        s.blob(
            (0.09, 0.46),
            (0.20, 0.37),
            (0.42, 0.42),
            (0.60, 0.37),
            (0.73, 0.48),
            (0.66, 0.65),
            (0.42, 0.66),
            (0.17, 0.66),
        ),
        colour,
        1.2,
    )
    s.paint(
        s.blob(
            (0.52, 0.46),
            (0.62, 0.28),
            (0.73, 0.12),
            (0.83, 0.16),
            (0.82, 0.32),
            (0.76, 0.52),
            (0.66, 0.62),
        ),
        colour,
        1.2,
    )
    s.paint(
        s.blob((0.50, 0.44), (0.57, 0.26), (0.68, 0.09), (0.76, 0.09), (0.70, 0.24), (0.60, 0.44)),
        mane,
    )
    s.paint(s.polygon((0.74, 0.15), (0.765, 0.03), (0.81, 0.14)), tint(colour, 0.8))
    s.paint(
        s.blob((0.73, 0.13), (0.83, 0.11), (0.96, 0.30), (0.965, 0.38), (0.88, 0.39), (0.78, 0.28)),
        colour,
    )
    s.paint(s.ellipse(0.935, 0.35, 0.03, 0.035), tint(colour, 0.5), 0.5)
    s.paint(s.ellipse(0.825, 0.185, 0.018, 0.018), DARK, 0)


DRAWINGS: dict[str, Callable[[Scene, Colour], None]] = {
    drawing.__name__: drawing
    for drawing in (airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck)
}
