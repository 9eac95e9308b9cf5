"""How the shipped numbers of this package are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_types import Ge

from semcore.interfaces import Recipe


@dataclass(frozen=True)
class FaceBasisRecipe(Recipe):
    """Learns the six directions in which expressions move the points of a face, from videos of speaking people.

    Fields:
        data: folder of videos, for example of the GRID corpus
        lips: weight of the points of the lips
        eyes: weight of the points of the eyes
        leave_out: the video of this name is left out, to measure how well the others describe it; null: none
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "lugaresi2019mediapipe")

    data: str
    lips: Annotated[float, Ge(0)] = 3.0
    eyes: Annotated[float, Ge(0)] = 2.0
    leave_out: str | None = None

    def train(self, out: Path) -> None:
        from semcore_video.recipes.face_basis import train

        train(self, out)


@dataclass(frozen=True)
class MeanFaceRecipe(Recipe):
    """Takes the mean of dlib's embeddings of several people, one a video.

    Fields:
        data: folder of videos, for example of the GRID corpus
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "king2009dlib")

    data: str

    def train(self, out: Path) -> None:
        from semcore_video.recipes.mean_face import train

        train(self, out)


@dataclass(frozen=True)
class VisemesRecipe(Recipe):
    """Learns how the expressions of a face follow from what is said, from clips of the GRID corpus.

    Fields:
        data: folder of clips of the GRID corpus
        ridge: penalty of large coefficients
    """

    cites: ClassVar[tuple[str, ...]] = ("cooke2006audio", "huggins2006pocketsphinx")

    data: str
    ridge: Annotated[float, Ge(0)] = 3.0

    def train(self, out: Path) -> None:
        from semcore_video.recipes.visemes import train

        train(self, out)
