"""What a scene consists of, where its objects stand, and how scenes are drawn by lot.

Lengths are in parts of 64, the side of the smallest picture; larger pictures are scaled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from semcore_image.scenes.shapes import SHAPES

KINDS = tuple(sorted(SHAPES))
COLOURS = (
    *("black", "blue", "brown", "green", "orange"),
    *("pink", "purple", "red", "white", "yellow"),
)
COUNTS = (1, 2, 3, 4)
SIZES = ("small", "medium", "large")
PLACES = (
    *("at the top left", "at the top", "at the top right"),
    *("on the left", "in the middle", "on the right"),
    *("at the bottom left", "at the bottom", "at the bottom right"),
)
"""Places on a grid of 3x3, by row; place p is in row p // 3 and column p % 3."""
RELATIONS = ("above", "below", "to the left of", "to the right of")
BACKGROUNDS = {
    "grass": "on green grass",
    "grey sky": "under a grey sky",
    "road": "on the road",
    "room": "in a room",
    "sand": "on the sand",
    "sea": "on the sea",
    "sky": "under a blue sky",
    "snow": "in the snow",
}
"""Background -> how a caption says it."""
TIMES = ("day", "night")
HIDDEN = {
    "grass": {"green"},
    "road": set[str](),
    "room": {"brown"},
    "sand": {"yellow"},
    "sea": {"blue"},
    "sky": {"blue"},
    "snow": {"white"},
    "grey sky": set[str](),
}
"""Background -> colours that no object of a drawn scene has before it."""

SIDE = 64.0
ANCHORS = (14.0, 32.0, 50.0)
"""Centres of the three columns and rows."""
SINGLE = {"small": 12.5, "medium": 17.0, "large": 24.0}
SEVERAL = {"small": 11.0, "medium": 14.5, "large": 18.0}
"""Side of an object, where its group has one, or more than one."""
GAP = 1.0
"""Distance between the objects of a group, and of a group from the edge of the picture."""


@dataclass(frozen=True)
class Group:
    """Objects of one kind and colour, beside each other.

    Fields:
        kind: of KINDS
        colour: of COLOURS
        count: 1 to 4
        size: of SIZES
        place: of PLACES, where the middle of the group is
    """

    kind: str
    colour: str
    count: int = 1
    size: str = "medium"
    place: str = "in the middle"


@dataclass(frozen=True)
class Description:
    """What a scene shows.

    Fields:
        main: the main objects
        background: of BACKGROUNDS
        time: of TIMES
        relation: of RELATIONS, where the main objects are as seen from the others; "": no others
        other: the other objects; their place follows from the relation (`beyond`)
        accent: a single object besides
    """

    main: Group
    background: str
    time: str = "day"
    relation: str = ""
    other: Group | None = None
    accent: Group | None = None

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups, the main one first."""
        return tuple(one for one in (self.main, self.other, self.accent) if one is not None)


@dataclass(frozen=True)
class Block:
    """Where the objects of a group stand, in parts of 64.

    Fields:
        side: of an object
        centres: (x, y) of each object
    """

    side: float
    centres: tuple[tuple[float, float], ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all objects."""
        xs, ys = zip(*self.centres, strict=True)
        half = self.side / 2
        return min(xs) - half, min(ys) - half, max(xs) + half, max(ys) + half


@dataclass(frozen=True)
class Placed:
    """An object as it is drawn.

    Fields:
        group: to which it belongs
        x, y: its centre, in parts of 64
        side: its height or width, whichever is larger, in parts of 64
        turn: clockwise, degrees
        shade: factor on the brightness of its colour
    """

    group: Group
    x: float
    y: float
    side: float
    turn: float
    shade: float


def cell(place: str) -> tuple[int, int]:
    """Row and column of a place, each 0 to 2."""
    return divmod(PLACES.index(place), 3)


