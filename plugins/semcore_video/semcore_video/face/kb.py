"""When a reference picture of a face no longer serves: the head has turned, moved, or has another expression (level L2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge

from semcore.types import Sample
from semcore_video.kb import ReferenceKB
from semcore_video.paper import PAPER


@dataclass(frozen=True)
class FaceKB(ReferenceKB):
    """Sends a picture if the newest reference differs too much in the motion of the face: level L2.

    The picture is not the first frame of the segment, but a good one: eyes open, mouth shut, head as it mostly is; a
    reference with shut eyes would keep them shut. It is judged against the newest reference, which is the one that a
    generator takes.

    Fields:
        rotation_deg: angle between the heads above which a picture is sent, degrees
        translation: distance of the heads above which one is sent, heights of the face
        expression: norm of the difference of the expressions above which one is sent, standard deviations
    """

    reference: ClassVar[str] = f"{PAPER}, section III-D3, equation 26"
    cites: ClassVar[tuple[str, ...]] = ("liu2026semantic", "lugaresi2019mediapipe")

    rotation_deg: Annotated[float, Ge(0)] = 10.0
    translation: Annotated[float, Ge(0)] = 0.2
    expression: Annotated[float, Ge(0)] = 6.0

    def needed(self, pixels: np.ndarray, held: Sequence[np.ndarray]) -> bool:
        from semcore_video.face.motion import UNITS, basis
        from semcore_video.face.tracker import track

        if not held:
            return True
        here, there = track(pixels[None])[0], track(held[-1][None])[0]
        if not np.isfinite(here).all():
            return False
        if not np.isfinite(there).all():
            return True
        numbers = basis().numbers(here[None], there)[0]
        pose = numbers[:6] * UNITS
        return bool(
            np.degrees(np.linalg.norm(pose[:3])) > self.rotation_deg
            or np.linalg.norm(pose[3:5]) > self.translation
            or np.linalg.norm(numbers[6:]) > self.expression
        )

    def _picture(self, sample: Sample) -> np.ndarray | None:
        from semcore_video.face.gate import best_reference
        from semcore_video.face.tracker import track

        if sample.video is None or not len(sample.video):
            return super()._picture(sample)
        points = track(sample.video)
        if not np.isfinite(points).all():
            return super()._picture(sample)
        return self._sized(sample.video[best_reference(points)])