def beyond(place: str, relation: str) -> str:
    """The place of the other objects: the edge of the picture on the far side of the main ones."""
    row, column = cell(place)
    moved = {
        "above": (2, column),
        "below": (0, column),
        "to the left of": (row, 2),
        "to the right of": (row, 0),
    }[relation]
    return PLACES[3 * moved[0] + moved[1]]


def block_of(group: Group, shift: tuple[float, float] = (0.0, 0.0)) -> Block:
    """Where the objects of a group stand: one, two in a row, a triangle, or a square.

    Args:
        shift: of the middle of the group (x, y); the group stays inside the picture
    """
    side = (SINGLE if group.count == 1 else SEVERAL)[group.size]
    half = (side + GAP) / 2
    around = {
        1: [(0.0, 0.0)],
        2: [(-half, 0.0), (half, 0.0)],
        3: [(0.0, -half), (-half, half), (half, half)],
        4: [(-half, -half), (half, -half), (-half, half), (half, half)],
    }[group.count]
    row, column = cell(group.place)
    wide = max(x for x, _ in around) + side / 2 + GAP
    tall = max(y for _, y in around) + side / 2 + GAP
    x = min(max(ANCHORS[column] + shift[0], wide), SIDE - wide)
    y = min(max(ANCHORS[row] + shift[1], tall), SIDE - tall)
    return Block(side, tuple((x + dx, y + dy) for dx, dy in around))


def placed(description: Description, rng: np.random.Generator) -> list[Placed]:
    """The objects of all groups, each a little shifted, turned, and larger or smaller."""
    found = []
    for group in description.groups:
        dx, dy = rng.uniform(-1.5, 1.5, 2)
        block, shade = block_of(group, (dx, dy)), float(rng.uniform(0.9, 1.08))
        for x, y in block.centres:
            dx, dy, side, turn = rng.uniform((-0.5, -0.5, 0.95, -9), (0.5, 0.5, 1.04, 9)).tolist()
            found.append(Placed(group, x + dx, y + dy, block.side * side, turn, shade))
    return found


def fits(description: Description) -> bool:
    """Whether no two groups touch, and each is at its own place."""
    places = [one.place for one in description.groups]
    boxes = [block_of(one).box for one in description.groups]
    apart = all(
        first[2] + GAP <= second[0]
        or second[2] + GAP <= first[0]
        or first[3] + GAP <= second[1]
        or second[3] + GAP <= first[1]
        for at, first in enumerate(boxes)
        for second in boxes[at + 1 :]
    )
    return apart and len(set(places)) == len(places)


def drawn(rng: np.random.Generator) -> Description:
    """A description by lot, whose groups fit.

    The main objects are larger than the others, so that a picture shows which they are; groups
    differ in kind, and no colour is that of the background.
    """
    return next(one for one in _attempts(rng) if fits(one))


def _attempts(rng: np.random.Generator) -> Iterator[Description]:
    def one_of(*choices: str) -> str:
        return choices[int(rng.integers(len(choices)))]

    while True:
        background, time = one_of(*BACKGROUNDS), TIMES[int(rng.random() < 0.3)]
        kinds = [KINDS[at] for at in rng.permutation(len(KINDS))[:3]]
        colours = [one for one in COLOURS if one not in HIDDEN[background]]
        if time == "night":
            colours.remove("black")
        count = int(rng.choice(COUNTS, p=(0.4, 0.22, 0.19, 0.19)))
        related, accented = rng.random() < 0.4, rng.random() < 0.35
        sizes = SIZES[1:] if related or accented else SIZES
        main = Group(kinds[0], one_of(*colours), count, one_of(*sizes), one_of(*PLACES))
        found = Description(main, background, time)
        if related:
            relation = one_of(*RELATIONS)
            number, place = int(rng.integers(1, 3)), beyond(main.place, relation)
            other = Group(kinds[1], one_of(*colours), number, "small", place)
            found = dataclasses.replace(found, relation=relation, other=other)
        if accented:
            accent = Group(kinds[2], one_of(*colours), 1, "small", one_of(*PLACES))
            found = dataclasses.replace(found, accent=accent)
        yield found
